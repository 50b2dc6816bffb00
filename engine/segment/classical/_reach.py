"""Where the ground is: what one reaches from the photo's border, the gaps that show it, the shadows that lie on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._chroma import Surface
from engine.segment.classical._features import Features
from engine.segment.classical._ground import Ground
from engine.segment.classical._masks import components, disc
from engine.types import Mask

__all__ = ["between", "foreign", "gaps", "large_parts", "reached_ground", "with_shadow"]

Bits = NDArray[np.bool_]
_CLEAR = 7.0  # Lab distance that no even ground reaches
_SAME = 2.0  # Lab distance that counts as a flawless ground whatever the edge
_GREY = 0.2  # of the product's own chroma, in a gap
_GAP = 5.0  # Lab distance (tint) below which an enclosed even patch is the ground seen through a gap
_EDGE = 4.0  # times the border's own median gradient: softer steps are shadows
_LEAK = 5  # half the width in pixels of a passage too narrow to count
_TINT = 4.0  # a*, b* distance that no shadow reaches
_DARKEST_SHADOW = 0.58  # of the ground's L*
_WALL = 0.85  # part of what surrounds a gap that must not be of the ground's colour
_REFLECTED = 0.62  # of the product's own chroma: no reflection in a shadow has more
_SOFT = 6.0  # Lab units a pixel: a shadow's edge is softer than an object's


def reached_ground(features: Features) -> Mask:
    """The ground: what one reaches from the border without crossing an edge, soft shadows with it.

    A gap that shows the ground (inside a handle) is ground too; a label of the ground's colour is not, for its print,
    nor is the inside of a white cup, for its rim is as pale as itself.
    """
    ground = features.ground
    assert ground is not None
    h, w = features.shape
    strange = foreign(ground)
    band = max(3, min(h, w) // 28)
    rim = np.concatenate([features.edge[:band].ravel(), features.edge[-band:].ravel()])
    limit = float(np.clip(_EDGE * np.median(rim), 0.7, 1.6))
    free = (features.edge < limit) & ~strange
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
            open_ground[k] = alike and not _printed(mine) and _walled(labels == k, strange)
    reached = open_ground[labels].astype(np.uint8) * 255
    if ground.flawless:  # nothing is too narrow where the ground is one tone
        bare = np.where(ground.distance < _SAME, np.uint8(255), np.uint8(0))
        frame = bare.copy()
        frame[1:-1, 1:-1] = 0
        reached |= _spread(frame, bare)
    settled: Mask = cv2.dilate(reached, disc(_LEAK + 1)) & (passable * np.uint8(255))
    return settled


def gaps(features: Features, surface: Surface) -> Mask:
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


def with_shadow(features: Features, reached: Mask, surface: Surface) -> Mask:
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


def between(surface: Surface) -> Mask:
    """What has the product's surface above it and below it, and is not that itself."""
    own = cv2.morphologyEx(surface.alike.astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    above = np.maximum.accumulate(own, axis=0)
    below = np.maximum.accumulate(own[::-1], axis=0)[::-1]
    return np.where((above & below & (own == 0)) > 0, np.uint8(255), np.uint8(0))


def large_parts(mask: Mask) -> Mask:
    """The large parts of a ragged mask, closed."""
    whole = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(3)), cv2.MORPH_CLOSE, disc(7))
    parts = components(whole, max(20, int(0.003 * whole.size)))
    return np.max(parts, axis=0) if parts else np.zeros_like(mask)


def foreign(ground: Ground) -> Bits:
    """What no light makes of the ground: another tint, or darker than a shadow."""
    tint = max(_TINT, 3.0 * ground.noise)
    strange = (ground.tint > 3.0 * tint) | ((ground.tint > 1.1 * tint) & (ground.light > 0.92))
    strange |= (ground.light < _DARKEST_SHADOW) & (ground.distance > 2 * _CLEAR)
    return strange


def _printed(patch: Bits) -> bool:
    """Holes in an enclosed patch: print on it."""
    outline = cv2.findContours(patch.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return bool(patch.sum() < 0.93 * sum(float(cv2.contourArea(c)) for c in outline))


def _walled(patch: Bits, wall: Bits) -> bool:
    """What lies around an enclosed patch is plainly not the ground nearly everywhere."""
    solid = patch.astype(np.uint8)
    ring = (cv2.dilate(solid, disc(_LEAK + 6)) > 0) & (cv2.dilate(solid, disc(_LEAK + 2)) == 0)
    return bool(ring.any() and wall[ring].mean() > _WALL)


def _spread(seed: Mask, allowed: Mask) -> Mask:
    """Seed, and every part of `allowed` that touches it."""
    labels = cv2.connectedComponents(allowed, connectivity=4)[1]
    touched = np.unique(labels[cv2.dilate(seed, np.ones((3, 3), np.uint8)) > 0])
    return np.where(np.isin(labels, touched[touched > 0]), np.uint8(255), seed)
