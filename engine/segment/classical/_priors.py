"""What every superpixel of a room is by itself, before the walk: ceiling, wall, floor or other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._floor import floor_likeness
from engine.segment.classical._layout import Room
from engine.segment.classical._regions import Regions, likeness, soft_step
from engine.segment.classical._walls import SHADE, folds, wall_paint

__all__ = ["STRIP", "Priors", "find_priors"]

Floats = NDArray[np.float64]
STRIP = 0.05
"""Of the height: so far below the ceiling a wall is mostly bare."""
_FOOT = (0.14, 0.05)  # of the height, above the floor's border: over the skirting
_TOUCH = 4  # pixels below a skirting
_GRAIN = 2.0  # L* of local contrast: bare walls and ceilings have less
_BLOWN = 96.0  # L* from which a pixel is a window or a lamp
_OVER = 0.02  # of the height: so far a wall may reach over the floor's border


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Of n superpixels."""

    classes: Floats
    """(n, 4): ceiling, wall, floor, other; rows sum to 1."""
    pull: Floats
    """(n,) above 0: how much that is trusted against the neighbours."""
    clear: float
    """0..1: how clear the floor's colour is; see `floor_likeness`."""


def find_priors(features: Features, regions: Regions, box: Room, parts: NDArray[np.int32]) -> Priors:
    """By place in the room's box, colour and texture; `parts` (h, w) is 0 on the ceiling, else the wall 1..3."""
    h = features.shape[0]
    rows = np.arange(h, dtype=np.float32)[:, None]
    part = np.rint(regions.mean(parts.astype(np.float32))).astype(int)
    above = part == 0
    under, down = (
        regions.mean(np.clip((rows - border[None]) / h, -1, 1).astype(np.float32))
        for border in (box.ceiling, box.floor)
    )
    texture = regions.mean(cv2.erode(features.texture, np.ones((7, 7), np.uint8)))
    folded = folds(features, regions)
    even = np.exp(-np.maximum(texture - _GRAIN, 0) / 3.0) * (1 - folded)
    blown = soft_step((regions.lab[:, 0].astype(float) - _BLOWN) / 0.8)
    bare = ~above * even * (1 - blown)

    paint = regions.paint * np.array((SHADE, 1, 1), np.float32)
    ceiling = above * even * (0.15 + 0.85 * likeness(regions, paint, above * 1.0, 6.0))

    seen = regions.mean(np.broadcast_to(box.seen[None], features.shape).astype(np.float32))
    strip = bare * soft_step((STRIP - under) / 0.015) * soft_step((seen - 0.4) / 0.08)
    colour, tight, same = wall_paint(regions, box, strip, part)
    painted = np.maximum(same, tight)
    seeds = strip * colour
    wall = bare * same * soft_step((_OVER - down) / 0.02)

    footing = _footing(regions, box, painted[regions.labels].astype(np.float32))
    floor, clear = floor_likeness(regions, down, footing, painted, box.floor_support, box.board is not None)

    other = 0.25 + 0.5 * (1 - even) * (~above & (down < 0)) + blown  # floors have grain, bare walls have none
    classes = (
        np.stack([ceiling * 1.2, np.maximum(wall, seeds), floor, other * np.where(above, 0.6, 1.0)], axis=1) + 0.01
    )
    stands = (0.3 * (folded + blown) + 0.08 * (1 - same) * (down < -0.15)) * ~above  # curtains, lamps, furniture
    pull = 0.03 + 0.5 * np.maximum(above * even, seeds * 0.5) + 0.25 * floor + 0.1 * wall**2 + stands
    return Priors(classes / classes.sum(axis=1, keepdims=True), pull, clear)


def _footing(regions: Regions, box: Room, wall: NDArray[np.float32]) -> Floats:
    """(n,) 0..1: how much of what stands right above the floor's border, over a region, is wall: (h, w) likeness.

    Where a skirting is seen: whether a region begins right under it. That is floor, what hides the skirting is not.
    """
    h, w = wall.shape
    if box.board is not None:
        under = np.arange(h)[:, None] - box.board.foot[None]
        touch = (under >= 0) & (under < _TOUCH) & (box.board.seen > 0.7)
        return soft_step((regions.mean(touch.astype(np.float32)) * regions.area - 3.0 * _TOUCH) / 0.5)
    sums = np.concatenate([np.zeros((1, w), np.float32), np.cumsum(wall, axis=0)])
    high, low = (np.clip(box.floor - share * h, 0, h).astype(np.int64) for share in _FOOT)
    columns = np.arange(w)
    share = (sums[low, columns] - sums[high, columns]) / np.maximum(low - high, 1)
    return regions.mean(np.broadcast_to(share.astype(np.float32), wall.shape))
