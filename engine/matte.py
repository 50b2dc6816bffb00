"""Soft mattes: how much of each pixel belongs to the concept.

A mask says yes or no; at the edge of a thing the camera mixed both sides into one pixel. Within a narrow band around
the mask's edge the share is read from the photo: in linear light the pixel lies on the line from the background's local
colour B to the thing's local colour F (Smith & Blinn, "Blue Screen Matting", 1996, with F and B estimated from the
certain pixels near by), so alpha = (C - B)·(F - B) / |F - B|². Where F and B are too much alike to tell, or vary too
much themselves, distance to the edge decides.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import Window, tiles
from engine.colour import Linear, to_linear
from engine.types import Mask, Rgb

__all__ = ["Matte", "reach", "soft_matte"]

Matte = NDArray[np.uint8]
"""(H, W) uint8: 255 = wholly the concept's, 0 = not at all."""

_ALIKE: Final = np.float32(0.002)  # |F - B|² in linear light at which colour and distance weigh the same
_MAX_NOISE: Final = np.float32(0.1**2)
_TINY: Final = np.float32(1e-9)
_SPREAD: Final = np.float32(8)  # weight of each side's own variance, on top of that


def reach(size: tuple[int, int]) -> int:
    """Pixels a matte may reach beyond its mask: 0.4 % of the longer side, at least 2."""
    return max(2, int(0.004 * max(size)))


def soft_matte(rgb: Rgb, mask: Mask, protected: Mask | None = None, *, radius: int | None = None) -> Matte:
    """Matte of a binary mask against its photo.

    255 deep inside the mask and 0 further than `radius` px (Euclidean) from it; 0 wherever `protected` is set.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        mask: (H, W) uint8, 0/255, the concept's own pixels, protected ones taken out already.
        protected: (H, W) uint8, 0/255.
        radius: how far the matte may reach; None: the `reach` of the mask's own size. A part of a photo that is cut
            out needs the whole photo's.
    """
    matte: Matte = mask.copy()
    radius = reach(mask.shape) if radius is None else radius
    for tile in tiles(mask.shape):
        near = mask[tile.grown(radius)[0]]
        if near.any() and not near.all():
            outer, inner = tile.grown(3 * radius + 1)
            matte[tile.window] = _soften(rgb[outer], mask[outer], radius, inner)
    if protected is not None:
        matte[protected > 0] = 0
    return matte


def _soften(rgb: Rgb, mask: Mask, radius: int, core: Window) -> Matte:
    """The matte of the `core` of a tile that carries a margin all around."""
    result: Matte = mask[core].copy()
    outside = cv2.distanceTransform(255 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Signed distance to the edge line, which runs half a pixel from the nearest pixel centre on either side.
    signed = np.where(mask > 0, inside - 0.5, 0.5 - outside)[core]
    band = (outside[core] <= radius) & (signed <= radius)
    if not band.any():
        return result
    linear = to_linear(rgb)
    certain = min(radius, 4)
    front, front_spread = _local_colour(linear, inside > certain, inside > 0, radius, core, band)
    back, back_spread = _local_colour(linear, outside > certain, outside > 0, radius, core, band)
    line = front - back
    length = np.einsum("ij,ij->i", line, line)
    along = np.einsum("ij,ij->i", linear[core][band] - back, line)
    ramp = cv2.GaussianBlur(mask, (0, 0), radius / 2)[core][band].astype(np.float32) / 255
    doubt = _ALIKE + _SPREAD * (front_spread + back_spread)
    alpha = (along + doubt * ramp) / (length + doubt)
    # What a side's own noise would look like is no share of the other side.
    none, whole = (np.sqrt(np.minimum(spread / (length + _TINY), _MAX_NOISE)) for spread in (back_spread, front_spread))
    alpha = (alpha - none) / (1 - none - whole)
    # Colour may decide everything at the edge and nothing at the band's ends: no texture is cut out of the inside.
    distance = signed[band]
    low = np.clip((distance - 0.5) / (0.5 * radius), 0, 1)
    high = np.clip((distance + radius + 0.5) / radius, 0, 1)
    result[band] = np.rint(np.clip(alpha, low, high) * 255).astype(np.uint8)
    return result


def _local_colour(
    linear: Linear,
    certain: NDArray[np.bool_],
    side: NDArray[np.bool_],
    radius: int,
    core: Window,
    band: NDArray[np.bool_],
) -> tuple[Linear, NDArray[np.float32]]:
    """(N, 3) mean colour and (N,) variance of one side near each pixel of the band.

    Of its certain pixels; where none is near (thin parts), of the whole side. Where the side is not near at all the
    variance is infinite for all that matters: colour says nothing there.
    """
    window = (4 * radius + 1, 4 * radius + 1)
    weight = certain.astype(np.float32) + np.float32(1e-3) * side
    total = cv2.blur(weight, window)[core][band]
    share = 1 / np.maximum(total, np.float32(1e-9))
    mean = cv2.blur(linear * weight[..., None], window)[core][band] * share[:, None]
    square = cv2.blur(np.einsum("ijk,ijk->ij", linear, linear) * weight, window)[core][band] * share
    spread = np.maximum(square - np.einsum("ij,ij->i", mean, mean), 0)
    return mean, np.where(total > 1e-7, spread, np.float32(1e3)).astype(np.float32)
