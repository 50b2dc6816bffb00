"""Which part of a rendering of the truth set differs from its base, and so is kept in its file."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["changed"]


def changed(labels: NDArray[np.uint8], which: str, names: Sequence[str], margin: int) -> NDArray[np.bool_]:
    """(H, W) the classes that the rendering `which` changes and `margin` px around them; everything of the base.

    Args:
        labels: (H, W) class of every pixel, as a place in `names`.
        which: "base", "SURFACE-PAINT", "texture" or "removed".
        names: the classes.
        margin: px.
    """
    if which == "base":
        return np.ones(labels.shape, bool)
    classes = {"texture": ("floor", "grout"), "removed": ("extra",)}.get(which, (which.split("-")[0],))
    here = np.isin(labels, [names.index(c) for c in classes]).astype(np.uint8)
    side = 2 * margin + 1
    return cv2.dilate(here, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
