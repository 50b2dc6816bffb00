"""Periodic noise: what repeats with its sheet shows no seam."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "Shape", "cells", "clouds"]

Field = NDArray[np.float32]
"""(h, w) float32."""
Shape = tuple[int, int]
"""(h, w) in pixels."""


def clouds(shape: Shape, blob: tuple[float, float], rng: np.random.Generator) -> Field:
    """Gaussian noise with blobs of about `blob` = (along, across) px; zero mean, unit variance, periodic."""
    height, width = shape
    spectrum = np.fft.rfft2(rng.standard_normal(shape, np.float32))
    down = np.exp(-0.5 * (np.pi * blob[0] / 2 * np.fft.fftfreq(height)) ** 2 * 4)
    right = np.exp(-0.5 * (np.pi * blob[1] / 2 * np.fft.rfftfreq(width)) ** 2 * 4)
    spectrum[0, 0] = 0
    smooth = np.fft.irfft2(spectrum * down[:, None] * right, shape)
    field: Field = (smooth / max(float(smooth.std()), 1e-9)).astype(np.float32)
    return field


def cells(shape: Shape, pitch: float, rng: np.random.Generator) -> tuple[NDArray[np.int32], Field]:
    """Cells around random points about `pitch` px apart, one a square of a grid; periodic (Worley 1996).

    Returns:
        (h, w) int32 number of the nearest point; (h, w) float32 distance of the second nearest less that of the
        nearest, in pitches: 0 on the borders.
    """
    height, width = shape
    rows, columns = max(3, round(height / pitch)), max(3, round(width / pitch))
    offset = rng.random((2, rows, columns), np.float32)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) * np.float32(rows / height)
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) * np.float32(columns / width)
    row, column = y.astype(np.int32)[:, None], x.astype(np.int32)[None]
    first = np.full(shape, np.inf, np.float32)
    second, which = first.copy(), np.zeros(shape, np.int32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = (row + dy) % rows, (column + dx) % columns
            away = np.hypot(row + dy + offset[0][r, c] - y[:, None], column + dx + offset[1][r, c] - x[None])
            nearer = away < first
            np.minimum(second, np.where(nearer, first, away), out=second)
            which = np.where(nearer, r * columns + c, which)
            np.minimum(first, away, out=first)
    return which.astype(np.int32), second - first
