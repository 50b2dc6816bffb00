"""Soft mattes: how much of each pixel belongs to the concept.

A mask says yes or no; at the edge of a thing the camera mixed both sides into one pixel. Within a narrow band around
the mask's edge the share is read from the photo: in linear light the pixel lies on the line from the background's local
colour B to the thing's local colour F (Smith & Blinn, "Blue Screen Matting", 1996, with F and B estimated from the
purest pixels near by), so alpha = (C - B)·(F - B) / |F - B|². Where F and B are too much alike to tell, or vary too
much themselves, distance to the edge decides.

What counts as pure: a pixel deep within its side, and one that is unlike the other side. The second is all there is to
go by on strokes of print and on twigs that are nowhere wider than a mixed pixel or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._threads import spread
from engine._tiles import TILE_SIDE, Tile, Window, tiles
from engine.colour import to_linear
from engine.protect import without
from engine.types import Mask, Rgb

__all__ = ["Matte", "reach", "soft_matte"]

Matte = NDArray[np.uint8]
"""(H, W) uint8: 255 = wholly the concept's, 0 = not at all."""
Floats = NDArray[np.float32]

_ALIKE: Final = np.float32(0.002)  # |F - B|² in linear light at which colour and distance weigh the same
_SPREAD: Final = np.float32(16)  # weight of each side's own variance, on top of that
_MAX_NOISE: Final = np.float32(0.1**2)
_DEEP: Final = 5  # px from the edge at which a pixel is as pure as any
_SQUARE: Final = np.ones((3, 3), np.uint8)
_TINY: Final = np.float32(1e-13)  # a side with less weight than this in the window is not near


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

    def soften(tile: Tile) -> None:
        near = mask[tile.grown(radius + 1)[0]]
        if not near.any() or near.all():
            return
        part = tile.around(cv2.morphologyEx(near, cv2.MORPH_GRADIENT, _SQUARE), radius + 1)
        if part is not None:
            outer, inner = part.grown(3 * radius + 1)
            matte[part.window] = _soften(rgb[outer], mask[outer], radius, inner)

    spread(soften, tiles(mask.shape, min(TILE_SIDE, 24 * radius)))  # small photos: as little memory, measured by them
    return matte if protected is None else without(matte, protected)


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
    # Channel by channel, each in one piece: several times as fast.
    light = cv2.split(to_linear(rgb))
    front, back = _sides(light, inside, outside, radius)
    (front_colour, front_spread), (back_colour, back_spread) = (
        _colour_and_spread(light, weight, radius, core, band) for weight in (front, back)
    )
    line = front_colour - back_colour
    length = _square(line)
    along = ((np.stack([channel[core][band] for channel in light]) - back_colour) * line).sum(axis=0)
    # A lens spreads an edge over a pixel or two, a little more where pixels are small.
    ramp = cv2.GaussianBlur(mask, (0, 0), 0.5 + 0.07 * radius)[core][band].astype(np.float32) / 255
    doubt = _ALIKE + _SPREAD * (front_spread + back_spread)
    alpha = (along + doubt * ramp) / (length + doubt)
    # What a side's own noise would look like is no share of the other side.
    none, whole = (
        np.sqrt(np.minimum(spread / (length + _ALIKE), _MAX_NOISE)) for spread in (back_spread, front_spread)
    )
    alpha = (alpha - none) / (1 - none - whole)
    # Colour may decide everything at the edge and nothing at the band's ends: no texture is cut out of the inside.
    distance = signed[band]
    low = np.clip((distance - 0.5) / (0.5 * radius), 0, 1)
    high = np.clip((distance + radius + 0.5) / radius, 0, 1)
    result[band] = np.rint(np.clip(alpha, low, high) * 255).astype(np.uint8)
    return result


def _sides(light: Sequence[Floats], inside: Floats, outside: Floats, radius: int) -> tuple[Floats, Floats]:
    """How much each pixel tells of the thing's own colour, and of what lies behind: (h, w) each.

    `light` has the channels, (h, w) each; `inside` and `outside` are the distances to the other side, 0 where a pixel
    is not of that side.
    """
    deep = min(radius + 1, _DEEP)
    front, back = (
        np.square(np.square(np.minimum(depth / np.float32(deep), np.float32(1)))) for depth in (inside, outside)
    )
    front_colour, back_colour = (_means(light, weight, radius) for weight in (front, back))
    gap = _square(_between(front_colour, back_colour)) + _ALIKE
    # The share of a mixed pixel, squared, as far as these colours are pure; 1 where the other side is not near.
    front_purity = (_square(_between(light, back_colour)) + _ALIKE) / gap
    back_purity = (_square(_between(light, front_colour)) + _ALIKE) / gap
    return front * np.nan_to_num(front_purity, nan=1) ** 2, back * np.nan_to_num(back_purity, nan=1) ** 2


def _colour_and_spread(
    light: Sequence[Floats], weight: Floats, radius: int, core: Window, band: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """(3, N) mean colour and (N,) variance of one side near each pixel of the band.

    Where the side is not near at all the variance is infinite for all that matters: colour says nothing there.
    """
    means = _means([*light, _square(light)], weight, radius)
    *colour, square = (mean[core][band] for mean in means)
    spread = np.maximum(square - _square(colour), 0)
    far = np.isnan(spread)
    return np.where(far, 0, np.stack(colour)), np.where(far, np.float32(1e3), spread)


def _means(values: Sequence[Floats], weight: Floats, radius: int) -> list[Floats]:
    """The weighted means of (h, w) values over a window of `radius`; NaN where there is no weight."""
    window = (2 * radius + 1, 2 * radius + 1)
    total = cv2.blur(weight, window)
    total[total < _TINY] = np.nan
    return [cv2.blur(value * weight, window) / total for value in values]


def _between(one: Sequence[Floats], other: Sequence[Floats]) -> list[Floats]:
    return [a - b for a, b in zip(one, other, strict=True)]


def _square(colour: Sequence[Floats] | Floats) -> Floats:
    """Squared length, of channels."""
    red, green, blue = colour
    return red * red + green * green + blue * blue
