"""Straight edges, and where the level ones of a room meet: its two vanishing points on a level horizon.

A room is a box, so its long edges run in three directions. The photographer is taken to have held the camera without
roll: the horizon is level and every level edge meets one of two points on it (Coughlan and Yuille 1999, "Manhattan
World", with the points found by a search over the horizon instead of over angles).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Vanishing", "find_vanishing", "straight_lines"]

Floats = NDArray[np.float64]
_UPRIGHT = 0.15  # |dx / dy| of what counts as an upright line
_WIDTH = 0.022  # radians a line may miss its vanishing point by
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
    lines = lines.astype(float)
    dx, dy = lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]
    upright = np.abs(dx) < _UPRIGHT * np.abs(dy)
    slanted = lines[~upright]
    if len(slanted) < 4:
        return None
    length = np.hypot(dx, dy)[~upright]
    angle = np.arctan2(dy, dx)[~upright]
    middle_x, middle_y = slanted[:, [0, 2]].mean(axis=1), slanted[:, [1, 3]].mean(axis=1)
    columns = w / 2 + w / 2 * np.tan(_BEARINGS)
    to = np.arctan2((_HORIZONS * h)[:, None, None] - middle_y, columns[None, :, None] - middle_x)
    miss = (to - angle + np.pi / 2) % np.pi - np.pi / 2
    vote = np.exp(-0.5 * (miss / _WIDTH) ** 2) * length
    vote *= np.hypot(columns[None, :, None] - middle_x, (_HORIZONS * h)[:, None, None] - middle_y) > 0.6 * length
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
    return Vanishing(float(_HORIZONS[row] * h), float(columns[i]), float(columns[j]), share)
