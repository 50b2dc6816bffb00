"""Exact histograms of large images."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import strips
from engine.types import Mask

__all__ = ["counts"]


def counts(
    values: NDArray[np.uint8] | NDArray[np.uint16], size: int, *, channel: int = 0, within: Mask | None = None
) -> NDArray[np.int64]:
    """How often each of 0..size-1 occurs in a channel of an (H, W) or (H, W, C) image, where `within` is set."""
    total: NDArray[np.int64] = np.zeros(size, np.int64)
    # In strips, because OpenCV hands its counts out as float32, exact only to 2**24.
    for y0, y1 in strips(0, values.shape[0]):
        mask = None if within is None else within[y0:y1]
        part = cv2.calcHist([values[y0:y1]], [channel], mask, [size], [0, size])
        total += part.ravel().astype(np.int64)
    return total
