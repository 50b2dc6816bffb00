"""Noise taken out of what is about to be amplified.

Where a dark surface becomes a light one, one step of noise becomes ten. A Wiener filter with local statistics (Lee,
"Digital Image Enhancement and Noise Filtering by Use of Local Statistics", PAMI 2(2), 1980) keeps what varies more than
the noise does and draws the rest to its neighbourhood's mean: brightness over 5 px, hue, to which eyes are less sharp,
over 9.

The filter goes down the rows once. Sums over the rows of a window go along, in whole numbers: they are exact, so that a
pixel's result does not depend on where the part around it was cut out.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._kernel import inlined, kernel
from engine.apply._noise import OPPONENT
from engine.types import Mask, Rgb

__all__ = ["REACH", "SUBSTEPS", "denoised"]

REACH: Final = 8
"""Pixels around a pixel that its result depends on."""
SUBSTEPS: Final = 16
"""Values between two bytes that a filtered pixel can have."""

Float = np.float32
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Plane = NDArray[np.uint8]

_MARGIN: Final = 1.3**2  # local variance of pure noise scatters about its mean

_NEAR, _WIDE = 2, 4  # half of the window of the first opponent plane, and of the others
_RING: Final = 16  # rows that are remembered; windows of windows look back 13
_GAIN, _BASE = Float(2**20), Float(2**10)  # whole numbers to one
_ZERO, _HALF, _ONE, _THIRD, _TOP = Float(0), Float(0.5), Float(1), Float(1 / 3), Float(255)
_LEAST: Final = Float(1e-5)
_STEPS: Final = Float(SUBSTEPS)


def denoised(rgb: Rgb, within: Mask, noise: NDArray[np.float64], keep: float) -> NDArray[np.uint16]:
    """(h, w, 3) sRGB values less their noise, 0..255 in steps of 1 / `SUBSTEPS`.

    Args:
        rgb: (h, w, 3) uint8.
        within: (h, w) uint8: pixels whose neighbourhood counts; means are over these alone.
        noise: (3,) variances, as of `noise_level`.
        keep: share of the noise that stays, 0..1: grain that vanishes is noticed too.
    """
    red, green, blue = cv2.split(rgb)  # each in one piece: compiled for that alone, and read several times as fast
    return _filter(red, green, blue, within.copy(), (noise * _MARGIN).astype(np.float32), np.float32(keep))


@kernel
def _filter(red: Plane, green: Plane, blue: Plane, within: Mask, levels: Floats, keep: Float) -> NDArray[np.uint16]:
    """`levels`: (3,) variance of the noise in each opponent plane."""
    height, width = within.shape
    padded = width + 2 * _WIDE
    # The last row of a ring stays 0: it stands for all beyond the photo's border.
    weights = np.zeros((_RING + 1, padded), np.int16)
    # Of each plane the pixels, the same without those outside of the region, and the coefficients that the pixels
    # are to be multiplied with and raised by.
    values = np.zeros((3, _RING, padded), np.int16)
    pixels = np.zeros((3, _RING + 1, padded), np.int16)
    gains = np.zeros((3, _RING + 1, padded), np.int32)
    bases = np.zeros((3, _RING + 1, padded), np.int32)
    # Sums over the rows of a window, then over all of it.
    few = np.zeros((5, padded), np.int16)
    down = np.zeros((9, padded), np.int32)
    whole = np.zeros((2, width), np.int32)
    shares = np.zeros((2, _RING, width), np.float32)
    clean = np.zeros((3, width), np.float32)
    out = np.empty((height, width, 3), np.uint16)
    for y in range(height + 2 * _WIDE):
        if y < height:
            at = y % _RING
            _weigh(weights[at], within[y])
            for c in range(3):
                _opponent(values[c, at], red[y], green[y], blue[y], c)
                _mask(pixels[c, at], values[c, at], weights[at])
        # Coefficients of a row are known when the row that is half a window ahead is, and means of them once more so.
        row, last = y - _WIDE, y - 2 * _WIDE
        _slide(few[3], weights, row, _NEAR, height)
        _slide(few[4], weights, row, _WIDE, height)
        for c in range(3):
            _slide_squares(few[c], down[c], pixels[c], row, _NEAR if c == 0 else _WIDE, height)
        if 0 <= row < height:
            at = row % _RING
            _across(whole[0], few[3], _NEAR)
            _across(whole[1], few[4], _WIDE)
            _inverse(shares[0, at], whole[0])
            _inverse(shares[1, at], whole[1])
            for c in range(3):
                if c == 0:
                    _across(whole[0], few[0], _NEAR)
                    _across(whole[1], down[0], _NEAR)
                else:
                    _across(whole[0], few[c], _WIDE)
                    _across(whole[1], down[c], _WIDE)
                _coefficients(whole, shares[min(c, 1), at], weights[at], levels[c], gains[c, at], bases[c, at])
        for c in range(3):
            half = _NEAR if c == 0 else _WIDE
            _slide(down[3 + c], gains[c], last, half, height)
            _slide(down[6 + c], bases[c], last, half, height)
        if last >= 0:
            at = last % _RING
            for c in range(3):
                if c == 0:
                    _across(whole[0], down[3], _NEAR)
                    _across(whole[1], down[6], _NEAR)
                else:
                    _across(whole[0], down[3 + c], _WIDE)
                    _across(whole[1], down[6 + c], _WIDE)
                _apply(clean[c], values[c, at], whole, shares[min(c, 1), at], keep)
            _mix(out[last], clean)
    return out


@inlined
def _weigh(weights: Shorts, within: Mask) -> None:
    """1 within the region, 0 outside."""
    for x in range(len(within)):
        weights[x + _WIDE] = np.int16(1) if within[x] > 0 else np.int16(0)


@inlined
def _opponent(values: Shorts, red: Plane, green: Plane, blue: Plane, plane: int) -> None:
    """One row of one opponent plane."""
    r, g, b = OPPONENT[plane, 0], OPPONENT[plane, 1], OPPONENT[plane, 2]
    for x in range(len(red)):
        values[x + _WIDE] = r * np.int16(red[x]) + g * np.int16(green[x]) + b * np.int16(blue[x])


@inlined
def _mask(pixels: Shorts, values: Shorts, weights: Shorts) -> None:
    """The region's own."""
    for x in range(len(pixels)):
        pixels[x] = values[x] * weights[x]


@inlined
def _places(row: int, half: int, height: int) -> tuple[int, int]:
    """Where in a ring the row lies that comes into the window around `row`, and the one that leaves it."""
    enters, leaves = row + half, row - half - 1
    return (enters % _RING if 0 <= enters < height else _RING), (leaves % _RING if 0 <= leaves < height else _RING)


@inlined
def _slide(sums: Ints | Shorts, ring: Ints | Shorts, row: int, half: int, height: int) -> None:
    """Move the sums over the rows around `row` - 1 on to those around `row`."""
    enters, leaves = _places(row, half, height)
    new, old = ring[enters], ring[leaves]
    for x in range(len(sums)):
        sums[x] += new[x] - old[x]


@inlined
def _slide_squares(sums: Shorts, squares: Ints, ring: Shorts, row: int, half: int, height: int) -> None:
    """The same for sums and sums of squares at once."""
    enters, leaves = _places(row, half, height)
    new, old = ring[enters], ring[leaves]
    for x in range(len(sums)):
        one, other = np.int32(new[x]), np.int32(old[x])
        sums[x] += new[x] - old[x]
        squares[x] += one * one - other * other


@inlined
def _across(whole: Ints, sums: Ints | Shorts, half: int) -> None:
    """Sums over the columns of the window, of sums over its rows."""
    for x in range(len(whole)):
        total = np.int32(0)
        for k in range(-half, half + 1):
            total += np.int32(sums[x + _WIDE + k])
        whole[x] = total


@inlined
def _inverse(shares: Floats, counts: Ints) -> None:
    """One pixel's share of a mean."""
    for x in range(len(shares)):
        shares[x] = _ONE / Float(max(counts[x], np.int32(1)))


@inlined
def _coefficients(whole: Ints, shares: Floats, weights: Shorts, noise: Float, gains: Ints, bases: Ints) -> None:
    for x in range(len(shares)):
        mean = Float(whole[0, x]) * shares[x]
        variance = Float(whole[1, x]) * shares[x] - mean * mean
        variance = variance if variance > _LEAST else _LEAST
        signal = variance - noise
        signal = (signal if signal > _ZERO else _ZERO) / variance
        gains[x + _WIDE] = np.int32(signal * _GAIN) * weights[x + _WIDE]
        bases[x + _WIDE] = np.int32((_ONE - signal) * mean * _BASE) * weights[x + _WIDE]


@inlined
def _apply(clean: Floats, values: Shorts, whole: Ints, shares: Floats, keep: Float) -> None:
    """Means of the coefficients, as in a guided filter: no blocks where the window leaves an edge."""
    for x in range(len(shares)):
        value = Float(values[x + _WIDE])
        calm = (Float(whole[0, x]) * (_ONE / _GAIN) * value + Float(whole[1, x]) * (_ONE / _BASE)) * shares[x]
        clean[x] = calm + keep * (value - calm)


@inlined
def _mix(out: NDArray[np.uint16], clean: Floats) -> None:
    """One row of the opponent planes back into red, green and blue."""
    for x in range(len(out)):
        green = (clean[0, x] + clean[2, x]) * _THIRD
        rest = clean[0, x] - green
        out[x, 0] = _entry((rest + clean[1, x]) * _HALF)
        out[x, 1] = _entry(green)
        out[x, 2] = _entry((rest - clean[1, x]) * _HALF)


@inlined
def _entry(value: Float) -> np.uint16:
    value = value if value > _ZERO else _ZERO
    value = value if value < _TOP else _TOP
    return np.uint16(np.int32(value * _STEPS + _HALF))
