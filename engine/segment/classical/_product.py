"""The product on its ground: border-colour model, its shadows, then the strongest edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from engine.segment.classical._chroma import Surface, chroma, dominant
from engine.segment.classical._features import Features
from engine.segment.classical._ground import Ground
from engine.segment.classical._masks import Found, components, disc, fill_holes, instance, ordered, soften
from engine.segment.classical._standout import standing_out
from engine.types import FloatMask, Mask

__all__ = ["Cut", "find_background", "find_product", "nothing", "product_mask"]

Bits = NDArray[np.bool_]

_CLEAR = 7.0  # Lab distance that no even ground reaches
_HOLE = 0.01  # of the photo, a hole in the product that shows no ground
_PALE = 3.0  # Lab distance from the ground that a pale label has
_SAME = 2.0  # Lab distance that counts as a flawless ground whatever the edge
_GREY = 0.2  # of the product's own chroma, in a gap
_GAP = 5.0  # Lab distance (tint) below which an enclosed even patch is the ground seen through a gap
_EDGE = 4.0  # times the border's own median gradient: softer steps are shadows
_LEAK = 5  # half the width in pixels of a passage too narrow to count
_TINT = 4.0  # a*, b* distance that no shadow reaches
_DARKEST_SHADOW = 0.58  # of the ground's L*
_BAND = 7  # pixels either side of the outline within which its edge is looked for
_WALL = 0.85  # part of what surrounds a gap that must not be of the ground's colour
_REFLECTED = 0.62  # of the product's own chroma: no reflection in a shadow has more
_SOFT = 6.0  # Lab units a pixel: a shadow's edge is softer than an object's
_STUDIO = 0.62  # below this part of an explained border there is no ground to tell a product from


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
        return Cut(*found) if found is not None else nothing(features)
    reached = _reached(features)
    kept = _solid(features, reached)
    if not 0.008 < float((kept > 0).mean()) < 0.92:
        return nothing(features)
    around = np.median(points[ground.distance < _CLEAR], axis=0)
    inside = cv2.erode(kept, disc(3)) > 0
    surface = dominant(points, features.lab[..., 0], inside if inside.any() else kept > 0, around)
    if surface.chromatic:
        gaps, between = _gaps(features, surface), _between(surface)
        unlike = ground.distance > max(_PALE, 2.5 * ground.noise)
        pale = _large(between & np.where(unlike, np.uint8(255), np.uint8(0)))
        kept = _solid(features, _with_shadow(features, (reached & ~pale) | gaps, surface), surface)
        column = np.ones((features.shape[0] // 3 | 1, 1), np.uint8)
        notch = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, column) & cv2.dilate(pale, disc(8))
        notch &= np.where(unlike, np.uint8(255), np.uint8(0))
        notch |= cv2.morphologyEx(kept, cv2.MORPH_CLOSE, disc(9)) & between
        kept = cv2.morphologyEx(kept | notch, cv2.MORPH_OPEN, disc(2))
        kept = fill_holes(kept, int(_HOLE * kept.size)) & ~gaps
    else:
        kept = _solid(features, _with_shadow(features, reached, surface), surface)
    if not (kept > 0).any():
        return nothing(features)
    return Cut(_refine(features, kept), _confidence(features, kept), surface)


def _reached(features: Features) -> Mask:
    """The ground: what one reaches from the border without crossing an edge, soft shadows with it.

    A gap that shows the ground (inside a handle) is ground too; a label of the ground's colour is not, for its print,
    nor is the inside of a white cup, for its rim is as pale as itself.
    """
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    foreign = _foreign(ground)
    band = max(3, min(h, w) // 28)
    rim = np.concatenate([features.edge[:band].ravel(), features.edge[-band:].ravel()])
    limit = float(np.clip(_EDGE * np.median(rim), 0.7, 1.6))
    free = (features.edge < limit) & ~foreign
    if ground.flawless:  # compression leaves a seam around things on even white
        free |= ground.distance < _SAME
    passable = free.astype(np.uint8)
    narrow = cv2.erode(passable, disc(_LEAK), borderValue=1)  # no leak through a faint bit of outline
    count, labels, stats, _ = cv2.connectedComponentsWithStats(narrow, connectivity=4)
    open_ground = np.zeros(count, bool)
    for k in range(1, count):
        x, y, dx, dy, area = (int(v) for v in stats[k])
        outer = x == 0 or y == 0 or x + dx == w or y + dy == h
        if area < (0.0001 if outer else 0.0008) * h * w:
            continue
        window = (slice(y, y + dy), slice(x, x + dx))
        mine = labels[window] == k
        unlike = float(np.median(ground.distance[window][mine]))
        if outer:
            open_ground[k] = unlike < 2.5 * _CLEAR
        else:
            shown = float(np.median(ground.tint[window][mine]))
            alike = unlike < 2.5 * _GAP and shown < 0.75 * _GAP
            open_ground[k] = alike and not _printed(mine) and _walled(labels == k, foreign)
    reached = open_ground[labels].astype(np.uint8) * 255
    settled: Mask = cv2.dilate(reached, disc(_LEAK + 1)) & (passable * np.uint8(255))
    return settled


def _gaps(features: Features, surface: Surface) -> Mask:
    """Ground seen through a ring of the product's own surface, lit or in its shade."""
    ground = features.ground
    assert ground is not None
    ring = cv2.morphologyEx(surface.alike.astype(np.uint8), cv2.MORPH_CLOSE, disc(2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - ring, connectivity=4)
    found = np.zeros(features.shape, np.uint8)
    h, w = features.shape
    for k in range(1, count):
        x, y, dx, dy, area = (int(v) for v in stats[k])
        if x == 0 or y == 0 or x + dx == w or y + dy == h or area < 0.003 * h * w:
            continue
        window = (slice(y, y + dy), slice(x, x + dx))
        mine = labels[window] == k
        like = float(np.quantile(ground.distance[window][mine], 0.25)) < _GAP
        grey = float(np.median(surface.along[window][mine])) < _GREY
        if like and grey and not _printed(mine):
            found[window][mine] = 255
    return found


def _foreign(ground: Ground) -> Bits:
    """What no light makes of the ground: another tint, or darker than a shadow."""
    tint = max(_TINT, 3.0 * ground.noise)
    foreign = (ground.tint > 3.0 * tint) | ((ground.tint > 1.1 * tint) & (ground.light > 0.92))
    foreign |= (ground.light < _DARKEST_SHADOW) & (ground.distance > 2 * _CLEAR)
    return foreign


def _between(surface: Surface) -> Mask:
    """What has the product's surface above it and below it, and is not that itself."""
    own = cv2.morphologyEx(surface.alike.astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    above = np.maximum.accumulate(own, axis=0)
    below = np.maximum.accumulate(own[::-1], axis=0)[::-1]
    return np.where((above & below & (own == 0)) > 0, np.uint8(255), np.uint8(0))


def _large(mask: Mask) -> Mask:
    """The large parts of a ragged mask, closed."""
    whole = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3)), cv2.MORPH_CLOSE, disc(7))
    parts = components(whole, max(20, int(0.003 * whole.size)))
    return np.max(parts, axis=0) if parts else np.zeros_like(mask)


def _printed(patch: Bits) -> bool:
    """Holes in an enclosed patch: print on it."""
    outline = cv2.findContours(patch.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return bool(patch.sum() < 0.93 * sum(float(cv2.contourArea(c)) for c in outline))


def _walled(patch: Bits, wall: Bits) -> bool:
    """What lies around an enclosed patch is plainly not the ground nearly everywhere."""
    solid = patch.astype(np.uint8)
    ring = (cv2.dilate(solid, disc(_LEAK + 6)) > 0) & (cv2.dilate(solid, disc(_LEAK + 2)) == 0)
    return bool(ring.any() and wall[ring].mean() > _WALL)


def _solid(features: Features, reached: Mask, surface: Surface | None = None) -> Mask:
    """What the ground leaves, without crumbs."""
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    # the edge itself belongs half to the ground: give it back the width of the gradient filter
    taken = cv2.dilate(reached, disc(2)) & np.where(_foreign(ground), np.uint8(0), np.uint8(255)) | reached
    solid = cv2.morphologyEx(cv2.bitwise_not(taken), cv2.MORPH_OPEN, disc(2))
    kept = np.zeros((h, w), np.uint8)
    pieces = components(solid, max(20, int(0.004 * h * w)))
    for piece in pieces:
        unlike = float(np.quantile(ground.distance[piece > 0], 0.7))
        own = surface is not None and surface.chromatic and bool(surface.alike[piece > 0].mean() > 0.5)
        if (piece > 0).sum() > 0.05 * (pieces[0] > 0).sum() and (unlike > _CLEAR or own):
            kept |= piece
    return kept


def _with_shadow(features: Features, reached: Mask, surface: Surface) -> Mask:
    """Let the ground grow into the shadow at the product's foot.

    A shadow is the ground, darker: of its chroma (or on the way to the product's, whose reflection it takes), and its
    outer edge is soft. Only below the product's middle: shadows lie on the ground.
    """
    ground = features.ground
    assert ground is not None
    rows = np.nonzero((reached == 0).any(axis=1))[0]
    if len(rows) == 0:
        return reached
    tint = max(_TINT, 3.0 * ground.noise)
    shadow = (ground.shade < 0.97) & (ground.shade > 0.5 * _DARKEST_SHADOW)
    if surface.chromatic:
        shadow &= (surface.along < _REFLECTED) & (surface.beside < 0.3)
        own = (surface.alike & (surface.along > _REFLECTED)).astype(np.uint8)
        own = cv2.morphologyEx(own, cv2.MORPH_OPEN, disc(2))
        own[reached > 0] = 0
        shadow &= np.maximum.accumulate(own[::-1], axis=0)[::-1] == 0  # a label has the product below it
    else:
        shadow &= ground.tint < 2 * tint
    shadow[: int((rows[0] + rows[-1]) / 2)] = False
    grown = _spread(reached, (shadow & (features.edge < _SOFT)).astype(np.uint8) * 255)
    rest: Mask = cv2.dilate(grown, disc(5)) & np.where(shadow, np.uint8(255), np.uint8(0))
    return rest | grown


def _spread(seed: Mask, allowed: Mask) -> Mask:
    """Seed, and every part of `allowed` that touches it."""
    labels = cv2.connectedComponents(allowed, connectivity=4)[1]
    touched = np.unique(labels[cv2.dilate(seed, np.ones((3, 3), np.uint8)) > 0])
    return np.where(np.isin(labels, touched[touched > 0]), np.uint8(255), seed)


def _refine(features: Features, kept: Mask) -> FloatMask:
    """Put the outline on the strongest edge near it, and smooth it."""
    markers = np.zeros(features.shape, np.int32)
    thin = cv2.subtract(kept, cv2.morphologyEx(kept, cv2.MORPH_OPEN, disc(_BAND + 1)))
    markers[cv2.erode(kept, disc(_BAND), borderValue=255) > 0] = 1
    markers[cv2.erode(thin, disc(1), borderValue=255) > 0] = 1
    markers[cv2.dilate(kept, disc(_BAND)) == 0] = 2
    if not (markers == 1).any():
        return soften(kept)
    cut = watershed(features.edge, markers) == 1
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
    score = ground.studio * (0.35 + 0.65 * contrast) * even**2
    return float(np.clip(score, 0, 0.97)) if score >= 0.35 else 0.0
