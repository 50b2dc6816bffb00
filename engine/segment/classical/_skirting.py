"""The skirting: a board, or a cabinet's plinth, between wall and floor, seen as a band of one colour along the border.

Every edge along a wall's foot is the floor's border seen from another height: its rows are the border's, drawn towards
the horizon. In a strip of the picture that is rectified so, the board is level; a path through the strip (dynamic
programming) follows it where the border was placed a little off.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._length import length
from engine.segment.classical._regions import unshaded

__all__ = ["Board", "find_skirting"]

Floats = NDArray[np.float32]
_REACH, _STEPS = 0.16, 65  # of the way from the horizon: how far around the border one looks, and in how many steps
_THICK = range(8, 25, 2)  # steps that a board is high: 6 to 18 cm at eye height 1.5 m
_EVERY = 4  # columns from one point of the path to the next
_ALONG = 25  # columns that a colour is averaged over
_NEAR = 3  # steps on both sides of an edge that are compared
_DIFFERS = 2.2  # units between a board and what is beside it that are seen
_OWN = 2.0  # units between its colour and that of wall and floor: a row of tiles has the floor's
_ONE = 9.0  # units around the colour of one board
_BEND = 0.15  # price of a step of the path up or down
_CLEAR = 0.45  # how well seen it must be, 0..1
_AROUND = 5  # points of the path over which one says how much of it is seen
_SHARE = 0.12  # of the border in the picture beside which a board must be seen


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A skirting or plinth."""

    top: Floats
    """(w,) row where it begins."""
    foot: Floats
    """(w,) row where it ends and the floor begins."""
    seen: NDArray[np.float64]
    """(w,) 0..1: how much of it is seen thereabouts; 0 where it is only drawn on behind furniture."""


def find_skirting(lab: Floats, border: Floats, horizon: float, wall: Floats) -> Board | None:
    """The board around the floor's border (w,); None where none is seen.

    `lab` (h, w, 3) is the picture, `horizon` its row, `wall` (h, w) 1 where the walls' paint is: a board stands
    under it.
    """
    h, w = lab.shape[:2]
    scales = np.linspace(1 - _REACH, 1 + _REACH, _STEPS, dtype=np.float32)
    columns = np.arange(_EVERY // 2, w, _EVERY)
    rows = horizon + (border[None] - horizon) * scales[:, None]
    across = np.broadcast_to(np.arange(w, dtype=np.float32), rows.shape)
    strip = cv2.remap(unshaded(lab), across, rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    strip = cv2.blur(strip, (_ALONG, 1))[:, columns] * np.array((0.7, 1, 1), np.float32)
    sums = np.concatenate([np.zeros((1, *strip.shape[1:]), np.float32), np.cumsum(strip, axis=0)])
    edge = np.zeros(strip.shape[:2], np.float32)
    middle = sums[_NEAR:-_NEAR]
    edge[_NEAR : 1 - _NEAR] = length(sums[2 * _NEAR :] + sums[: -2 * _NEAR] - 2 * middle) / _NEAR
    edge *= (edge / (cv2.dilate(edge, np.ones((2 * _NEAR + 1, 1), np.uint8)) + 1e-6)) ** 4
    edge = cv2.dilate(edge, np.ones((3, 1), np.uint8))
    inside = (rows[:, columns] > 0) & (rows[:, columns] < h - 1)
    above = cv2.remap(wall, across, rows.astype(np.float32), cv2.INTER_LINEAR)[:, columns]
    above = cv2.blur(above, (1, 2 * _NEAR), anchor=(0, 2 * _NEAR - 1)) > 0.5
    paths = [path for thick in _THICK if (path := _follow(sums, edge * inside, above, thick)) is not None]
    if not paths:
        return None
    best = max(paths, key=lambda path: float(path.seen.mean()))

    def rows_at(step: NDArray[np.int64]) -> Floats:
        scale = np.interp(np.arange(w), columns, scales[step])
        return (horizon + (border - horizon) * scale).astype(np.float32)

    near = cv2.blur((best.seen > _CLEAR).astype(np.float32).reshape(1, -1), (_AROUND, 1)).ravel()
    return Board(rows_at(best.first), rows_at(best.first + best.thick), np.interp(np.arange(w), columns, near))


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """A board through the strip."""

    thick: int
    first: NDArray[np.int64]
    """(columns,) the step where it begins."""
    seen: Floats
    """(columns,) 0..1: how well both its edges are seen."""


def _follow(sums: Floats, edge: Floats, above: NDArray[np.bool_], thick: int) -> _Path | None:
    """The best board of `thick` steps; None where too little of one colour is seen."""
    beside = thick // 2 + _NEAR
    first = np.arange(beside, _STEPS - thick - beside)
    columns = np.arange(edge.shape[1])
    board = (sums[first + thick] - sums[first]) / thick
    on, off = (
        (sums[first] - sums[first - beside]) / beside,
        (sums[first + thick + beside] - sums[first + thick]) / beside,
    )
    own = np.minimum(length(board - on), length(board - off)) > _OWN
    apart = np.minimum(edge[first], edge[first + thick])
    seen: Floats = (apart / (apart + _DIFFERS) * (own & above[first - 1])).astype(np.float32)
    path = _path(seen)
    good = seen[path, columns] > _CLEAR
    if good.mean() < _SHARE:
        return None
    usual = np.median(board[path, columns][good], axis=0)
    seen = np.where(length(board - usual) < _ONE, seen, np.float32(0))
    path = _path(seen)
    kept = seen[path, columns]
    return _Path(thick, first[path], kept) if (kept > _CLEAR).mean() > _SHARE else None


def _path(seen: Floats) -> NDArray[np.int64]:
    """(columns,) the line through (steps, columns) along which most is seen, of at most a step a column."""
    total = np.empty_like(seen)
    came = np.zeros(seen.shape, np.int64)
    total[:, 0] = seen[:, 0]
    for k in range(1, seen.shape[1]):
        before = total[:, k - 1]
        ways = np.full((3, len(before)), -np.inf, np.float32)
        ways[0, 1:], ways[1], ways[2, :-1] = before[:-1] - _BEND, before, before[1:] - _BEND
        choice = ways.argmax(axis=0)
        came[:, k] = np.arange(len(before)) + choice - 1
        total[:, k] = ways.max(axis=0) + seen[:, k]
    path = np.zeros(seen.shape[1], np.int64)
    path[-1] = int(total[:, -1].argmax())
    for k in range(seen.shape[1] - 1, 0, -1):
        path[k - 1] = came[path[k], k]
    return path
