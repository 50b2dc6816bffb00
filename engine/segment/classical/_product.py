"""The product on its ground: on an even one by border-colour model, shadows and the strongest edge; else amid it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._amid import find_amid
from engine.segment.classical._chroma import Surface, chroma, dominant
from engine.segment.classical._features import Features
from engine.segment.classical._flood import flood
from engine.segment.classical._masks import Found, components, disc, fill_holes, instance, ordered, soften
from engine.segment.classical._reach import between, foreign, gaps, large_parts, reached_ground
from engine.segment.classical._shadow import with_shadow
from engine.segment.classical._standout import standing_out
from engine.types import FloatMask, Mask

__all__ = ["Cut", "find_background", "find_product", "nothing", "product_mask"]

_CLEAR = 7.0  # Lab distance that no even ground reaches
_HOLE = 0.01  # of the photo, a hole in the product that shows no ground
_DRAWN, _AROUND = 1.0, 0.6  # Lab units a pixel of a pale thing's outline, and the part of it that has them
_PALE = 3.0  # Lab distance from the ground that a pale label has
_BAND = 7  # pixels either side of the outline within which its edge is looked for
_STUDIO = 0.62  # below this part of an explained border there is no one ground to tell a product from
_GRAIN = 0.95  # Lab distance by which most borders of boards, tiles or stone vary; paper stays below
_SURER = 0.15  # confidence that a reading amid the ground must have more, where the even one found something
_AGREED = 0.85  # intersection over union of two readings of one thing
_SURE = 0.8  # confidence from which no other reading is tried


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The product as it parts from its ground."""

    mask: FloatMask
    """(h, w) probability."""
    confidence: float
    """0..1; 0 where the photo shows no product on a ground."""
    surface: Surface | None
    """Its main surface; None without a product."""


def nothing(features: Features) -> Cut:
    """No product."""
    return Cut(np.zeros(features.shape, np.float32), 0.0, None)


def find_product(features: Features, cut: Cut, several: bool = False) -> Found:
    """One instance (or one a separate piece where `several`); `cut` is what `product_mask` gave."""
    mask, confidence = cut.mask, cut.confidence
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


def find_background(features: Features, cut: Cut) -> Found:
    """What the product leaves. Without a product but on an even ground, the whole photo."""
    ground = features.ground
    if ground is None:
        return 0.0, ()
    mask, confidence = cut.mask, cut.confidence
    if confidence <= 0.0:
        even = float((ground.distance < 2 * _CLEAR).mean())
        if ground.studio < 0.9 or even < 0.99:
            return 0.0, ()
        whole = np.ones(features.shape, np.float32)
        return 0.5 * even, (instance(whole, 0.5 * even, features.size),)
    rest: FloatMask = 1.0 - mask
    return confidence, (instance(rest, confidence, features.size),)


def product_mask(features: Features) -> Cut:
    """The product against its ground; confidence 0 where the photo shows no product on a ground."""
    points = chroma(features.rgb)
    if features.alpha is not None and 0.02 < float((features.alpha < 0.5).mean()) < 0.98:
        solid = features.alpha >= 0.5  # a cut-out photo says itself where the product is
        return Cut(features.alpha.copy(), 0.9, dominant(points, features.lab[..., 0], solid, np.zeros(2)))
    ground = features.ground
    if ground is None:
        return nothing(features)
    if ground.studio < _STUDIO:
        found = None if features.noisy else standing_out(features, points)
        cut = nothing(features) if found is None else Cut(*found)
    else:
        cut = _on_even_ground(features, points)
    if features.noisy or cut.confidence >= _SURE:
        return cut
    amid = find_amid(features)
    if amid is None or amid[1] <= cut.confidence:
        return cut
    mask, confidence = amid
    both, either = ((mask > 0) & (cut.mask > 0.5)).sum(), ((mask > 0) | (cut.mask > 0.5)).sum()
    if both > _AGREED * either:
        return replace(cut, confidence=confidence)  # its outline keeps shadows out
    if cut.confidence > 0 and (confidence < cut.confidence + _SURER or _is_part(features, mask, cut.mask)):
        return cut
    around = np.median(points[mask == 0], axis=0)
    return Cut(soften(mask, 1.4), confidence, dominant(points, features.lab[..., 0], mask > 0, around))


def _is_part(features: Features, mask: Mask, whole: FloatMask) -> bool:
    """Whether one reading is a label or a side of what the other found: an outline is seen beyond it too."""
    assert features.ground is not None
    if features.ground.noise > _GRAIN or ((mask > 0) & (whole < 0.5)).sum() > (1 - _AGREED) * (mask > 0).sum():
        return False
    outline = cv2.morphologyEx((whole > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, disc(1)) > 0
    return _drawn(features, outline & (cv2.dilate(mask, disc(5)) == 0))


def _drawn(features: Features, line: NDArray[np.bool_]) -> bool:
    """Whether most of a line has an edge, if only a pale one."""
    return bool(line.any()) and float((cv2.dilate(features.edge, disc(2))[line] > _DRAWN).mean()) > _AROUND


def _on_even_ground(features: Features, points: NDArray[np.float32]) -> Cut:
    """The product on paper or the like: what one cannot reach from the border, without shadows and with pale parts."""
    reached = reached_ground(features)
    kept = _solid(features, reached)
    if not 0.008 < float((kept > 0).mean()) < 0.92:
        return nothing(features)
    surface = _surface(features, points, kept)
    whole = _complete(features, reached, surface)
    if (whole > 0).any():
        better = _surface(features, points, whole)  # no shadow has a voice any more
        if better.chromatic != surface.chromatic:
            whole = _complete(features, reached, better)
        surface = better
    if not (whole > 0).any():
        return nothing(features)
    return Cut(_refine(features, whole), _confidence(features, whole), surface)


def _surface(features: Features, points: NDArray[np.float32], product: Mask) -> Surface:
    """The main surface of what has been found so far."""
    assert features.ground is not None
    around = np.median(points[features.ground.distance < _CLEAR], axis=0)
    inside = cv2.erode(product, disc(3)) > 0
    return dominant(points, features.lab[..., 0], inside if inside.any() else product > 0, around)


def _complete(features: Features, reached: Mask, surface: Surface) -> Mask:
    """The product again, now that its main surface is known: without shadow and gaps, with its pale labels."""
    ground = features.ground
    assert ground is not None
    if not surface.chromatic:
        return _solid(features, with_shadow(features, reached, surface), surface)
    holes, inner = gaps(features, surface), between(surface)
    unlike = ground.distance > max(_PALE, 2.5 * ground.noise)
    pale = large_parts(inner & np.where(unlike, np.uint8(255), np.uint8(0)))
    kept = _solid(features, with_shadow(features, (reached & ~pale) | holes, surface), surface)
    # the shaded side of a label looks like a shadow: bridge it from the surface above to that below
    column = np.ones((features.shape[0] // 3 | 1, 1), np.uint8)
    notch = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, column) & cv2.dilate(pale, disc(8))
    notch &= np.where(unlike, np.uint8(255), np.uint8(0))
    notch |= cv2.morphologyEx(kept, cv2.MORPH_CLOSE, disc(9)) & inner
    kept = cv2.morphologyEx(kept | notch, cv2.MORPH_OPEN, disc(2))
    return fill_holes(kept, int(_HOLE * kept.size)) & ~holes


def _solid(features: Features, reached: Mask, surface: Surface | None = None) -> Mask:
    """What the ground leaves, without crumbs; once the product's surface is known, without what is hardly seen."""
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    # the edge itself belongs half to the ground: give it back the width of the gradient filter
    taken = cv2.dilate(reached, disc(2)) & np.where(foreign(ground), np.uint8(0), np.uint8(255)) | reached
    solid = cv2.morphologyEx(cv2.bitwise_not(taken), cv2.MORPH_OPEN, disc(2))
    kept = np.zeros((h, w), np.uint8)
    pieces = components(solid, max(20, int(0.004 * h * w)))
    for piece in pieces:
        unlike = float(np.quantile(ground.distance[piece > 0], 0.7))
        own = surface is not None and surface.chromatic and bool(surface.alike[piece > 0].mean() > 0.5)
        line = (cv2.dilate(piece, disc(2)) > 0) & (cv2.erode(piece, disc(2)) == 0)
        if (piece > 0).sum() > 0.05 * (pieces[0] > 0).sum() and (
            surface is None or unlike > _CLEAR or own or _drawn(features, line)
        ):
            kept |= piece
    return kept


def _refine(features: Features, kept: Mask) -> FloatMask:
    """Put the outline on the strongest edge near it, and smooth it."""
    markers = np.zeros(features.shape, np.int32)
    thin = cv2.subtract(kept, cv2.morphologyEx(kept, cv2.MORPH_OPEN, disc(_BAND + 1)))
    markers[cv2.erode(kept, disc(_BAND), borderValue=255) > 0] = 1
    markers[cv2.erode(thin, disc(1), borderValue=255) > 0] = 1
    markers[cv2.dilate(kept, disc(_BAND)) == 0] = 2
    if not (markers == 1).any():
        return soften(kept)
    cut = flood(features.edge, markers) == 1
    return soften(cut.astype(np.uint8) * 255, 1.4)


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
    score = ground.studio**2 * (0.35 + 0.65 * contrast) * even**2
    return float(np.clip(score, 0, 0.97)) if score >= 0.35 else 0.0
