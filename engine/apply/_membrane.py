"""A smooth sheet through known values: what a hole's light most likely was."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["membrane"]

Floats = NDArray[np.float32]


def membrane(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Spread known values over the rest, smoothly and without overshoot.

    Pull-push over a pyramid (Gortler et al., "The Lumigraph", SIGGRAPH 1996, 3.3): each coarser level is the weighted
    mean of what is known, each finer one takes from it what it does not know itself. O(pixels).

    Args:
        values: (h, w, c) float32; only the known ones are read.
        known: (h, w) bool, at least one.

    Returns:
        (h, w, c) float32: `values` where known.
    """
    height, width = known.shape
    weight = known.astype(np.float32)[..., None]
    value = np.where(known[..., None], values, np.float32(0))
    if known.all() or min(height, width) <= 1:
        mean = value.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-9)
        whole: Floats = np.where(known[..., None], values, mean).astype(np.float32)
        return whole
    size = ((width + 1) // 2, (height + 1) // 2)
    small_weight = _halved(weight, size)
    small = _halved(value, size) / np.maximum(small_weight, np.float32(1e-9))
    coarse = membrane(small.astype(np.float32, copy=False), small_weight[..., 0] > 1e-6)
    spread = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return np.where(known[..., None], values, spread)


def _halved(values: Floats, size: tuple[int, int]) -> Floats:
    """Mean of 2 x 2 blocks; an odd row or column counts alone."""
    padded = np.pad(values, ((0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)), mode="edge")
    mean: Floats = padded.reshape(size[1], 2, size[0], 2, -1).mean(axis=(1, 3), dtype=np.float32)
    return mean
