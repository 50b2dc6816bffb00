"""Sensor noise taken out of what is about to be amplified.

Where a dark surface becomes a light one, one step of noise becomes ten. A Wiener filter with local statistics (Lee,
"Digital Image Enhancement and Noise Filtering by Use of Local Statistics", PAMI 2(2), 1980) keeps what varies more than
the noise does and draws the rest to its neighbourhood's mean: brightness over 5 px, hue, to which eyes are less sharp,
over 9.

The filter goes down the rows once. Sums over the rows of a window go along, in whole numbers: they are exact, so that a
pixel's result does not depend on where the part around it was cut out.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine._kernel import inlined, kernel
from engine._tiles import Sites
from engine.apply._seen import around
from engine.types import Mask, Rgb

__all__ = ["REACH", "SUBSTEPS", "denoised", "noise_level"]

REACH: Final = 8
"""Pixels around a pixel that its result depends on."""
SUBSTEPS: Final = 16
"""Values between two bytes that a filtered pixel can have."""

Float = np.float32
Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_OPPONENT: Final = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]])
_MARGIN: Final = 1.3**2  # local variance of pure noise scatters about its mean
_LAPLACE: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.int32)
_QUIETEST: Final = 0.3  # steps; rounding alone makes as much noise

_NEAR, _WIDE = 2, 4  # half of the window of the first opponent plane, and of the others
_RING: Final = 16  # rows that are remembered; windows of windows look back 13
_GAIN, _BASE = Float(2**20), Float(2**10)  # whole numbers to one
_ZERO, _HALF, _ONE, _THIRD, _TOP = Float(0), Float(0.5), Float(1), Float(1 / 3), Float(255)
_LEAST: Final = Float(1e-5)
_STEPS: Final = Float(SUBSTEPS)


def noise_level(rgb: Rgb, region: Mask, at: Sites) -> tuple[float, float, float]:
    """Standard deviation of each channel's noise over a region, sRGB steps, from its pixels `at`.

    Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996, with a median for
    his mean: edges do not count.
    """
    rows, columns = at
    inner = np.ones(len(rows), np.bool_)
    for down, right in ((-2, -2), (-2, 2), (2, -2), (2, 2)):
        inner &= region[np.clip(rows + down, 0, len(region) - 1), np.clip(columns + right, 0, region.shape[1] - 1)] > 0
    within = inner if inner.any() else ~inner
    answer = np.abs(around(rgb, (rows[within], columns[within]), _LAPLACE))
    red, green, blue = (max(_QUIETEST, float(level)) for level in np.median(answer, axis=0) / (6 * 0.6745))
    return red, green, blue


def denoised(rgb: Rgb, within: Mask, noise: tuple[float, float, float], keep: float) -> NDArray[np.uint16]:
    """(h, w, 3) sRGB values less their noise, 0..255 in steps of 1 / `SUBSTEPS`.

    Args:
        rgb: (h, w, 3) uint8.
        within: (h, w) uint8: pixels whose neighbourhood counts; means are over these alone.
        noise: standard deviations as of `noise_level`.
        keep: share of the noise that stays, 0..1: grain that vanishes is noticed too.
    """
    levels = (np.square(_OPPONENT) @ np.square(np.array(noise)) * _MARGIN).astype(np.float32)
    return _filter(rgb.copy(), within.copy(), levels, np.float32(keep))  # in one piece: compiled for that alone


@kernel
def _filter(rgb: Rgb, within: Mask, levels: Floats, keep: Float) -> NDArray[np.uint16]:
    """`levels`: (3,) variance of the noise in each opponent plane."""
    height, width = within.shape
    padded = width + 2 * _WIDE
    weights = np.zeros((_RING, padded), np.int32)
    # Of each plane the pixels, and the coefficients that these are to be multiplied with and raised by.
    pixels = np.zeros((3, _RING, padded), np.int32)
    gains = np.zeros((3, _RING, padded), np.int32)
    bases = np.zeros((3, _RING, padded), np.int32)
    # Sums over the rows of a window, then over all of it.
    down = np.zeros((14, padded), np.int32)
    whole = np.zeros((3, width), np.int32)
    counts = np.zeros((2, _RING, width), np.int32)
    clean = np.zeros((3, width), np.float32)
    out = np.empty((height, width, 3), np.uint16)
    for y in range(height + 2 * _WIDE):
        if y < height:
            _read(rgb[y], within[y], pixels[:, y % _RING], weights[y % _RING])
        # Coefficients of a row are known when the row that is half a window ahead is, and means of them once more so.
        row, last = y - _WIDE, y - 2 * _WIDE
        _slide(down[12], weights, row, _NEAR, height)
        _slide(down[13], weights, row, _WIDE, height)
        for c in range(3):
            half = _NEAR if c == 0 else _WIDE
            _slide(down[c], pixels[c], row, half, height)
            _slide_squares(down[3 + c], pixels[c], row, half, height)
        if 0 <= row < height:
            at = row % _RING
            _across(counts[0, at], down[12], _NEAR)
            _across(counts[1, at], down[13], _WIDE)
            for c in range(3):
                if c == 0:
                    _across(whole[0], down[0], _NEAR)
                    _across(whole[1], down[3], _NEAR)
                else:
                    _across(whole[0], down[c], _WIDE)
                    _across(whole[1], down[3 + c], _WIDE)
                _coefficients(whole, counts[min(c, 1), at], weights[at], levels[c], gains[c, at], bases[c, at])
        for c in range(3):
            half = _NEAR if c == 0 else _WIDE
            _slide(down[6 + c], gains[c], last, half, height)
            _slide(down[9 + c], bases[c], last, half, height)
        if last >= 0:
            at = last % _RING
            for c in range(3):
                if c == 0:
                    _across(whole[0], down[6], _NEAR)
                    _across(whole[1], down[9], _NEAR)
                else:
                    _across(whole[0], down[6 + c], _WIDE)
                    _across(whole[1], down[9 + c], _WIDE)
                _plane(whole[2], rgb[last], c)
                _apply(clean[c], whole, counts[min(c, 1), at], keep)
            _mix(out[last], clean)
    return out


@inlined
def _read(rgb: Rgb, within: Mask, pixels: Ints, weights: Ints) -> None:
    """One row into the opponent planes and the weights, 0 outside of the region."""
    for x in range(len(within)):
        inside = np.int32(1) if within[x] > 0 else np.int32(0)
        red, green, blue = np.int32(rgb[x, 0]), np.int32(rgb[x, 1]), np.int32(rgb[x, 2])
        weights[x + _WIDE] = inside
        pixels[0, x + _WIDE] = (red + green + blue) * inside
        pixels[1, x + _WIDE] = (red - blue) * inside
        pixels[2, x + _WIDE] = (2 * green - red - blue) * inside


@inlined
def _plane(values: Ints, rgb: Rgb, plane: int) -> None:
    """One row of one opponent plane."""
    for x in range(len(values)):
        red, green, blue = np.int32(rgb[x, 0]), np.int32(rgb[x, 1]), np.int32(rgb[x, 2])
        if plane == 0:
            values[x] = red + green + blue
        elif plane == 1:
            values[x] = red - blue
        else:
            values[x] = 2 * green - red - blue


@inlined
def _slide(sums: Ints, ring: Ints, row: int, half: int, height: int) -> None:
    """Move the sums over the rows around `row` - 1 on to those around `row`."""
    enters, leaves = row + half, row - half - 1
    if 0 <= enters < height:
        sums += ring[enters % _RING]
    if 0 <= leaves < height:
        sums -= ring[leaves % _RING]


@inlined
def _slide_squares(sums: Ints, ring: Ints, row: int, half: int, height: int) -> None:
    enters, leaves = row + half, row - half - 1
    if 0 <= enters < height:
        new = ring[enters % _RING]
        for x in range(len(sums)):
            sums[x] += new[x] * new[x]
    if 0 <= leaves < height:
        old = ring[leaves % _RING]
        for x in range(len(sums)):
            sums[x] -= old[x] * old[x]


@inlined
def _across(whole: Ints, sums: Ints, half: int) -> None:
    """Sums over the columns of the window, of sums over its rows."""
    for x in range(len(whole)):
        total = np.int32(0)
        for k in range(-half, half + 1):
            total += sums[x + _WIDE + k]
        whole[x] = total


@inlined
def _coefficients(whole: Ints, counts: Ints, weights: Ints, noise: Float, gains: Ints, bases: Ints) -> None:
    for x in range(len(counts)):
        share = _ONE / Float(max(counts[x], np.int32(1)))
        mean = Float(whole[0, x]) * share
        variance = Float(whole[1, x]) * share - mean * mean
        variance = variance if variance > _LEAST else _LEAST
        signal = variance - noise
        signal = (signal if signal > _ZERO else _ZERO) / variance
        gains[x + _WIDE] = np.int32(signal * _GAIN) * weights[x + _WIDE]
        bases[x + _WIDE] = np.int32((_ONE - signal) * mean * _BASE) * weights[x + _WIDE]


@inlined
def _apply(clean: Floats, whole: Ints, counts: Ints, keep: Float) -> None:
    """Means of the coefficients, as in a guided filter: no blocks where the window leaves an edge."""
    for x in range(len(counts)):
        share = _ONE / Float(max(counts[x], np.int32(1)))
        value = Float(whole[2, x])
        calm = (Float(whole[0, x]) * (_ONE / _GAIN) * value + Float(whole[1, x]) * (_ONE / _BASE)) * share
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
