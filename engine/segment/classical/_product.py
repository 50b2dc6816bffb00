"""The product on its ground: border-colour model, then GrabCut; soft shadows stay with the ground."""

from __future__ import annotations

import cv2
import numpy as np

from engine.segment.classical._cut import MAYBE_BACK, MAYBE_FRONT, SURE_BACK, SURE_FRONT, grab_cut
from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, components, disc, instance, ordered
from engine.types import FloatMask, Mask

__all__ = ["find_background", "find_product", "product_mask"]

_CLEAR = 7.0  # Lab distance that no even ground reaches
_GAP = 5.0  # Lab distance (tint) below which an enclosed even patch is the ground seen through a gap
_EDGE = 4.0  # times the border's own median gradient: softer steps are shadows
_LEAK = 3  # half the width in pixels of a passage too narrow to count
_TINT = 4.0  # a*, b* distance that no shadow reaches
_DARKEST_SHADOW = 0.58  # of the ground's L*
_STUDIO = 0.62  # below this part of an explained border there is no ground to tell a product from


def find_product(features: Features, cut: tuple[FloatMask, float], several: bool = False) -> Found:
    """One instance (or one a separate piece where `several`); `cut` is what `product_mask` gave."""
    mask, confidence = cut
    if confidence <= 0.0:
        return 0.0, ()
    if not several:
        return confidence, (instance(mask, confidence, features.size),)
    pieces = components((mask >= 0.5).astype(np.uint8) * 255, max(20, int(0.004 * mask.size)))
    parts = []
    for piece in pieces:
        near = cv2.dilate(piece, disc(2)) > 0
        parts.append(instance(np.where(near, mask, 0).astype(np.float32), confidence, features.size))
    return confidence, ordered(parts)


def find_background(features: Features, cut: tuple[FloatMask, float]) -> Found:
    """What the product leaves. Without a product but on an even ground, the whole photo."""
    ground = features.ground
    if ground is None:
        return 0.0, ()
    mask, confidence = cut
    if confidence <= 0.0:
        even = float((ground.distance < 2 * _CLEAR).mean())
        if ground.studio < 0.9 or even < 0.99:
            return 0.0, ()
        whole = np.ones(features.shape, np.float32)
        return 0.5 * even, (instance(whole, 0.5 * even, features.size),)
    rest: FloatMask = 1.0 - mask
    return confidence, (instance(rest, confidence, features.size),)


def product_mask(features: Features) -> tuple[FloatMask, float]:
    """(h, w) probability and confidence; confidence 0 where the photo shows no product on a ground."""
    empty = np.zeros(features.shape, np.float32)
    if features.alpha is not None and 0.02 < float((features.alpha < 0.5).mean()) < 0.98:
        return features.alpha.copy(), 0.9  # a cut-out photo says itself where the product is
    ground = features.ground
    if ground is None or ground.studio < _STUDIO:
        return empty, 0.0
    kept = _not_ground(features)
    if not 0.008 < float((kept > 0).mean()) < 0.92:
        return empty, 0.0
    return _refine(features, kept), _confidence(features, kept)


def _not_ground(features: Features) -> Mask:
    """All but the ground: what one reaches from the border without crossing an edge, shadows with it.

    A gap that shows the ground (inside a handle) is ground too; a label of the ground's colour is not, for its print.
    """
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    tint = max(_TINT, 3.0 * ground.noise)
    foreign = (ground.tint > 3.0 * tint) | ((ground.tint > 1.1 * tint) & (ground.light > 0.92))
    foreign |= (ground.light < _DARKEST_SHADOW) & (ground.distance > 2 * _CLEAR)
    band = max(3, min(h, w) // 28)
    rim = np.concatenate([features.edge[:band].ravel(), features.edge[-band:].ravel()])
    limit = float(np.clip(_EDGE * np.median(rim), 0.7, 1.6))
    passable = ((features.edge < limit) & ~foreign).astype(np.uint8)
    narrow = cv2.erode(passable, disc(_LEAK), borderValue=1)  # no leak through a faint bit of outline
    count, labels, stats, _ = cv2.connectedComponentsWithStats(narrow, connectivity=4)
    open_ground = np.zeros(count, bool)
    for k in range(1, count):
        x, y, dx, dy, area = (int(v) for v in stats[k])
        if area < 0.0008 * h * w:
            continue
        window = (slice(y, y + dy), slice(x, x + dx))
        mine = labels[window] == k
        unlike = float(np.median(ground.distance[window][mine]))
        if x == 0 or y == 0 or x + dx == w or y + dy == h:
            open_ground[k] = unlike < 2.5 * _CLEAR
        else:
            shown = float(np.median(ground.tint[window][mine]))
            outline = cv2.findContours(mine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
            printed = mine.sum() < 0.93 * sum(float(cv2.contourArea(c)) for c in outline)
            open_ground[k] = unlike < 2.5 * _GAP and shown < 0.75 * _GAP and not printed
    reached = open_ground[labels].astype(np.uint8) * 255
    reached = cv2.dilate(reached, disc(_LEAK + 1)) & np.where(passable > 0, np.uint8(255), np.uint8(0))
    reached = _with_contact_shadow(features, reached)
    # the edge itself belongs half to the ground: give it back the width of the gradient filter
    reached = cv2.dilate(reached, disc(2)) & np.where(foreign, np.uint8(0), np.uint8(255))
    solid = cv2.morphologyEx(cv2.bitwise_not(reached), cv2.MORPH_OPEN, disc(2))
    kept = np.zeros((h, w), np.uint8)
    pieces = components(solid, max(20, int(0.004 * h * w)))
    for piece in pieces:
        unlike = float(np.quantile(ground.distance[piece > 0], 0.7))
        if (piece > 0).sum() > 0.05 * (pieces[0] > 0).sum() and unlike > _CLEAR:
            kept |= piece
    return kept


def _with_contact_shadow(features: Features, reached: Mask) -> Mask:
    """Let the ground grow into the dark line at the product's foot, which has edges but no tint of its own."""
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    rows = np.nonzero((reached == 0).any(axis=1))[0]
    if len(rows) == 0:
        return reached
    tint = max(_TINT, 3.0 * ground.noise)
    shadow = (
        (ground.tint < 2 * tint)
        & (ground.light < 0.95)
        & (ground.light > 0.7 * _DARKEST_SHADOW)
        & (features.edge < 6.0)
    )
    shadow[: int((rows[0] + rows[-1]) / 2)] = False
    allowed = shadow.astype(np.uint8) * 255
    grown = reached
    for _ in range(max(3, min(h, w) // 20)):
        grown = grown | (cv2.dilate(grown, np.ones((3, 3), np.uint8)) & allowed)
    return grown


def _refine(features: Features, kept: Mask) -> FloatMask:
    """Settle a narrow band along the outline by colour."""
    band = max(3, min(features.shape) // 25)
    marks = np.where(kept > 0, np.uint8(MAYBE_FRONT), np.uint8(MAYBE_BACK))
    marks[cv2.erode(kept, disc(band), borderValue=255) > 0] = SURE_FRONT
    marks[cv2.dilate(kept, disc(band)) == 0] = SURE_BACK
    mask = grab_cut(features.rgb, marks, rounds=2)
    return np.where(cv2.dilate(kept, disc(band)) > 0, mask, 0).astype(np.float32)


def _confidence(features: Features, kept: Mask) -> float:
    """How even the ground is, times how clearly the contour parts it from the product."""
    ground = features.ground
    assert ground is not None
    inside = cv2.subtract(cv2.erode(kept, disc(1)), cv2.erode(kept, disc(5))) > 0
    outside = cv2.subtract(cv2.dilate(kept, disc(6)), cv2.dilate(kept, disc(2))) > 0
    if not inside.any() or not outside.any():
        return 0.0
    contrast = float(np.clip((np.median(ground.distance[inside]) - np.median(ground.distance[outside])) / 20.0, 0, 1))
    far = cv2.dilate(kept, disc(8)) == 0
    even = float((ground.distance[far] < 2 * _CLEAR).mean()) if far.any() else 0.5
    score = ground.studio * (0.35 + 0.65 * contrast) * even**2
    return float(np.clip(score, 0, 0.97)) if score >= 0.35 else 0.0
