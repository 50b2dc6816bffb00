"""How boards, tiles and bricks lie: which unit a point is of, where within it, and how far its joint is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.patterns._noise import Field, Shape

__all__ = ["Units", "boards", "courses", "herringbone"]

_BOARDS = 12
_COURSES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """A laid period of `metres` (height, width), sampled on (h, w) pixels; it repeats without a seam."""

    number: NDArray[np.int32]
    """Unit a pixel belongs to, from 0."""
    count: int
    edge: Field
    """Metres to the unit's nearest edge."""
    across: NDArray[np.bool_]
    """True where the unit's length runs along the rows instead of the columns."""
    metres: tuple[float, float]


def _grid(metres: tuple[float, float], per_metre: float) -> tuple[Shape, NDArray[np.float64], NDArray[np.float64]]:
    """Shape, and metres of pixel centres downwards (h, 1) and to the right (1, w)."""
    shape = max(8, round(metres[0] * per_metre)), max(8, round(metres[1] * per_metre))
    y, x = ((np.arange(n) + 0.5) * size / n for n, size in zip(shape, metres, strict=True))
    return shape, y[:, None], x[None]


def boards(unit: tuple[float, float], per_metre: float, rng: np.random.Generator, count: int = _BOARDS) -> Units:
    """Boards of unit (width, length) side by side along the columns, their ends at random heights, lengths uneven."""
    width, length = unit
    metres = (2 * length, count * width)
    shape, y, x = _grid(metres, per_metre)
    column = np.minimum((x / width).astype(np.int32), count - 1)
    # Two ends a column; a column's neighbour starts at least a sixth of a length away.
    starts = (np.cumsum(rng.uniform(1 / 6, 5 / 6, count)) * length) % metres[0]
    parts = length * rng.uniform(0.75, 1.25, count)
    along = (y - starts[column]) % metres[0]
    second = along >= parts[column]
    from_end = np.where(second, along - parts[column], along)
    size = np.where(second, metres[0] - parts[column], parts[column])
    ends = np.minimum(from_end, size - from_end)
    side = x - column * width
    edge = np.minimum(ends, np.minimum(side, width - side))
    number = (2 * column + second).astype(np.int32)
    return Units(number, 2 * count, edge.astype(np.float32), np.zeros(shape, bool), metres)


def courses(unit: tuple[float, float], per_metre: float, shift: float, across: int = 4) -> Units:
    """Tiles or bricks of unit (width, length) in rows, each row moved on by `shift` of a width (0: a grid)."""
    width, length = unit
    metres = (_COURSES * length, across * width)
    shape, y, x = _grid(metres, per_metre)
    row = np.minimum((y / length).astype(np.int32), _COURSES - 1)
    moved = (x + (row % 2) * shift * width) % metres[1]
    column = np.minimum((moved / width).astype(np.int32), across - 1)
    side, down = moved - column * width, y - row * length
    edge = np.minimum(np.minimum(side, width - side), np.minimum(down, length - down))
    number = (row * across + column).astype(np.int32)
    return Units(number, _COURSES * across, edge.astype(np.float32), np.zeros(shape, bool), metres)


def herringbone(unit: tuple[float, float], per_metre: float) -> Units:
    """Blocks of unit (width, length), the length a whole number n of widths, at right angles to each other.

    On a grid of squares of one width, x - y mod 2n tells all: 0..n-1 lie along the rows, the others along the columns.
    """
    width = unit[0]
    n = max(2, round(unit[1] / width))
    metres = (2 * n * width, 2 * n * width)
    _, y, x = _grid(metres, per_metre)
    row, column = np.minimum((y / width).astype(int), 2 * n - 1), np.minimum((x / width).astype(int), 2 * n - 1)
    place = (column - row) % (2 * n)
    lying = place < n
    u, v = x - column * width, y - row * width
    # Where along its block a pixel lies: columns grow with `place`, rows against it.
    along = np.where(lying, place * width + u, (2 * n - 1 - place) * width + v)
    beside = np.where(lying, v, u)
    edge = np.minimum(np.minimum(along, n * width - along), np.minimum(beside, width - beside))
    number = np.where(lying, row, 2 * n + column).astype(np.int32)
    return Units(number, 4 * n, edge.astype(np.float32), lying, metres)
