"""Photos read and written by OpenCV, as fast as it can: what the engine's files are measured against."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

__all__ = ["read", "write"]

_FASTEST: Final = (
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG,
)  # fmt: skip
"""Of all settings that do not make the files of bench/_photos.py larger."""


def read(data: bytes) -> np.ndarray:
    """(H, W, 3) BGR of a JPEG file."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def write(bgr: np.ndarray) -> bytes:
    """The PNG file of (H, W, 3) BGR."""
    return cv2.imencode(".png", bgr, _FASTEST)[1].tobytes()
