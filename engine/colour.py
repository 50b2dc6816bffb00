"""sRGB bytes to linear light and back, by table."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.types import Rgb

__all__ = ["LUMA", "TO_BYTE", "TO_LINEAR", "Linear", "linear_of", "srgb_of", "to_bytes", "to_linear"]

Linear = NDArray[np.float32]
"""Linear light, 0..1 where it can be shown; red first."""

LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear red, green and blue in luminance (Rec. 709)."""


def linear_of(srgb: ArrayLike) -> NDArray[np.float64]:
    """Linear light of encoded values, both 0..1 (IEC 61966-2-1)."""
    value = np.asarray(srgb, np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_of(linear: ArrayLike) -> NDArray[np.float64]:
    """Encoded values of linear light, both 0..1; out-of-range input is clipped (IEC 61966-2-1)."""
    value = np.clip(np.asarray(linear, np.float64), 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


TO_LINEAR: Final = linear_of(np.arange(256) / 255).astype(np.float32)
"""(256,) linear light of each byte."""
# 16 bits of linear light: the darkest sRGB step still spans 20 entries, so bytes survive the round trip exactly.
TO_BYTE: Final = np.rint(srgb_of(np.arange(65536) / 65535) * 255).astype(np.uint8)
"""(65536,) byte of each 65535th of linear light."""


def to_linear(rgb: Rgb) -> Linear:
    """Linear light, float32, of any array of sRGB bytes; same shape."""
    return TO_LINEAR[rgb] if rgb.ndim < 2 or rgb.size == 0 else cv2.LUT(rgb, TO_LINEAR)


def to_bytes(linear: Linear) -> Rgb:
    """sRGB bytes of linear light, clipped to 0..1 and rounded; same shape. Inverse of `to_linear`, exactly."""
    index = (np.clip(linear, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)
    return np.take(TO_BYTE, index)
