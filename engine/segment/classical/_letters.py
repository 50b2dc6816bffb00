"""Marks that may be letters: small things made of strokes of one even width, lighter or darker than what is around.

A stroke is what an opening or closing with a wider square takes away (top-hat and black-hat), in any of the channels:
print need not differ from its paper in lightness. A mark is cut where it has lost half of its own contrast, so neither
a lamp next to it nor how strong the print is decides what belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Mask, Rgb

__all__ = ["Box", "Mark", "Page", "pages", "weigh"]

_WIDEST = 21  # pixels: no stroke is wider
_RELIEF = 18  # levels of the strongest channel between print and paper
_INK = 22.0  # levels, root mean square of the channels
_LOWEST = 8  # pixels: smaller print is not to be read
_TALLEST = 0.2  # of the shorter side
_LONGEST = 9.0  # heights: letters of a small word flow into each other
_TWISTED = 1.6  # length of a word's strokes in its own
_MOST = 1500  # marks a page: more is a texture

Bits = NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One reading of the photo: its scale, light or dark print, one way of cutting marks."""

    rgb: Rgb
    """(H, W, 3) the photo at the scale of this reading."""
    labels: NDArray[np.int32]
    """(H, W) number of a mark."""
    boxes: NDArray[np.int32]
    """(n, 4) of the marks that may be letters by their size: x0, y0, x1, y1."""
    numbers: NDArray[np.int32]
    """(n,) their numbers in `labels`."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A letter, or a few that touch."""

    box: Box
    shape: Bits
    """(y1 - y0, x1 - x0)."""
    ink: NDArray[np.float64]
    """(3,) colour of the strokes less that of the paper, levels."""
    stroke: float
    """Mean width of the strokes, pixels."""

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]


def pages(rgb: Rgb) -> Iterator[Page]:
    """All readings of a photo of about 1 MP: small print first."""
    for halving in range(2):
        small = cv2.pyrDown(rgb) if halving else cv2.GaussianBlur(rgb, (0, 0), 0.8)
        for hat in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):  # light print, dark print
            square = cv2.getStructuringElement(cv2.MORPH_RECT, (_WIDEST, _WIDEST))
            red, green, blue = cv2.split(cv2.morphologyEx(small, hat, square))
            relief: Mask = cv2.max(cv2.max(red, green), blue)
            for strokes in (_by_own_peak(relief), _by_peak_near(relief)):
                yield _page(small, relief, strokes)


def _by_own_peak(relief: Mask) -> Bits:
    """Where a mark keeps half of its own greatest relief."""
    labels = cv2.connectedComponents((relief > _RELIEF).astype(np.uint8), connectivity=8)[1]
    peaks = np.zeros(int(labels.max()) + 1, np.uint8)
    np.maximum.at(peaks, labels.ravel(), relief.ravel())
    strokes: Bits = (labels > 0) & (relief > peaks[labels] * np.float32(0.5))
    return strokes


def _by_peak_near(relief: Mask) -> Bits:
    """Where the relief is half of the greatest near by: for marks that flow into others."""
    strokes: Bits = relief > np.maximum(_RELIEF, 0.5 * cv2.dilate(relief, np.ones((25, 25), np.uint8)))
    return strokes


def _page(rgb: Rgb, relief: Mask, strokes: Bits) -> Page:
    h, w = strokes.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8), connectivity=8)
    x, y, dx, dy, area = (stats[:, k].astype(np.int32) for k in range(5))
    fill = area / np.maximum(1, dx * dy)
    sized = (dy >= _LOWEST) & (dy <= _TALLEST * min(h, w)) & (dx >= 2) & (dx <= _LONGEST * dy)
    made = (fill >= 0.1) & ~((fill > 0.8) & (dx > 0.45 * dy))
    inside = (x > 1) & (y > 1) & (x + dx < w - 1) & (y + dy < h - 1)
    numbers: NDArray[np.int32] = np.flatnonzero(sized & made & inside).astype(np.int32)
    numbers = numbers[numbers > 0]
    if len(numbers) > _MOST:
        numbers = numbers[:0]
    boxes = np.stack([x, y, x + dx, y + dy], axis=1)[numbers].astype(np.int32)
    return Page(rgb, labels.astype(np.int32), boxes, numbers)


def weigh(page: Page, number: int, box: Box) -> Mark | None:
    """Look at one mark closely: None unless it is of one stroke's width and stands clear of what is around it."""
    x0, y0, x1, y1 = box
    dx, dy, pad = x1 - x0, y1 - y0, 4
    own = page.labels[y0:y1, x0:x1] == number
    shape = np.pad(own.astype(np.uint8), pad)
    inner = cv2.distanceTransform(shape, cv2.DIST_L2, 3)
    ridge = inner[(inner > 0) & (inner >= cv2.dilate(inner, np.ones((3, 3), np.uint8)) - 1e-3)]
    if len(ridge) == 0 or ridge.std() > 0.6 * ridge.mean() + 0.5 or 2 * ridge.mean() > 0.5 * dy:
        return None
    if dx > 2.2 * dy and own.sum() < 2 * ridge.mean() * _TWISTED * dx:
        return None  # a streak: the strokes of a word are longer than the word
    top, left = max(0, y0 - pad), max(0, x0 - pad)
    patch = page.rgb[top : y1 + pad, left : x1 + pad].astype(np.float64)
    placed = shape[top - y0 + pad :, left - x0 + pad :][: patch.shape[0], : patch.shape[1]]
    ring = (cv2.dilate(placed, np.ones((7, 7), np.uint8)) > 0) & (cv2.dilate(placed, np.ones((3, 3), np.uint8)) == 0)
    around = patch[ring]
    if len(around) == 0:
        return None
    paper = np.median(around, axis=0)
    ink = patch[placed > 0].mean(axis=0) - paper
    strength = float(np.sqrt((ink**2).mean()))
    if strength < _INK:
        return None
    spread = np.abs((around - paper) @ ink) / float(ink @ ink)
    if np.quantile(spread, 0.8) > 0.6:  # part of the ink's own strength that the paper near by wanders
        return None
    return Mark(box, own, ink, float(2 * ridge.mean()))
