"""GrabCut on a smaller copy, with soft edges brought back to working resolution."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FloatMask

__all__ = ["MAYBE_BACK", "MAYBE_FRONT", "SURE_BACK", "SURE_FRONT", "grab_cut"]

SURE_BACK, SURE_FRONT = int(cv2.GC_BGD), int(cv2.GC_FGD)
MAYBE_BACK, MAYBE_FRONT = int(cv2.GC_PR_BGD), int(cv2.GC_PR_FGD)
_CUT_PIXELS = 110_000


def grab_cut(rgb: NDArray[np.uint8], marks: NDArray[np.uint8], rounds: int = 3) -> FloatMask:
    """Rother et al. 2004. rgb (h, w, 3); marks (h, w) of the four values above. Returns (h, w) probability, 0..1.

    Where the marks hold no front or no back, the marks themselves are the answer.
    """
    h, w = marks.shape
    front = (marks == SURE_FRONT) | (marks == MAYBE_FRONT)
    as_marked: FloatMask = front.astype(np.float32)
    if not front.any() or front.all():
        return as_marked
    scale = min(1.0, (_CUT_PIXELS / (h * w)) ** 0.5)
    small_size = (max(1, int(w * scale)), max(1, int(h * scale)))
    small = cv2.resize(rgb, small_size, interpolation=cv2.INTER_AREA)
    small_marks = cv2.resize(marks, small_size, interpolation=cv2.INTER_NEAREST)
    small_front = (small_marks == SURE_FRONT) | (small_marks == MAYBE_FRONT)
    if not small_front.any() or small_front.all():
        return as_marked
    cv2.setRNGSeed(7)
    back_model, front_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, small_marks, None, back_model, front_model, rounds, cv2.GC_INIT_WITH_MASK)
    cut = ((small_marks == SURE_FRONT) | (small_marks == MAYBE_FRONT)).astype(np.float32)
    wide: FloatMask = np.clip(cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR), 0, 1).astype(np.float32)
    return wide
