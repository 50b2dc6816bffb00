"""Looking a sheet up at any scale: what is far away is averaged, so that nothing flickers or makes moiré."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.colour import Linear
from engine.patterns._sheet import Sheet

__all__ = ["Footprint", "Mipmap"]

Floats = NDArray[np.float32]
Footprint = tuple[Floats, Floats, Floats, Floats]
"""Metres (u, v) that a step of one pixel to the right moves, then one down: du/dx, dv/dx, du/dy, dv/dy."""

_MOST_PROBES: Final = 6
"""Along the longer side of a pixel's footprint: a floor is seen at up to this slant without blur."""
_ENDLESS: Final = np.float32(1e9)  # metres a pixel; towards the horizon there is no end to them, and floats have one
_BIAS: Final = np.float32(0.25)  # levels; a bilinear look-up blurs a little by itself


class Mipmap:
    """A sheet at all its sizes in one picture (Williams, "Pyramidal parametrics", 1983).

    A footprint that is longer than wide is covered by several look-ups along it, each as wide as it is narrow
    (Heckbert, "Survey of texture mapping", 1986; what graphics cards call anisotropic filtering).
    """

    def __init__(self, sheet: Sheet) -> None:
        height, width = sheet.albedo.shape[:2]
        self._metres = sheet.metres
        levels, size = [sheet.albedo], (height, width)
        while max(size) > 1:
            size = max(1, size[0] // 2), max(1, size[1] // 2)
            levels.append(cv2.resize(levels[-1], size[::-1], interpolation=cv2.INTER_AREA))
        self._heights = np.array([level.shape[0] for level in levels], np.float32)
        self._widths = np.array([level.shape[1] for level in levels], np.float32)
        # A pixel of the other end around each, for look-ups across the seam.
        self._atlas: Linear = np.zeros((int(self._heights.sum()) + 2 * len(levels), width + 2, 3), np.float32)
        self._tops = np.zeros(len(levels), np.float32)
        top = 0
        for k, level in enumerate(levels):
            padded = np.pad(level, ((1, 1), (1, 1), (0, 0)), mode="wrap")
            self._atlas[top : top + padded.shape[0], : padded.shape[1]] = padded
            self._tops[k] = top
            top += padded.shape[0]

    def look(self, u: Floats, v: Floats, footprint: Footprint) -> Linear:
        """(h, w, 3) mean reflectance under each pixel's footprint; u, v: (h, w) metres to the right and downwards."""
        right_u, right_v, down_u, down_v = (np.clip(step, -_ENDLESS, _ENDLESS) for step in footprint)
        height, width = self._heights[0], self._widths[0]
        per_u, per_v = width / np.float32(self._metres[1]), height / np.float32(self._metres[0])
        ax, ay = right_u * per_u, right_v * per_v
        bx, by = down_u * per_u, down_v * per_v
        a, b = np.hypot(ax, ay), np.hypot(bx, by)
        longer = np.maximum(np.maximum(a, b), np.float32(1e-6))
        narrow = np.maximum(np.abs(ax * by - ay * bx) / longer, np.float32(1e-6))
        probes = int(np.clip(np.ceil((longer / narrow).max(initial=1.0)), 1, _MOST_PROBES))
        level = np.log2(np.maximum(np.maximum(narrow, longer / probes), 1)) - _BIAS
        level = np.clip(level, 0, len(self._tops) - 1).astype(np.float32)
        step_u, step_v = np.where(a >= b, right_u, down_u), np.where(a >= b, right_v, down_v)
        total: Linear = np.zeros((*u.shape, 3), np.float32)
        for k in range(probes):
            offset = np.float32((k + 0.5) / probes - 0.5)
            at = (u + offset * step_u).astype(np.float32), (v + offset * step_v).astype(np.float32)
            total += self._at(*at, level)
        total *= np.float32(1 / probes)
        return total

    def _at(self, u: Floats, v: Floats, level: Floats) -> Linear:
        """Between two levels, each read bilinearly."""
        x, y = u / np.float32(self._metres[1]), v / np.float32(self._metres[0])
        x, y = x - np.floor(x), y - np.floor(y)
        lower = np.floor(level).astype(np.intp)
        share = (level - lower)[..., None]
        near = self._read(x, y, lower)
        if share.any():
            far = self._read(x, y, np.minimum(lower + 1, len(self._tops) - 1))
            far -= near
            far *= share
            near += far
        return near

    def _read(self, x: Floats, y: Floats, level: NDArray[np.intp]) -> Linear:
        column = x * self._widths[level] + np.float32(0.5)
        row = y * self._heights[level] + np.float32(0.5) + self._tops[level]
        read: Linear = cv2.remap(self._atlas, column, row, cv2.INTER_LINEAR)
        return read
