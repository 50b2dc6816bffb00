"""Watershed from markers, at the cost of what the markers leave open."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

__all__ = ["flood"]

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def flood(relief: NDArray[np.float32], markers: NDArray[np.int32]) -> NDArray[np.int32]:
    """The marker that each pixel belongs to, (h, w); all 0 where nothing is marked.

    A marked pixel with only such pixels beside it plays no part in a watershed: it is left out.

    Args:
        relief: (h, w) heights, flooded from the lowest up.
        markers: (h, w) 0 where open.
    """
    near = cv2.dilate((markers == 0).astype(np.uint8), _CROSS)
    x, y, width, height = cv2.boundingRect(near)
    settled = markers.copy()
    if width and markers.any():
        window = (slice(y, y + height), slice(x, x + width))
        part = near[window] > 0
        settled[window][part] = watershed(relief[window], markers[window], mask=part)[part]
    return settled
