"""Composition: a paint goes onto the photo through a matte, and nothing else changes.

At a soft edge the pixel C is a mixture of the thing F and what lies behind it, in linear light:
C = alpha F + (1 - alpha) B. Painting the thing gives C + alpha (paint(F) - F), so F must be known: painting C itself
would leave a rim of the old colour. F is estimated by one blur-fusion step (Forte, "Approximate Fast Foreground Colour
Estimation", ICIP 2021, eqs. 4-7).

What a layer adds is a difference, so neighbouring layers whose mattes share a pixel add up without a seam, in any
order.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._threads import spread
from engine._tiles import TILE_SIDE, Tile, Window, tiles
from engine.apply._paint import Paint
from engine.apply._region import Region
from engine.colour import Linear, to_bytes, to_linear
from engine.matte import Matte
from engine.types import Rgb

__all__ = ["composite"]


def composite(out: Rgb, region: Region, paint: Paint) -> None:
    """Paint `out` in place where the region's matte is set; every other byte of `out` stays.

    Args:
        out: (H, W, 3) uint8, the picture so far; colours are always computed from the region's photo.
        region: where; foregrounds are estimated from as far as its soft edge goes.
        paint: what happens to the colours.
    """
    rgb, matte = region.rgb, region.matte
    out = out[region.window]

    def lay(tile: Tile) -> None:
        here, place = matte[tile.window], out[tile.window]
        outer, inner = tile.grown(paint.reach)
        full = here == 255
        if full.any():
            painted = paint.opaque(rgb[outer], outer)[inner]
            if full.all():
                place[:] = painted
            else:
                cv2.copyTo(painted, full.view(np.uint8), place)
        edge = (here > 0) & (here < 255)
        part = tile.around(edge)
        if part is not None:
            _lay_edge(out, region, paint, part)

    spread(lay, tiles(matte.shape, min(TILE_SIDE, 32 * region.radius)))


def _lay_edge(out: Rgb, region: Region, paint: Paint, tile: Tile) -> None:
    """Paint the soft pixels of a tile."""
    outer, inner = tile.grown(region.radius)
    here = region.matte[tile.window]
    edge = (here > 0) & (here < 255)
    front = _foreground(to_linear(region.rgb[outer]), region.matte[outer], inner, edge, region.radius)
    share = here[edge].astype(np.float32)[:, None] / 255
    before = to_linear(out[tile.window][edge])
    painted = paint.linear(front, tile.sites(edge))
    out[tile.window][edge] = to_bytes(before + share * (painted - front))


def _foreground(linear: Linear, matte: Matte, core: Window, edge: NDArray[np.bool_], radius: int) -> Linear:
    """(N, 3) foreground colours of the `edge` pixels of `core`."""
    window = (2 * radius + 1, 2 * radius + 1)
    alpha: NDArray[np.float32] = matte.astype(np.float32) / np.float32(255)
    light = cv2.split(linear)

    def near(share: NDArray[np.float32]) -> Linear:
        weight = _pure(share) + np.float32(1e-4) * share
        total = np.maximum(cv2.blur(weight, window)[core][edge], np.float32(1e-9))
        return np.stack([cv2.blur(channel * weight, window)[core][edge] / total for channel in light], axis=-1)

    front, back = near(alpha), near(np.float32(1) - alpha)
    share = alpha[core][edge][:, None]
    rest = linear[core][edge] - share * front - (1 - share) * back
    estimate: Linear = np.clip(front + share * rest, 0, 1)
    return estimate


def _pure(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """share ** 24. High powers: one mixed pixel of a dark thing before white holds more of the white than of the
    thing."""
    eighth = np.square(np.square(np.square(share)))
    return eighth * np.square(eighth)
