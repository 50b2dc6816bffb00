"""Where in the known part of a picture does it look like here: a nearest-neighbour field, found by PatchMatch.

Barnes et al., "PatchMatch: A Randomized Correspondence Algorithm for Structural Image Editing", SIGGRAPH 2009: good
matches are found by chance and handed on to the neighbours. All pixels of the hole try the same step at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "Field", "Sources", "improve", "vote"]

SIDE: Final = 7
"""Patches are SIDE x SIDE px."""
_HALF: Final = SIDE // 2
_STEPS: Final = tuple((dy, dx) for dy in range(-_HALF, _HALF + 1) for dx in range(-_HALF, _HALF + 1))

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Pixels whose whole patch is known."""

    allowed: NDArray[np.bool_]
    """(h, w): a patch may be taken from around here."""
    rows: Ints
    columns: Ints

    @classmethod
    def of(cls, allowed: NDArray[np.bool_]) -> Sources:
        rows, columns = np.nonzero(allowed)
        return cls(allowed, rows, columns)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """`count` of them by chance."""
        chosen = rng.integers(0, len(self.rows), count)
        return self.rows[chosen], self.columns[chosen]


@dataclass(slots=True, eq=False)
class Field:
    """For each of N targets, the source whose patch is most like the target's."""

    rows: Ints
    columns: Ints
    """(N,): the targets."""
    source_rows: Ints
    source_columns: Ints
    """(N,): their sources."""
    cost: Floats
    """(N,): mean squared difference of the two patches."""


def improve(field: Field, picture: Floats, sources: Sources, rng: np.random.Generator, rounds: int) -> None:
    """Search better sources for all targets, in place.

    Args:
        field: the matches so far; its costs are computed anew, for the picture may have changed.
        picture: (h, w, c) float32, the hole filled with the present guess; targets lie `SIDE // 2` px from the border
            at least, and so do sources.
        sources: where patches may come from.
        rng: the source of chance.
        rounds: of propagation and random search each.
    """
    height, width = sources.allowed.shape
    place = np.full((height, width), -1, np.intp)
    place[field.rows, field.columns] = np.arange(len(field.rows))
    goal = _patches(picture, field.rows, field.columns)
    field.cost = _cost(picture, goal, field.source_rows, field.source_columns)
    everyone = np.arange(len(field.rows))

    def attempt(who: Ints, rows: Ints, columns: Ints) -> None:
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        who, rows, columns = who[inside], rows[inside], columns[inside]
        fit = sources.allowed[rows, columns] & (
            (rows != field.source_rows[who]) | (columns != field.source_columns[who])
        )
        who, rows, columns = who[fit], rows[fit], columns[fit]
        cost = _cost(picture, goal[who], rows, columns)
        better = cost < field.cost[who]
        winners = who[better]
        field.cost[winners] = cost[better]
        field.source_rows[winners], field.source_columns[winners] = rows[better], columns[better]

    for _ in range(rounds):
        for step in (8, 4, 2, 1):
            for dy, dx in ((0, step), (step, 0), (0, -step), (-step, 0)):
                beside_rows, beside_columns = field.rows + dy, field.columns + dx
                inside = (beside_rows >= 0) & (beside_rows < height) & (beside_columns >= 0) & (beside_columns < width)
                neighbour = np.full(len(field.rows), -1, np.intp)
                neighbour[inside] = place[beside_rows[inside], beside_columns[inside]]
                who = everyone[neighbour >= 0]
                near = neighbour[who]
                attempt(who, field.source_rows[near] - dy, field.source_columns[near] - dx)
        attempt(everyone, *sources.draw(len(everyone), rng))
        reach = max(height, width) // 2
        while reach >= 1:
            shift = rng.integers(-reach, reach + 1, (2, len(everyone)))
            attempt(everyone, field.source_rows + shift[0], field.source_columns + shift[1])
            reach //= 3


def vote(field: Field, picture: Floats, gap: NDArray[np.bool_]) -> None:
    """Give every pixel of the gap the mean of what the patches that cover it say, in place.

    Closer matches count more: weight exp(-cost / 2 sigma²), sigma² the cost at the 75th percentile (Wexler, Shechtman &
    Irani, "Space-Time Completion of Video", PAMI 2007, eq. 3).
    """
    spread = max(float(np.percentile(field.cost, 75)), 1e-6)
    weight = np.exp(-field.cost / (2 * spread)).astype(np.float32) + np.float32(1e-6)
    total = np.zeros(picture.shape[:2], np.float32)
    mean = np.zeros_like(picture)
    for dy, dx in _STEPS:
        at = field.rows + dy, field.columns + dx
        # Targets are distinct, so within one step no pixel is written twice.
        mean[at] += weight[:, None] * picture[field.source_rows + dy, field.source_columns + dx]
        total[at] += weight
    picture[gap] = mean[gap] / total[gap][:, None]


def _patches(picture: Floats, rows: Ints, columns: Ints) -> Floats:
    """(N, SIDE² * c): the patches around the pixels."""
    views = np.lib.stride_tricks.sliding_window_view(picture, (SIDE, SIDE), axis=(0, 1))
    taken: Floats = views[rows - _HALF, columns - _HALF].reshape(len(rows), SIDE * SIDE * picture.shape[2])
    return taken


def _cost(picture: Floats, goal: Floats, rows: Ints, columns: Ints) -> Floats:
    difference = _patches(picture, rows, columns)
    difference -= goal
    cost: Floats = np.einsum("ij,ij->i", difference, difference) / np.float32(max(goal.shape[1], 1))
    return cost
