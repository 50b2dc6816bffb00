"""From a segmenter's coarse instance maps to one label map at photo size.

A segmenter answers at its own resolution (288² for SAM 3: one of its pixels is 14 of a 12 MP photo). Its edge is
moved to the photo's edge by a guided filter, but never by more than one of the segmenter's own pixels, and parts
narrower than three of them are left as they are: a window filter would swallow grout lines and frames. Floats at photo
size exist for a tile at a time, and only where the edge can be: time goes with its length.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._threads import spread
from engine._tiles import Tile, Window, tiles
from engine.guided import guided_coefficients
from engine.types import FloatMask, Instance, LabelMap, Mask, Photo, Rgb

__all__ = ["binary", "label_map", "only"]

_EPS: Final = 4e-4  # (0.02)²: texture below 2 % contrast is flat, a wall's edge against a ceiling is not
_TRUST: Final = np.float32(0.3)  # weight of the segmenter's own opinion: weak look-alikes near its edge stay out
_SUBSAMPLE: Final = 4
_CROSS: Final = np.ones((3, 3), np.uint8)
_BLOCK: Final = 512  # px a side; most are wholly inside or outside
_TILE: Final = 128  # of the others: of a larger tile an edge needs less


def binary(labels: LabelMap) -> Mask:
    """(H, W) uint8, 0 or 255: the pixels of any instance."""
    mask: Mask = cv2.inRange(labels, 1, np.iinfo(np.uint16).max)
    return mask


def only(labels: LabelMap, numbers: Collection[int]) -> Mask:
    """(H, W) uint8, 0 or 255: the pixels of these instances; a number that the map does not hold adds nothing."""
    if len(numbers) == 1:
        (number,) = numbers
        mask: Mask = cv2.inRange(labels, number, number)
        return mask
    chosen = np.zeros(np.iinfo(np.uint16).max + 1, np.uint8)
    chosen[[number for number in numbers if number < chosen.size]] = 255
    return chosen[labels]


def label_map(photo: Photo, instances: Sequence[Instance]) -> LabelMap:
    """Label map of one concept at photo size: k where `instances[k - 1]` is, 0 elsewhere.

    Where instances overlap the higher score has the pixel (of equal scores the earlier instance). A mask that has the
    photo's size already is thresholded at 0.5 and nothing else.

    Raises:
        ValueError: more than 65535 instances, or a mask that is not two-dimensional or has no pixels.
    """
    if len(instances) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(instances)} instances do not fit a 16-bit label map")
    labels: LabelMap = np.zeros(photo.size, np.uint16)
    order = sorted(range(len(instances)), key=lambda k: (-instances[k].score, k))
    for k in order:
        mask = instances[k].mask
        if mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"instance {k + 1} has a mask of shape {mask.shape}; (h, w) is needed")
        _write(labels, photo.rgb, mask, k + 1, blank=k == order[0])
    return labels


def _write(labels: LabelMap, rgb: Rgb, prob: FloatMask, number: int, *, blank: bool) -> None:
    """Write `number` wherever the map is at least 0.5 at photo size and no other instance is; `blank`: none is yet."""
    (height, width), (h, w) = labels.shape, prob.shape
    if h > height or w > width:
        prob = cv2.resize(prob, (width, height), interpolation=cv2.INTER_AREA)
    if prob.shape == labels.shape:
        labels[(prob >= 0.5) & (labels == 0)] = number
        return
    sure = prob >= 0.5
    if not sure.any():
        return
    edge = _Edge.of(rgb, prob)
    near = [_photo_span(np.flatnonzero(sure.any(axis=1 - k)), labels.shape[k] / prob.shape[k]) for k in (0, 1)]

    def fill(tile: Tile) -> None:
        sure = edge.sure(tile.window)
        if sure is None:
            for part in tile.parts(_TILE):
                own = edge.sure(part.window)
                write(part.window, edge.inside(part.window) if own is None else own)
        else:
            write(tile.window, sure)

    def write(window: Window, inside: NDArray[np.bool_] | bool) -> None:
        part = labels[window]
        if inside is False:
            return
        if not blank:
            part |= ((part == 0) & inside) * np.uint16(number)  # twice as fast as by index
        elif inside is True:
            part[:] = number
        else:
            part[:] = inside * np.uint16(number)

    spread(fill, [tile for tile in tiles(labels.shape, _BLOCK) if all(map(_overlap, tile.window, near))])


def _photo_span(inside: NDArray[np.intp], step: float) -> slice:
    """Photo pixels that segmenter pixels `inside` (rising) and two more on either side lie on."""
    return slice(int((inside[0] - 2) * step), int(np.ceil((inside[-1] + 3) * step)))


def _overlap(one: slice, other: slice) -> bool:
    return bool(one.start < other.stop and other.start < one.stop)


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """One instance's edge on its way from the segmenter's grid to the photo's."""

    rgb: Rgb
    prob: FloatMask
    low: FloatMask
    """Lowest value that the refined map may have, on the segmenter's grid."""
    high: FloatMask
    at: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Where the photo's rows and columns lie on the segmenter's grid."""
    every: int
    """Photo pixels, each way, in one of the grid that the guided filter runs on."""
    radius: int
    """Of its window, in pixels of that grid."""

    @classmethod
    def of(cls, rgb: Rgb, prob: FloatMask) -> _Edge:
        height, width = rgb.shape[:2]
        step = max(height / prob.shape[0], width / prob.shape[1])
        every = min(_SUBSAMPLE, max(1, round(step / 2)), height, width)
        rows, columns = (
            _places(np.arange(end), end / own, own) for end, own in zip((height, width), prob.shape, strict=True)
        )
        return cls(rgb, prob, *_bounds(prob), (rows, columns), every, max(1, round(2 * step / every)))

    def sure(self, window: Window) -> bool | None:
        """Whether all pixels of a window of the photo are the instance's, or none; None: that has to be seen."""
        near = self._near(window)
        return False if self.high[near].max() < 0.5 else True if self.low[near].min() >= 0.5 else None

    def inside(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels of a window of the photo are the instance's."""
        at = self.at[0][window[0]], self.at[1][window[1]]
        a, b = self._coefficients(window)
        refined = a * _unit_gray(self.rgb[window]) + b
        refined += _TRUST * (_enlarged(self.prob, *at) - np.float32(0.5))
        inside: NDArray[np.bool_] = np.clip(refined, _enlarged(self.low, *at), _enlarged(self.high, *at)) >= 0.5
        return inside

    def _near(self, window: Window) -> Window:
        """The segmenter's pixels that a window of the photo is enlarged from."""
        rows, columns = (along[span] for along, span in zip(self.at, window, strict=True))
        return slice(int(rows[0]), int(rows[-1]) + 2), slice(int(columns[0]), int(columns[-1]) + 2)

    def _coefficients(self, window: Window) -> tuple[FloatMask, FloatMask]:
        """Guided-filter coefficients of the map against the photo's gray values, for a window of the photo."""
        every, grid = self.every, [end // self.every for end in self.rgb.shape[:2]]
        margin = 2 * self.radius  # two windows in a row
        at, block = [], []
        for span, end in zip(window, grid, strict=True):
            along = _places(np.arange(span.start, span.stop), every, end)
            first = max(0, int(along[0]) - margin)
            block.append(slice(first, min(end, int(along[-1]) + 2 + margin)))
            at.append(along - first)
        part = self.rgb[tuple(slice(span.start * every, span.stop * every) for span in block)]
        rows, columns = (np.arange(span.start, span.stop) for span in block)
        guide = _unit_gray(cv2.resize(part, (columns.size, rows.size), interpolation=cv2.INTER_AREA))
        (height, width), (h, w) = self.rgb.shape[:2], self.prob.shape
        values = _enlarged(self.prob, _places(rows, height / h / every, h), _places(columns, width / w / every, w))
        a, b = guided_coefficients(guide, values, self.radius, _EPS)
        return _enlarged(a, *at), _enlarged(b, *at)


def _unit_gray(rgb: Rgb) -> FloatMask:
    gray: FloatMask = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return gray


def _bounds(prob: FloatMask) -> tuple[FloatMask, FloatMask]:
    """Lowest and highest value the refined map may have: one segmenter pixel's move of the edge, none at thin parts."""
    inside = (prob >= 0.5).astype(np.uint8)
    thin = inside > cv2.morphologyEx(inside, cv2.MORPH_OPEN, _CROSS)
    gap = inside < cv2.morphologyEx(inside, cv2.MORPH_CLOSE, _CROSS)
    kept = cv2.dilate((thin | gap).astype(np.uint8), _CROSS) > 0
    low = np.where(kept, prob, cv2.erode(prob, _CROSS))
    high = np.where(kept, prob, cv2.dilate(prob, _CROSS))
    return low, high


def _places(pixels: NDArray[np.intp], step: float, count: int) -> NDArray[np.float64]:
    """Where the middles of pixels lie on a grid of `count` pixels that are `step` of theirs wide; never outside it."""
    return np.clip((pixels + 0.5) / step - 0.5, 0, count - 1)


def _enlarged(grid: FloatMask, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> FloatMask:
    """(len(rows), len(columns)): `grid` between its pixels, bilinearly, at rising rows and columns within it."""
    left, right, share = _neighbours(columns, grid.shape[1])
    first = int(rows[0])
    used = grid[first : int(rows[-1]) + 2]
    across = used[:, left] * (1 - share) + used[:, right] * share
    upper, lower, part = _neighbours(rows - first, len(used))
    below = part[:, None]
    result: FloatMask = (across[upper] * (1 - below) + across[lower] * below).astype(np.float32, copy=False)
    return result


def _neighbours(at: NDArray[np.float64], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatMask]:
    """Pixels before and behind each place, and the share of the second."""
    before = at.astype(np.intp)
    return before, np.minimum(before + 1, count - 1), (at - before).astype(np.float32)
