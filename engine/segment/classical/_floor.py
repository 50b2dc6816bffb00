"""What colour the floor has: the one below the walls that runs along them and out of the picture at its sides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._regions import Regions, likeness

__all__ = ["floor_likeness"]

Floats = NDArray[np.float64]
_STRONG = 5.0  # Lab units a pixel: more than the joints between boards or tiles
_COLOURS = 5
_SHADE = np.array((0.25, 1, 1), np.float32)  # lightness says little: floors shine and lie in shadows
_MARGIN = 0.06  # of the height: how well the floor's border is known


def floor_likeness(regions: Regions, down: Floats) -> Floats:
    """(n,) 0..1: how sure a region is floor by colour, place and a way to the picture's frame over weak edges only.

    Args:
        regions: the superpixels, n of them.
        down: (n,) how far under the floor's border a region lies, in picture heights.
    """
    y, x = regions.centre[:, 0].astype(float), regions.centre[:, 1].astype(float)
    paint = regions.paint * _SHADE
    low = down > 0.0
    if low.sum() < 8:
        return np.zeros(len(y))
    chosen = _floor_colour(np.ascontiguousarray(paint[low]), regions.area[low].astype(float), down[low], y[low], x[low])
    seeds = np.zeros(len(y))
    seeds[low] = chosen
    like = likeness(regions, paint, seeds, 5.0, 0.28) * _below(down)
    at_frame = (down > -_MARGIN) & ((y > 0.95) | (np.abs(x - 0.5) > 0.47))
    return like * _joined(regions, like > 0.3, at_frame)


def _below(down: Floats) -> Floats:
    value: Floats = 1.0 / (1.0 + np.exp(-np.clip((down + _MARGIN) / 0.015, -40, 40)))
    return value


def _floor_colour(paint: NDArray[np.float32], area: Floats, down: Floats, y: Floats, x: Floats) -> NDArray[np.bool_]:
    """(n,) members of the cluster that is floor, among the regions below the floor's border."""
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.2)
    _, found, _ = cv2.kmeans(paint, min(_COLOURS, len(paint)), None, stop, 4, cv2.KMEANS_PP_CENTERS)
    label = found.ravel()
    best, chosen = -1.0, np.zeros(len(paint), bool)
    for k in range(int(label.max()) + 1):
        mine = label == k
        share = float(area[mine].sum() / area.sum())
        if share < 0.05:
            continue
        wall = _occupied(x, area, mine, down < 0.12)
        bottom = float(area[mine & (y > 0.9)].sum() / (area[y > 0.9].sum() + 1e-9))
        sides = [area[mine & side].sum() / (area[side].sum() + 1e-9) for side in (x < 0.04, x > 0.96)]
        score = share**0.3 * (0.3 + wall) * (0.4 + bottom) * (0.03 + float(np.mean(sides)))
        if score > best:
            best, chosen = score, mine
    return chosen


def _occupied(x: Floats, area: Floats, mine: NDArray[np.bool_], zone: NDArray[np.bool_]) -> float:
    """0..1: part of the picture's width in whose piece of the zone the members take a fair share."""
    own = np.histogram(x[mine & zone], bins=12, range=(0, 1), weights=area[mine & zone])[0]
    full = np.histogram(x[zone], bins=12, range=(0, 1), weights=area[zone])[0]
    return float((own > 0.15 * full).mean())


def _joined(regions: Regions, member: NDArray[np.bool_], start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) members that one reaches from the starting members without leaving them or crossing a strong edge."""
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    open_pair = member[a] & member[b] & (regions.barrier < _STRONG)
    a, b = a[open_pair], b[open_pair]
    reached = member & start
    while True:
        grown = reached.copy()
        grown[b[reached[a]]] = True
        grown[a[reached[b]]] = True
        if (grown == reached).all():
            return reached
        reached = grown
