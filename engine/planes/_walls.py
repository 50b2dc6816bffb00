"""A room's walls: which of its upright planes a column of the photo shows, and how far away that is.

Where wall meets floor, a column says how far the wall is if its direction is known; along one wall that distance is
constant. So the columns are cut into a left, a back and a right wall where their distances scatter least.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.planes._view import View
from engine.types import Mask

__all__ = ["upright"]

Floats = NDArray[np.float64]

_COLUMNS: Final = 96
_ENOUGH: Final = 0.35
"""Part of a region's columns whose lower edge must lie within the photo for it to be read."""
_CORNER: Final = 0.035
"""Price of a corner: mean scatter of log distance that it must take away."""
_SHORTEST: Final = 8
"""Columns (of `_COLUMNS`) of the narrowest wall."""


def upright(
    mask: Mask, view: View, eye: float, above: float, distance: float, at: tuple[int, int]
) -> list[tuple[Floats, float, float]]:
    """Planes of a wall region from left to right: (3, 3) matrix, photo column where it begins, where it ends.

    u runs level along the wall, v down from the floor (negative above it), metres.

    Args:
        mask: (h, w) uint8, 0/255.
        view: the camera.
        eye: metres from the floor to the eye.
        above: metres from the eye to the ceiling.
        distance: metres to the wall where neither floor nor ceiling is seen.
        at: row and column of the photo where `mask` begins.
    """
    right, ahead = view.depth
    side, back = (right, ahead), (ahead, -right)  # level directions of side walls and back wall
    columns, drop = _edges(mask, view, eye, above, at)
    if columns.size < 2 * _SHORTEST:
        return [(_plane(view, back, distance, 1, eye), -np.inf, np.inf)]
    ways = [side, back, side]
    # log distance of every column as part of each of the three walls; inf where that wall cannot be seen there
    logs = np.stack([_log_distance(view, way, turn, columns, drop) for way, turn in zip(ways, (-1, 1, 1), strict=True)])
    first, last = _cut(logs)
    edges = [0, first, last, columns.size]
    middles = [float(columns[k - 1] + columns[k]) / 2 for k in (first, last) if 0 < k < columns.size]
    planes, border = [], iter([*dict.fromkeys(middles), np.inf])
    begin = -np.inf
    for k, turn in enumerate((-1, 1, 1)):
        if edges[k] < edges[k + 1]:
            far = float(np.exp(np.median(logs[k, edges[k] : edges[k + 1]])))
            end = next(border)
            planes.append((_plane(view, ways[k], far, turn, eye), begin, end))
            begin = end
    return planes


def _edges(mask: Mask, view: View, eye: float, above: float, at: tuple[int, int]) -> tuple[Floats, Floats]:
    """Photo columns, and rows a metre from the horizon to the wall's lower edge, or the upper where that is cut off."""
    height, width = mask.shape
    every = np.unique(np.linspace(0, width - 1, min(width, 2 * _COLUMNS)).astype(int))
    strip = mask[:, every] > 0
    seen = strip.any(axis=0)
    columns, strip = every[seen], strip[:, seen]
    low = height - strip[::-1].argmax(axis=0) + at[0] - view.horizon
    high = strip.argmax(axis=0) + at[0] - view.horizon
    margin = 0.02 * height
    foot = (low > 4 * margin) & (low < height + at[0] - view.horizon - margin)
    head = (high < -4 * margin) & (high > at[0] - view.horizon + margin)
    use, drop = (foot, low / eye) if foot.sum() >= max(2 * _SHORTEST, _ENOUGH * columns.size) else (head, -high / above)
    return (columns[use] + at[1]).astype(np.float64), drop[use].astype(np.float64)


def _normal(way: tuple[float, float], turn: int) -> tuple[float, float]:
    """(right, ahead) of the wall's normal, away from the camera: to the right with turn 1, to the left with -1; a back
    wall's always ahead."""
    right, ahead = turn * way[1], -turn * way[0]
    return (-right, -ahead) if abs(ahead) > abs(right) and ahead < 0 else (right, ahead)


def _log_distance(view: View, way: tuple[float, float], turn: int, columns: Floats, drop: Floats) -> Floats:
    across, ahead = _normal(way, turn)
    reach = (across * (columns - view.middle) + ahead * view.focal) / drop
    return np.where(reach > 0, np.log(np.maximum(reach, 1e-9)), np.inf)


def _cut(logs: Floats) -> tuple[int, int]:
    """Columns where the left wall ends and where the right one begins, of (3, n) log distances."""
    count = logs.shape[1]
    stops = [0, *range(_SHORTEST, count - _SHORTEST + 1, max(1, count // 48)), count]
    cost: dict[tuple[int, int, int], float] = {}

    def scatter(k: int, begin: int, end: int) -> float:
        if begin == end:
            return 0.0
        key = (k, begin, end)
        if key not in cost:
            part = logs[k, begin:end]
            ok = end - begin >= _SHORTEST and np.isfinite(part).all()
            cost[key] = float(np.abs(part - np.median(part)).sum()) if ok else np.inf
        return cost[key]

    def price(first: int, last: int) -> float:
        corners = sum(begin < end for begin, end in ((0, first), (first, last), (last, count))) - 1
        total = scatter(0, 0, first) + scatter(1, first, last) + scatter(2, last, count)
        return float(total + _CORNER * count * corners)

    best: tuple[int, int] = min(((a, b) for a in stops for b in stops if a <= b), key=lambda cut: price(*cut))
    return best if np.isfinite(price(*best)) else (0, count)


def _plane(view: View, way: tuple[float, float], distance: float, turn: int, eye: float) -> Floats:
    """The plane along `way` at a distance: w = normal . ray, P = ray * distance / w, u = way . P, v = down - eye."""
    across, ahead = _normal(way, turn)
    facing = np.array([across, 0, ahead * view.focal - across * view.middle])
    along = np.array([way[0], 0, way[1] * view.focal - way[0] * view.middle]) * distance
    down = np.array([0, distance, -distance * view.horizon]) - eye * facing
    return np.stack([along, down, facing])
