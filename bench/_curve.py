"""The cameras of the truth set: how light becomes bytes, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["developed", "light_of"]

Light = NDArray[np.float32]


def developed(light: Light, curve: str) -> NDArray[np.uint8]:
    """sRGB bytes of light (..., 3), balanced and exposed: "srgb" is plain and clips at 1, "film" bends it first.

    "film" is Narkowicz 2015, "ACES filmic tone mapping curve", at a softer gain: deeper blacks, a long shoulder.
    """
    value = np.maximum(light, 0)
    if curve == "film":
        a = 0.62 * value
        value = a * (2.51 * a + 0.03) / (a * (2.43 * a + 0.59) + 0.14)
    value = np.clip(value, 0, 1)
    level = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.rint(level * 255).astype(np.uint8)


def light_of(rgb: NDArray[np.uint8], curve: str) -> Light:
    """The light (..., 3) that a camera made these bytes of; at 255 at least that much."""
    level = rgb.astype(np.float64) / 255
    value = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    if curve == "film":
        # the positive root of the curve as a quadratic in a
        square, linear, constant = 2.51 - 2.43 * value, 0.03 - 0.59 * value, -0.14 * value
        value = (np.sqrt(linear**2 - 4 * square * constant) - linear) / (2 * square) / 0.62
    return value.astype(np.float32)
