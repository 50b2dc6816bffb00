"""What a user's boxes say: inside a positive box stands one instance, inside a negative one there is none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.segment.classical._cut import MAYBE_BACK, MAYBE_FRONT, SURE_BACK, SURE_FRONT, grab_cut
from engine.segment.classical._features import MIN_SIDE, Features
from engine.segment.classical._masks import Found, components, disc, instance, ordered
from engine.types import Exemplar, FloatMask, Instance

__all__ = ["exclude", "from_boxes"]

_BOX_SCORE = 0.75  # a person pointed at it; the outline is still the machine's


def from_boxes(features: Features, boxes: Sequence[Exemplar], found: Found | None) -> Found | None:
    """One instance a positive box, cut out inside it; `found` (what the finder said by itself) seeds the cut."""
    if min(features.shape) < MIN_SIDE:
        return found
    own = np.zeros(features.shape, np.float32)
    for old in found[1] if found is not None else ():
        own = np.maximum(own, old.mask)
    instances = [cut for cut in (_cut_box(features, box, own) for box in boxes) if cut is not None]
    if not instances:
        return found
    taken = np.max([i.mask for i in instances], axis=0)
    for old in found[1] if found is not None else ():
        overlap = float(np.minimum(old.mask, taken).sum() / (old.mask.sum() + 1e-6))
        if overlap < 0.3:
            instances.append(old)
    return max(i.score for i in instances), ordered(instances)


def exclude(features: Features, found: Found | None, boxes: Sequence[Exemplar]) -> Found | None:
    """Take every negative box out of all instances; an instance that loses 90 % of itself is dropped."""
    if found is None or not boxes:
        return found
    presence, instances = found
    left: list[Instance] = []
    for old in instances:
        mask = old.mask.copy()
        for box in boxes:
            x0, y0, x1, y1 = _working_box(features, box)
            mask[y0:y1, x0:x1] = 0
        if mask.sum() > 0.1 * old.mask.sum() and (mask >= 0.5).any():
            left.append(instance(mask, old.score, features.size))
    return (presence, ordered(left)) if left else (0.0, ())


def _working_box(features: Features, box: Exemplar) -> tuple[int, int, int, int]:
    """The box in pixels of the working copy, inside it, at least one pixel each way."""
    h, w = features.shape
    x0, x1 = sorted((box.box[0] * w, box.box[2] * w))
    y0, y1 = sorted((box.box[1] * h, box.box[3] * h))
    left, top = min(w - 1, max(0, int(x0))), min(h - 1, max(0, int(y0)))
    return left, top, max(left + 1, min(w, round(x1))), max(top + 1, min(h, round(y1)))


def _cut_box(features: Features, box: Exemplar, own: FloatMask) -> Instance | None:
    h, w = features.shape
    x0, y0, x1, y1 = _working_box(features, box)
    if min(x1 - x0, y1 - y0) < 4:
        return None
    marks = np.full((h, w), SURE_BACK, np.uint8)
    window = (slice(y0, y1), slice(x0, x1))
    marks[window] = MAYBE_FRONT
    inside = own[window]
    if 0.1 < float((inside >= 0.5).mean()) < 0.98:
        marks[window] = np.where(inside >= 0.5, MAYBE_FRONT, MAYBE_BACK)
        marks[window][cv2.erode((inside >= 0.5).astype(np.uint8), disc(3)) > 0] = SURE_FRONT
    else:
        middle = np.zeros((h, w), np.uint8)
        centre = ((x0 + x1) // 2, (y0 + y1) // 2)
        cv2.ellipse(middle, centre, (max(1, (x1 - x0) // 8), max(1, (y1 - y0) // 8)), 0, 0, 360, 1, -1)
        marks[(middle > 0) & (marks != SURE_BACK)] = SURE_FRONT
    # colours far outside the box must not drown those that matter: cut inside a window twice the box
    pad_x, pad_y = max(8, (x1 - x0) // 2), max(8, (y1 - y0) // 2)
    area = (slice(max(0, y0 - pad_y), min(h, y1 + pad_y)), slice(max(0, x0 - pad_x), min(w, x1 + pad_x)))
    mask = np.zeros((h, w), np.float32)
    mask[area] = grab_cut(np.ascontiguousarray(features.rgb[area]), np.ascontiguousarray(marks[area]))
    pieces = components((mask >= 0.5).astype(np.uint8) * 255, 12)
    if not pieces:
        return None
    kept = np.zeros((h, w), np.uint8)
    for piece in pieces:
        if (piece > 0).sum() > 0.08 * (pieces[0] > 0).sum():
            kept |= piece
    mask = np.where(cv2.dilate(kept, disc(1)) > 0, mask, 0).astype(np.float32)
    share = float((kept[window] > 0).mean())
    score = _BOX_SCORE * (1.0 if 0.12 < share < 0.97 else 0.6)
    return instance(mask, score, features.size)
