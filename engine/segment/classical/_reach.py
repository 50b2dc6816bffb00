"""Where the ground is: what one reaches from the photo's border, and the gaps that show it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._chroma import Surface
from engine.segment.classical._features import Features
from engine.segment.classical._ground import Ground
from engine.segment.classical._masks import components, disc, spread
from engine.types import Mask

__all__ = ["DARKEST_SHADOW", "TINT", "between", "foreign", "gaps", "large_parts", "reached_ground"]

Bits = NDArray[np.bool_]
_CLEAR = 7.0  # Lab distance that no even ground reaches
DARKEST_SHADOW = 0.58
"""Of the ground's L*."""
TINT = 4.0
"""a*, b* distance that no shadow reaches."""
_SAME = 2.0  # Lab distance that counts as a blank ground whatever the edge
_GREY = 0.2  # of the product's own chroma, in a gap
_GAP = 5.0  # Lab distance (tint) below which an enclosed even patch is the ground seen through a gap
_EDGE = 4.0  # times the border's own median gradient: softer steps are shadows
_BALLS = (24, 34, 54)  # parts of the shorter side that the balls' radii are, which look for lost outlines
_LEAK = 5  # half the width in pixels of a passage too narrow to count
_WALL = 0.85  # part of what surrounds a gap that is plainly the product
_WALL_SAME, _NOISE = 0.5, 0.3  # of one that is in nothing unlike the ground: Lab distance beyond its noise
_APART = 17.5  # Lab distance from the ground that shade of another tint seldom has


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
    limit = float(np.clip(_EDGE * np.median(rim), 0.5, 1.6))
    free = (features.edge < limit) & ~strange
    if ground.blank:  # compression leaves a seam around things on even white
        free |= ground.distance < _SAME
    passable = free.astype(np.uint8)
    passable &= ~_chambers(passable, ground, strange)
    narrow = cv2.erode(passable, disc(_LEAK), borderValue=1)  # no leak through a faint bit of outline
    count, labels, stats, _ = cv2.connectedComponentsWithStats(narrow, connectivity=4)
    open_ground = np.zeros(count, bool)
    for k in range(1, count):
        x, y, dx, dy, area = (int(v) for v in stats[k])
        outer = x == 0 or y == 0 or x + dx == w or y + dy == h
        if area < (0.0001 if outer else 0.0008) * h * w:
            continue
        mine = labels == k
        open_ground[k] = np.median(ground.distance[mine]) < 2.5 * _CLEAR if outer else _is_gap(mine, ground, strange)
    reached = open_ground[labels].astype(np.uint8) * 255
    if ground.blank:  # nothing is too narrow where the ground is one tone
        bare = np.where(ground.distance < _SAME, np.uint8(255), np.uint8(0))
        frame = bare.copy()
        frame[1:-1, 1:-1] = 0
        reached |= spread(frame, bare)
    settled: Mask = cv2.dilate(reached, disc(_LEAK + 1)) & (passable * np.uint8(255))
    return settled


def _chambers(passable: Mask, ground: Ground, strange: Bits) -> Mask:
    """What a wide ball cannot leave, and is no gap: pale things whose outline is lost in a few places, 0 or 1.

    The ground is one piece, however wide the ball; a white bottle on white paper is held by what is seen of its edge.
    """
    h, w = passable.shape
    closed = np.zeros_like(passable)
    for radius in (min(h, w) // step for step in _BALLS):
        cores = cv2.erode(passable, disc(radius), borderValue=1)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cores, connectivity=4)
        for k in range(1, count):
            x, y, dx, dy, area = (int(v) for v in stats[k])
            if x == 0 or y == 0 or x + dx == w or y + dy == h or area < 0.0008 * h * w:
                continue
            if not _is_gap(labels == k, ground, strange, radius):
                closed |= cv2.dilate((labels == k).astype(np.uint8), disc(radius + 1)) & passable
    return closed


def _is_gap(patch: Bits, ground: Ground, strange: Bits, reach: int = _LEAK) -> bool:
    """An enclosed patch that shows the ground: of its colour, without print, with the product all around.

    `reach` is what a ball has kept the patch from what encloses it, in pixels.
    """
    unlike, tint = float(np.median(ground.distance[patch])), float(np.median(ground.tint[patch]))
    if unlike > 2.5 * _GAP or tint > 0.75 * _GAP or _printed(patch):
        return False
    same = unlike < 1.5 * ground.noise + _NOISE
    wall = strange & (ground.distance > _APART)  # not the ground in tinted shade
    solid = patch.astype(np.uint8)
    ring = (cv2.dilate(solid, disc(reach + 8)) > 0) & (cv2.dilate(solid, disc(reach + 4)) == 0)
    return bool(ring.any() and wall[ring].mean() > (_WALL_SAME if same else _WALL))


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
    tint = max(TINT, 3.0 * ground.noise)
    strange = (ground.tint > 3.0 * tint) | ((ground.tint > 1.1 * tint) & (ground.light > 0.92))
    strange |= (ground.light < DARKEST_SHADOW) & (ground.distance > 2 * _CLEAR)
    return strange


def _printed(patch: Bits) -> bool:
    """Holes in an enclosed patch: print on it."""
    outline = cv2.findContours(patch.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return bool(patch.sum() < 0.93 * sum(float(cv2.contourArea(c)) for c in outline))
