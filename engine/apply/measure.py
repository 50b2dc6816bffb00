"""The colour that a region shows: its median pixel's."""

from __future__ import annotations

import numpy as np

from engine.apply._seen import seen_of
from engine.matte import Matte
from engine.types import Mask, Rgb

__all__ = ["measured_colour"]


def measured_colour(rgb: Rgb, region: Mask, matte: Matte) -> tuple[int, int, int] | None:
    """The colour that a recolour of another photo is to take, so that its region looks like this one. Deterministic.

    It is the lower median of each channel over the pixels that a recolour would be fitted to (`Seen.core`): opaque and
    not blown out.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        region: (H, W) uint8, 0/255: the concept's mask without protected pixels.
        matte: (H, W) uint8: the region's share of every pixel; where it is 0 another layer has the pixel.

    Returns:
        sRGB, 0..255 each, or None where nothing of the region is left.
    """
    seen = seen_of(rgb, region, matte)
    if seen is None:
        return None
    red, green, blue = (int(level) for level in np.quantile(seen.colours[seen.core], 0.5, axis=0, method="lower"))
    return red, green, blue
