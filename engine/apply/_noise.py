"""How much of what a region's pixels vary by is noise, of a sensor or of a JPEG's making, and not the surface's own.

*Sensor noise* is finest where it is strongest: means over 5 px have little of it left. What surfaces show (grain,
cloth, wear) is coarse as well as fine (Field, "Relations between the Statistics of Natural Images", JOSA A 4(12),
1987). So of the variance within windows of 5 px what their means vary by counts as the surface's, three times over.
Wood and cloth are like themselves some px away, along the grain or from stitch to stitch; noise is nowhere.

*A JPEG* rounds its blocks of 8 x 8 px one by one. What neighbours differ by where two blocks meet, beyond what they
do within a block, is twice the variance of that rounding. It is looked for in every place that the blocks may have: a
photo may have been turned or cut since.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine._kernel import inlined, kernel
from engine._tiles import Sites
from engine.types import Mask, Rgb

__all__ = ["OPPONENT", "noise_level"]

OPPONENT: Final = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]], np.int16)
"""Brightness and two planes of hue, of red, green and blue; orthogonal."""

_MOST: Final = 5_000
_NEAR, _BESIDE = 2, 5  # half of a window, and how far apart windows lie
_REACH: Final = _NEAR + _BESIDE
_SCALE_FREE: Final = 3.0  # times the variance of means: as much as that is surely the surface's, if it has any grain
_LOST: Final = 1.35**2  # noise softened by a camera has means too, and loses its share of variance by them
_LAGS: Final = np.array(  # from 3 to 10 px
    [(y, x) for y in range(11) for x in range(-10, 11) if (y > 0 or x > 0) and 9 <= y * y + x * x <= 100]
)
_MEDIAN: Final = 0.6745  # of the size of normal deviates of variance 1
_BLOCK: Final = 8
_PLAIN: Final = 1.2  # times what is usual, up to which a step tells of no blocks
_STEEPEST: Final = 12  # in the first plane; a steeper step is an edge
# How much of a JPEG's rounding counts, of brightness (it is bounded, and strays less than noise) and of hue, which is
# rounded more and kept at half the size (ITU T.81, annex K). Tuned on bench/truth.
_ROUNDED: Final = np.array([0.8, 2.0, 2.0]) ** 2
_QUIETEST, _LOUDEST = 0.3**2, 3.0**2  # variances; rounding alone has the one, and beyond the other there is a weave


def noise_level(rgb: Rgb, region: Mask, at: Sites) -> NDArray[np.float64]:
    """(3,) variance of the noise in each of the `OPPONENT` planes over a region, squared sRGB steps.

    Args:
        rgb: (H, W, 3) uint8.
        region: (H, W) uint8: pixels that are not 0 are looked at.
        at: N of these, around which they are.
    """
    own = np.square(OPPONENT.astype(np.float64)).sum(axis=1)  # variance, where that of each channel is 1
    thin = max(1, len(at[0]) // _MOST)
    rows, columns = at[0][::thin], at[1][::thin]
    inner = _inner(region, rows, columns)
    quietest: NDArray[np.float64] = own * _QUIETEST
    if not inner.any():
        return quietest
    rows, columns = rows[inner], columns[inner]
    sensor = _LOST * np.median(_fine(rgb, rows, columns, OPPONENT.astype(np.int32)), axis=0)
    sensor[0] = min(sensor[0], _unlike(_differences(rgb, region, rows, columns, _LAGS)))
    # A channel's error, alike in all of them, has nine times its variance in the first plane.
    blocks = _ROUNDED * _rounding(_steps(rgb, rows, columns)) * np.array([9, own[1], own[2]]) / 9
    noise: NDArray[np.float64] = np.maximum(np.minimum(np.maximum(sensor, blocks), 9 * _LOUDEST), quietest)
    return noise


def _unlike(differences: NDArray[np.int64]) -> float:
    """Variance of what is like itself at no lag; of `_differences`."""
    differences = differences[differences.any(axis=1)]
    below = np.cumsum(differences, axis=1)
    half = below[:, -1] / 2
    level = (below <= half[:, None]).sum(axis=1)
    lags = np.arange(len(level))
    median = level + 0.5 - (below[lags, level] - half) / differences[lags, level]
    return float((median.min() / _MEDIAN) ** 2 / 2)


def _rounding(squares: NDArray[np.float64]) -> float:
    """Variance of a JPEG's rounding in the first plane; of `_steps`."""
    most, usual = squares.max(axis=1), np.median(squares, axis=1)
    beyond = np.where(most > _PLAIN * usual, most - usual, 0)
    return float(beyond.min()) / 2  # both ways, or something of the surface's own repeats


@inlined
def _brightness(rgb: Rgb, y: int, x: int) -> Any:
    """A pixel's value in the first plane."""
    return np.int64(rgb[y, x, 0]) + np.int64(rgb[y, x, 1]) + np.int64(rgb[y, x, 2])


@inlined
def _sums(rgb: Rgb, y: int, x: int, plane: NDArray[np.int32]) -> tuple[int, int]:
    """Sum of an opponent plane over a window, and sum of its squares."""
    whole, squares = 0, 0
    for down in range(y - _NEAR, y + _NEAR + 1):
        for right in range(x - _NEAR, x + _NEAR + 1):
            value = plane[0] * rgb[down, right, 0] + plane[1] * rgb[down, right, 1] + plane[2] * rgb[down, right, 2]
            whole += value
            squares += value * value
    return whole, squares


@kernel
def _inner(region: Mask, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(N,) whether the cross of five windows around a pixel is wholly the region's."""
    height, width = region.shape
    inner = np.zeros(len(rows), np.bool_)
    for n in range(len(rows)):
        y, x = rows[n], columns[n]
        inner[n] = _REACH <= y < height - _REACH and _REACH <= x < width - _REACH
        if inner[n]:
            for k in range(-_REACH, _REACH + 1):
                for beside in range(-_NEAR, _NEAR + 1):
                    inner[n] &= region[y + k, x + beside] > 0 and region[y + beside, x + k] > 0
    return inner


@kernel
def _fine(
    rgb: Rgb, rows: NDArray[np.intp], columns: NDArray[np.intp], planes: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(N, 3) variance of each plane within a window, less the surface's own."""
    area = (2 * _NEAR + 1) ** 2
    fine = np.empty((len(rows), 3), np.float64)
    for n in range(len(rows)):
        y, x = rows[n], columns[n]
        for c in range(3):
            whole, squares = _sums(rgb, y, x, planes[c])
            left, right = _sums(rgb, y, x - _BESIDE, planes[c])[0], _sums(rgb, y, x + _BESIDE, planes[c])[0]
            above, below = _sums(rgb, y - _BESIDE, x, planes[c])[0], _sums(rgb, y + _BESIDE, x, planes[c])[0]
            variance = (squares - whole * whole / area) / (area - 1)
            # Second differences: light that falls off evenly does not count. They have six variances of one mean.
            means = ((left + right - 2 * whole) ** 2 + (above + below - 2 * whole) ** 2) / (12 * area * area)
            fine[n, c] = max(0.0, variance - _SCALE_FREE * means)
    return fine


@kernel
def _steps(rgb: Rgb, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """(2, 8) mean squares of a step in the first plane less the mean of the two beside it, across and down.

    By the step's place among eight; of every pixel's neighbourhood there are as many in each.
    """
    total = np.zeros((2, _BLOCK), np.int64)
    arm = np.empty(_BLOCK + 3, np.int64)
    for n in range(len(rows)):
        for beside in range(-_NEAR, _NEAR + 1, _NEAR):
            for way in range(2):
                y = rows[n] + beside if way == 0 else rows[n] - _NEAR - 3
                x = columns[n] - _NEAR - 3 if way == 0 else columns[n] + beside
                for k in range(len(arm)):
                    arm[k] = _brightness(rgb, y, x + k) if way == 0 else _brightness(rgb, y + k, x)
                first = x if way == 0 else y
                for k in range(_BLOCK):
                    twice = abs(3 * (arm[k + 2] - arm[k + 1]) + arm[k] - arm[k + 3])
                    total[way, (first + k + 2) % _BLOCK] += min(twice, 2 * _STEEPEST) ** 2
    return total / (4.0 * 3 * max(1, len(rows)))


@kernel
def _differences(
    rgb: Rgb, region: Mask, rows: NDArray[np.intp], columns: NDArray[np.intp], lags: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(L, 256) at each lag, how often pixels of the region differ by so much in the first plane."""
    height, width = region.shape
    found = np.zeros((len(lags), 256), np.int64)
    for n in range(len(rows)):
        y, x = rows[n], columns[n]
        here = _brightness(rgb, y, x)
        for k in range(len(lags)):
            down, right = y + lags[k, 0], x + lags[k, 1]
            if down < height and 0 <= right < width and region[down, right] > 0:
                found[k, min(abs(_brightness(rgb, down, right) - here), 255)] += 1
    return found
