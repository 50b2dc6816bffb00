"""What no rule may touch: the union of all protected masks, subtracted last and exactly."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from engine.types import Mask

__all__ = ["protected_mask", "without"]


def protected_mask(size: tuple[int, int], masks: Iterable[Mask]) -> Mask:
    """(H, W) uint8, 0/255: union of the masks, each taken (and dropped) in turn; empty for none."""
    union: Mask = np.zeros(size, np.uint8)
    for mask in masks:
        cv2.bitwise_or(union, mask, dst=union)
    return union


def without(values: Mask, protected: Mask) -> Mask:
    """`values` (a mask or an 8-bit matte), 0 wherever `protected` is set."""
    left: Mask = cv2.subtract(values, protected)  # nothing is more than 255
    return left
