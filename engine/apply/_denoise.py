"""Sensor noise taken out of what is about to be amplified.

Where a dark surface becomes a light one, one step of noise becomes ten. A Wiener filter with local statistics (Lee,
"Digital Image Enhancement and Noise Filtering by Use of Local Statistics", PAMI 2(2), 1980) keeps what varies more than
the noise does and draws the rest to its neighbourhood's mean: brightness over 5 px, hue, to which eyes are less sharp,
over 9.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import Sites
from engine.apply._seen import around
from engine.types import Mask, Rgb

__all__ = ["REACH", "denoised", "noise_level"]

REACH: Final = 8
"""Pixels around a pixel that its result depends on."""

Floats = NDArray[np.float32]

_OPPONENT: Final = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [-1 / 4, 1 / 2, -1 / 4]], np.float32)
_BACK: Final = np.linalg.inv(_OPPONENT.astype(np.float64)).astype(np.float32)
_SIDES: Final = (5, 9, 9)
_MARGIN: Final = np.float32(1.3**2)  # local variance of pure noise scatters about its mean
_LAPLACE: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.int32)
_QUIETEST: Final = 0.3  # steps; rounding alone makes as much noise


def noise_level(rgb: Rgb, region: Mask, at: Sites) -> tuple[float, float, float]:
    """Standard deviation of each channel's noise over a region, sRGB steps, from its pixels `at`.

    Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996, with a median for
    his mean: edges do not count.
    """
    rows, columns = at
    inner = np.ones(len(rows), np.bool_)
    for down, right in ((-2, -2), (-2, 2), (2, -2), (2, 2)):
        inner &= region[np.clip(rows + down, 0, len(region) - 1), np.clip(columns + right, 0, region.shape[1] - 1)] > 0
    within = inner if inner.any() else ~inner
    answer = np.abs(around(rgb, (rows[within], columns[within]), _LAPLACE))
    red, green, blue = (max(_QUIETEST, float(level)) for level in np.median(answer, axis=0) / (6 * 0.6745))
    return red, green, blue


def denoised(rgb: Rgb, within: Mask, noise: tuple[float, float, float], keep: float) -> Floats:
    """(h, w, 3) sRGB values 0..255, as floats, less their noise.

    Args:
        rgb: (h, w, 3) uint8.
        within: (h, w) uint8: pixels whose neighbourhood counts; means are over these alone.
        noise: standard deviations as of `noise_level`.
        keep: share of the noise that stays, 0..1: grain that vanishes is noticed too.
    """
    weight = (within > 0).astype(np.float32)
    opponent = rgb.astype(np.float32) @ _OPPONENT.T
    levels = np.square(_OPPONENT) @ np.square(np.array(noise, np.float32)) * _MARGIN
    planes = [_lee(opponent[..., c], weight, _SIDES[c], float(levels[c]), np.float32(keep)) for c in range(3)]
    clean: Floats = np.clip(np.stack(planes, axis=-1) @ _BACK.T, 0, 255)
    return clean


def _lee(plane: Floats, weight: Floats, side: int, noise: float, keep: np.float32) -> Floats:
    """One plane; `noise` is a variance."""
    share = np.float32(1) / np.maximum(cv2.blur(weight, (side, side)), np.float32(1e-6))

    def near(values: Floats) -> Floats:
        mean: Floats = cv2.blur(values * weight, (side, side)) * share
        return mean

    mean = near(plane)
    variance = np.maximum(near(plane * plane) - mean * mean, np.float32(1e-6))
    signal = (np.maximum(variance - np.float32(noise), 0) / variance).astype(np.float32, copy=False)
    # Means of the coefficients, as in a guided filter: no blocks where the window leaves an edge.
    gain, base = near(signal), near((np.float32(1) - signal) * mean)
    clean: Floats = gain * plane + base
    return clean + keep * (plane - clean)
