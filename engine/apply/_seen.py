"""The pixels that an action is fitted to: enough to be sure of a median, few enough to cost nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._kernel import kernel
from engine._tiles import Sites
from engine.matte import Matte
from engine.types import Mask, Rgb

__all__ = ["Seen", "around", "is_clear", "means", "pairs", "seen_of"]

_MOST: Final = 60_000
_CLIPPED: Final = 254


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pixels of a region on a regular grid."""

    at: Sites
    """N of them."""
    colours: Rgb
    """(N, 3) uint8 sRGB."""
    shares: NDArray[np.uint8]
    """(N,) of the matte, never 0."""
    clear: NDArray[np.bool_]
    """(N,) not blown out; all, where the blown out ones are the greater part."""
    core: NDArray[np.bool_]
    """(N,) clear, and wholly the region's; all clear ones, where none is."""


def seen_of(rgb: Rgb, region: Mask, matte: Matte) -> Seen | None:
    """Look at a region's pixels; None where its matte leaves none.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        region: (H, W) uint8, 0/255.
        matte: (H, W) uint8; where it is 0 another layer has the pixel.
    """
    step = max(1, math.ceil(math.sqrt(cv2.countNonZero(region) / _MOST)))
    rows, columns = _on_grid(region, matte, step)
    if not rows.size and step > 1:  # other layers have nearly all of it
        rows, columns = (sites[:_MOST] for sites in _on_grid(region, matte, 1))
    if not rows.size:
        return None
    colours, shares = rgb[rows, columns], matte[rows, columns]
    clear = is_clear(colours)
    if 2 * np.count_nonzero(clear) < clear.size:
        clear = np.ones_like(clear)
    opaque = clear & (shares == 255)
    return Seen((rows, columns), colours, shares, clear, opaque if opaque.any() else clear)


def is_clear(colours: Rgb) -> NDArray[np.bool_]:
    """(...) of (..., 3): not blown out, which says nothing of the surface."""
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]  # numpy is slow along an axis of three
    clear: NDArray[np.bool_] = np.minimum(np.minimum(red, green), blue) < _CLIPPED
    return clear


def around(rgb: Rgb, at: Sites, weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """(N, 3) weighted sums of the 3 x 3 px around pixels; a photo's border is repeated.

    Args:
        rgb: (H, W, 3) uint8.
        at: N rows and columns.
        weights: (3, 3).
    """
    return _around(rgb, at[0], at[1], weights)


def means(rgb: Rgb, at: Sites) -> Rgb:
    """(N, 3) means of the 3 x 3 px around pixels: a pixel's own hue is mostly noise in the dark."""
    return np.rint(around(rgb, at, np.ones((3, 3), np.int32)) / 9).astype(np.uint8)


def pairs(rgb: Rgb, region: Mask, matte: Matte, at: Sites) -> tuple[Rgb, Rgb]:
    """(M, 3) `means` of pixels and of others to the right of them or below, a twelfth of the region's size apart.

    Both are wholly the region's.
    """
    apart = max(2, round(math.sqrt(cv2.countNonZero(region)) / 12))
    height, width = region.shape
    ones, others = [], []
    for down, right in ((0, apart), (apart, 0)):
        rows, columns = at[0] + down, at[1] + right
        inside = (rows < height) & (columns < width)
        there = rows[inside], columns[inside]
        inside[inside] = (region[there] > 0) & (matte[there] == 255)
        ones.append(means(rgb, (at[0][inside], at[1][inside])))
        others.append(means(rgb, (rows[inside], columns[inside])))
    return np.concatenate(ones), np.concatenate(others)


@kernel
def _around(
    rgb: Rgb, rows: NDArray[np.intp], columns: NDArray[np.intp], weights: NDArray[np.int32]
) -> NDArray[np.int32]:
    height, width = rgb.shape[:2]
    total = np.zeros((len(rows), 3), np.int32)
    for n in range(len(rows)):
        for down in range(3):
            y = min(max(rows[n] + down - 1, 0), height - 1)
            for right in range(3):
                x = min(max(columns[n] + right - 1, 0), width - 1)
                for c in range(3):
                    total[n, c] += weights[down, right] * np.int32(rgb[y, x, c])
    return total


def _on_grid(region: Mask, matte: Matte, step: int) -> Sites:
    rows, columns = np.nonzero(cv2.min(region[::step, ::step], matte[::step, ::step]))
    return rows * step, columns * step
