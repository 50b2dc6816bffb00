"""Straight edges, where the level ones of a room meet, and how the upright ones lean.

A room is a box, so its long edges run in three directions. The photographer is taken to have held the camera with
little roll, but perhaps tilted up or down: the horizon is level and every level edge meets one of two points on it
(Coughlan and Yuille 1999, "Manhattan World", with the points found by a search over the horizon instead of over
angles), and the upright edges meet in a third one far above or below the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Lean", "Vanishing", "find_uprights", "find_vanishing", "straight_lines"]

Floats = NDArray[np.float64]
_STEEP = 0.45  # |dx / dy| above which no line is upright, however the camera was held
_BENDS = np.linspace(-0.5, 0.5, 41)  # heights of the picture over the way to the uprights' meeting: tilts to 20 degrees
_ROLLS = np.linspace(-0.05, 0.05, 11)
_LEAN_WIDTH = 0.025  # |dx / dy| that an upright line misses that point by
_LEVEL_HELD = 0.3  # votes that the greatest lean must bring more than none
_UPRIGHT = 0.08  # |dx / dy| away from its lean at which a line is no upright any more
_WIDTH = 0.022  # radians a line may miss its vanishing point by
_FINE = 0.008  # the same once the points are nearly known
_ROUNDS = 12
_HORIZONS = np.linspace(0.1, 0.9, 81)  # of the height
_BEARINGS = np.radians(np.linspace(-89.75, 89.75, 360))  # of a vanishing point seen from half a width away
_FOCAL = (0.12, 3.0)  # squared focal length over squared width: 110 to 32 degrees of view


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Vanishing points in working pixels."""

    horizon: float
    """Row of the horizon."""
    first: float
    """Column where one family of level edges meets the horizon."""
    second: float
    """Column where the other one does; on the other side of the picture's middle, perhaps very far away."""
    support: float
    """0..1: part of the length of all slanted lines that meets one of the points."""
    lean: Lean
    """How upright lines lean."""

    def scaled(self, by: float) -> Vanishing:
        """The same in a picture `by` times as large."""
        return Vanishing(self.horizon * by, self.first * by, self.second * by, self.support, self.lean.scaled(by))


@dataclass(frozen=True, slots=True)
class Lean:
    """Where upright lines meet: straight above or below the picture's middle, far away or not at all."""

    middle: tuple[float, float]
    """(row, column) of the picture's middle, pixels."""
    bend: float
    """One over the pixels from the middle down to where they meet; 0 = they are parallel."""
    roll: float
    """dx / dy of an upright in the middle."""

    def slope(self, x: Floats, y: Floats) -> Floats:
        """dx / dy of the upright through (x, y), pixels: one through (0, 1 / bend) has -x / (1 / bend - y)."""
        slope: Floats = self.roll - (x - self.middle[1]) * self.bend / (1 - (y - self.middle[0]) * self.bend)
        return slope

    def scaled(self, by: float) -> Lean:
        """The same in a picture `by` times as large."""
        return Lean((self.middle[0] * by, self.middle[1] * by), self.bend / by, self.roll)


def find_uprights(lines: NDArray[np.float32], shape: tuple[int, int]) -> tuple[NDArray[np.bool_], Lean]:
    """(n,) which straight edges (n, 4) x0, y0, x1, y1 in (h, w) pixels are upright in the room, and how those lean.

    A camera tilted up or down makes uprights lean, the more the farther from the middle: the lean is searched for.
    """
    h, w = shape
    lines = lines.astype(float)
    dx, dy = lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]
    steep = np.abs(dx) < _STEEP * np.abs(dy)
    slope = dx / np.where(dy == 0, 1e-9, dy)
    x, y = lines[:, [0, 2]].mean(axis=1), lines[:, [1, 3]].mean(axis=1)
    miss = np.stack([[slope - Lean((h / 2, w / 2), b / h, r).slope(x, y) for r in _ROLLS] for b in _BENDS])
    votes = (np.exp(-0.5 * (miss / _LEAN_WIDTH) ** 2) * np.hypot(dx, dy) * steep).sum(axis=2) / h
    cost = _LEVEL_HELD * (np.abs(_BENDS[:, None]) / _BENDS.max() + np.abs(_ROLLS) / _ROLLS.max())
    i, j = divmod(int((votes - cost).argmax()), len(_ROLLS))
    upright: NDArray[np.bool_] = steep & (np.abs(miss[i, j]) < _UPRIGHT)
    return upright, Lean((h / 2, w / 2), float(_BENDS[i]) / h, float(_ROLLS[j]))


def straight_lines(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4) x0, y0, x1, y1 of straight edges at least 5 % of the diagonal long (LSD, von Gioi et al. 2010).

    LSD trusts the direction of gradients, not their size: it sees where a white wall meets a white ceiling.
    """
    grey = np.clip(cv2.GaussianBlur(light, (0, 0), 1.4) * 2.55, 0, 255).astype(np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return np.zeros((0, 4), np.float32)
    lines: NDArray[np.float32] = found.reshape(-1, 4).astype(np.float32)
    long: NDArray[np.bool_] = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) > 0.05 * np.hypot(
        *light.shape
    )
    kept: NDArray[np.float32] = lines[long]
    return kept


def find_vanishing(lines: NDArray[np.float32], shape: tuple[int, int]) -> Vanishing | None:
    """Vanishing points of straight edges (n, 4) x0, y0, x1, y1 in (h, w) pixels; None with under 4 slanted ones."""
    h, w = shape
    upright, lean = find_uprights(lines, shape)
    slanted = lines[~upright].astype(float)
    if len(slanted) < 4:
        return None
    dx, dy = slanted[:, 2] - slanted[:, 0], slanted[:, 3] - slanted[:, 1]
    length, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    middle = np.stack([slanted[:, [0, 2]].mean(axis=1), slanted[:, [1, 3]].mean(axis=1)])
    columns = w / 2 + w / 2 * np.tan(_BEARINGS)
    rows = (_HORIZONS * h)[:, None, None]
    miss = _miss(columns[None, :, None], rows, middle, angle)
    vote = np.exp(-0.5 * (miss / _WIDTH) ** 2) * length
    vote *= np.hypot(columns[None, :, None] - middle[0], rows - middle[1]) > 0.6 * length
    best, choice = -1.0, (0, 0, 0)
    alone = vote.sum(axis=2)
    product = -(columns[:, None] - w / 2) * (columns[None] - w / 2) / w**2
    for row in np.argsort(-alone.max(axis=1), kind="stable")[:40]:
        for i in np.argsort(-alone[row], kind="stable")[:24]:
            fits = (product[i] > _FOCAL[0]) & (product[i] < _FOCAL[1])
            both = np.where(fits, np.maximum(vote[row, i], vote[row]).sum(axis=1), -1.0)
            j = int(both.argmax())
            if both[j] > best:
                best, choice = float(both[j]), (int(row), int(i), j)
    row, i, j = choice
    share = best / float(length.sum())
    start = np.array([_HORIZONS[row], _BEARINGS[i], _BEARINGS[j]])
    horizon, first, second = (float(v) for v in _refined(start, shape, middle, angle, length))
    ends = [w / 2 + w / 2 * float(np.tan(bearing)) for bearing in (first, second)]
    return Vanishing(horizon * h, ends[0], ends[1], share, lean)


def _miss(columns: Floats, rows: Floats, middle: Floats, angle: Floats) -> Floats:
    """Radians between lines (their middle (2, n) and angle) and the way to points; broadcast, -pi/2..pi/2."""
    to = np.arctan2(rows - middle[1], columns - middle[0])
    missed: Floats = (to - angle + np.pi / 2) % np.pi - np.pi / 2
    return missed


def _refined(start: Floats, shape: tuple[int, int], middle: Floats, angle: Floats, length: Floats) -> Floats:
    """Horizon (of the height) and two bearings (radians) by reweighted least squares from the grid's best."""
    h, w = shape

    def misses(at: Floats) -> Floats:
        columns = w / 2 + w / 2 * np.tan(np.clip(at[1:, None], _BEARINGS[0], _BEARINGS[-1]))
        return _miss(columns, np.full((1, 1), at[0] * h), middle, angle)

    at = start.copy()
    steps = np.array([1e-3, 1e-4, 1e-4])
    for k in range(_ROUNDS):
        width = max(_FINE, _WIDTH * 0.8**k)
        missed = misses(at)
        weight = (length * np.exp(-0.5 * (missed / width) ** 2)).ravel()
        change = np.stack([(misses(at + step) - missed).ravel() / step.sum() for step in np.diag(steps)], axis=1)
        normal = change.T @ (weight[:, None] * change) + 1e-4 * length.sum() * np.eye(3)
        move = np.linalg.solve(normal, change.T @ (weight * missed.ravel()))
        at = at - np.clip(move, -0.02, 0.02)
    at[0] = np.clip(at[0], _HORIZONS[0], _HORIZONS[-1])
    at[1:] = np.clip(at[1:], _BEARINGS[0], _BEARINGS[-1])
    return at
