"""From a segmenter's coarse instance maps to one label map at photo size.

A segmenter answers at its own resolution (288² for SAM 3: one of its pixels is 14 of a 12 MP photo). Its edge is
moved to the photo's edge by a guided filter, but never by more than one of the segmenter's own pixels, and parts
narrower than three of them are left as they are: a window filter would swallow grout lines and frames. Memory is
bounded: full-size floats exist for a strip of rows only, and time goes with the instance's size, not the photo's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import strips
from engine.guided import guided_coefficients
from engine.types import FloatMask, Instance, LabelMap, Mask, Photo, Rgb

__all__ = ["binary", "label_map", "only"]

_EPS: Final = 4e-4  # (0.02)²: texture below 2 % contrast is flat, a wall's edge against a ceiling is not
_TRUST: Final = np.float32(0.3)  # weight of the segmenter's own opinion: weak look-alikes near its edge stay out
_SUBSAMPLE: Final = 4
_CROSS: Final = np.ones((3, 3), np.uint8)


def binary(labels: LabelMap) -> Mask:
    """(H, W) uint8, 0 or 255: the pixels of any instance."""
    return np.where(labels > 0, np.uint8(255), np.uint8(0))


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
    guides = _Guides(photo)
    for k in order:
        mask = instances[k].mask
        if mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"instance {k + 1} has a mask of shape {mask.shape}; (h, w) is needed")
        for window, inside in _full_size(guides, mask):
            part = labels[window]
            part[inside & (part == 0)] = k + 1
    return labels


class _Guides:
    """A photo's gray values at full size and on the subsampled grids of the masks it meets."""

    def __init__(self, photo: Photo) -> None:
        self.rgb, self.size = photo.rgb, photo.size
        self._small: dict[tuple[int, int], FloatMask] = {}

    def full(self, window: tuple[slice, slice]) -> FloatMask:
        """0..1, that part of the photo."""
        return _unit_gray(self.rgb[window])

    def small(self, size: tuple[int, int]) -> FloatMask:
        """0..1, the whole photo at (width, height); kept for the next instance."""
        if size not in self._small:
            self._small[size] = _unit_gray(cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA))
        return self._small[size]


def _unit_gray(rgb: Rgb) -> FloatMask:
    gray: FloatMask = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return gray


def _full_size(guides: _Guides, prob: FloatMask) -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_]]]:
    """Windows of the binary mask at photo size, where it may have pixels."""
    (height, width), (h, w) = guides.size, prob.shape
    if prob.shape == guides.size:
        yield (slice(0, height), slice(0, width)), prob >= 0.5
        return
    if h > height or w > width:
        enlarged = cv2.resize(prob, (width, height), interpolation=cv2.INTER_AREA)
        yield (slice(0, height), slice(0, width)), enlarged >= 0.5
        return
    rows, columns = np.flatnonzero((prob >= 0.5).any(axis=1)), np.flatnonzero((prob >= 0.5).any(axis=0))
    if rows.size == 0:
        return
    first, last = _reaches(rows, height / h, height)
    low, high = _bounds(prob)
    a, b = _edge_model(guides, prob, rows, columns)
    # Columns can be cut only where both grids have a pixel's border: there cv2.resize gives what it gives uncut.
    unit = math.lcm(width // math.gcd(width, w), width // math.gcd(width, a.shape[1]))
    left, right = _reaches(columns, width / w, width)
    across = slice(left // unit * unit, min(width, -(-right // unit) * unit))
    for y0, y1 in strips(first, last):
        window = slice(y0, y1), across
        refined = _part(a, window, guides.size) * guides.full(window) + _part(b, window, guides.size)
        refined += _TRUST * (_part(prob, window, guides.size) - np.float32(0.5))
        refined = np.clip(refined, _part(low, window, guides.size), _part(high, window, guides.size))
        yield window, refined >= 0.5


def _reaches(inside: NDArray[np.intp], step: float, end: int) -> tuple[int, int]:
    """Photo pixels that segmenter pixels `inside` (rising) and two more on either side lie on."""
    return max(0, int((inside[0] - 2) * step)), min(end, int(np.ceil((inside[-1] + 3) * step)))


def _bounds(prob: FloatMask) -> tuple[FloatMask, FloatMask]:
    """Lowest and highest value the refined map may have: one segmenter pixel's move of the edge, none at thin parts."""
    inside = (prob >= 0.5).astype(np.uint8)
    thin = inside > cv2.morphologyEx(inside, cv2.MORPH_OPEN, _CROSS)
    gap = inside < cv2.morphologyEx(inside, cv2.MORPH_CLOSE, _CROSS)
    kept = cv2.dilate((thin | gap).astype(np.uint8), _CROSS) > 0
    low = np.where(kept, prob, cv2.erode(prob, _CROSS))
    high = np.where(kept, prob, cv2.dilate(prob, _CROSS))
    return low, high


def _edge_model(
    guides: _Guides, prob: FloatMask, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[FloatMask, FloatMask]:
    """Guided-filter coefficients of the map against the photo's gray values, on a subsampled grid.

    They are worked out around the mask's `rows` and `columns` and are 0 elsewhere, where the map is too low to matter.
    """
    height, width = guides.size
    step = max(height / prob.shape[0], width / prob.shape[1])
    every = min(_SUBSAMPLE, max(1, round(step / 2)))
    size = (max(1, width // every), max(1, height // every))
    values = cv2.resize(prob, size, interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(2 * step / every))
    margin = 4 * radius  # two windows in a row, and the two segmenter pixels that _reaches adds
    top, bottom = _reaches(rows, size[1] / prob.shape[0], size[1])
    left, right = _reaches(columns, size[0] / prob.shape[1], size[0])
    near = slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)
    a, b = np.zeros_like(values), np.zeros_like(values)
    a[near], b[near] = guided_coefficients(guides.small(size)[near], values[near], radius, _EPS)
    return a, b


def _part(small: FloatMask, window: tuple[slice, slice], size: tuple[int, int]) -> FloatMask:
    """A window of `small` enlarged bilinearly to `size`: what cv2.resize gives, without the rest.

    The window's columns begin and end at the border of a pixel of `small`, or at the photo's.
    """
    (height, width), (y0, y1) = size, (window[0].start, window[0].stop)
    across = width / small.shape[1]
    small = small[:, round(window[1].start / across) : round(window[1].stop / across)]
    at = (np.arange(y0, y1) + 0.5) * (small.shape[0] / height) - 0.5
    at = np.clip(at, 0, small.shape[0] - 1)
    upper = np.floor(at).astype(np.intp)
    lower = np.minimum(upper + 1, small.shape[0] - 1)
    share = (at - upper).astype(np.float32)[:, None]
    rows = small[upper] * (1 - share) + small[lower] * share
    columns = window[1].stop - window[1].start
    enlarged: FloatMask = cv2.resize(rows, (columns, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return enlarged
