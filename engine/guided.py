"""Fast guided filter: a coarse map takes the edges of a photo."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FloatMask

__all__ = ["guided_coefficients"]


def guided_coefficients(guide: FloatMask, values: FloatMask, radius: int, eps: float) -> tuple[FloatMask, FloatMask]:
    """Coefficients (a, b) of the guided filter, so that `a * guide + b` is `values` with the guide's edges.

    He, Sun & Tang, "Guided Image Filtering" (2013), eqs. 5-8 with window means by box filter. Run on a subsampled guide
    and with a, b enlarged to full size it is He & Sun, "Fast Guided Filter" (2015).

    Args:
        guide: (h, w) float32, 0..1.
        values: (h, w) float32.
        radius: window is 2 * radius + 1 pixels of these arrays.
        eps: variance of the guide below which the window counts as flat.
    """
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(array: NDArray[np.floating]) -> FloatMask:
        averaged: FloatMask = cv2.blur(array.astype(np.float32, copy=False), window, borderType=cv2.BORDER_REFLECT)
        return averaged

    mean_guide, mean_values = mean(guide), mean(values)
    variance = mean(guide * guide) - mean_guide * mean_guide
    covariance = mean(guide * values) - mean_guide * mean_values
    a = covariance / (variance + np.float32(eps))
    b = mean_values - a * mean_guide
    return mean(a), mean(b)
