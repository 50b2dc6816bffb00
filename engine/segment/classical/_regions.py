"""Superpixels of a room: they end at edges, at straight lines and exactly at the borders of the room's box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from engine.segment.classical._features import Features
from engine.segment.classical._length import length

__all__ = ["Regions", "bottleneck", "hue_steps", "likeness", "make_regions", "soft_step", "unshaded"]

_COUNT = 900
_LINE = 5.0  # Lab units a pixel that a straight line counts for, however faint
_SHADING = 21  # pixels over which an even slope of light is no edge

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Superpixels and who touches whom."""

    labels: NDArray[np.int32]
    """(h, w), 0..n-1."""
    area: NDArray[np.int64]
    """(n,) pixels."""
    lab: Floats
    """(n, 3) mean colour, CIE L*a*b*."""
    paint: Floats
    """(n, 3) mean colour with little shading: see `unshaded`."""
    centre: Floats
    """(n, 2) mean (y, x) as parts of the height and width."""
    pairs: NDArray[np.int64]
    """(m, 2) touching regions, first < second."""
    barrier: Floats
    """(m,) mean edge strength along the common border, Lab units a pixel."""
    border: NDArray[np.int64]
    """(m,) length of the common border in pixels."""

    def mean(self, values: Floats) -> NDArray[np.float64]:
        """(n,) mean of (h, w) values over every region."""
        return _mean(self.labels, self.area, values)


def unshaded(lab: Floats) -> Floats:
    """(..., 3) colours whose steps count alike in light and shade: logarithmic lightness, colour over lightness."""
    light = np.maximum(lab[..., :1], 0)
    even: Floats = np.concatenate([38 * np.log(light + 8) - 60, lab[..., 1:] * 55 / (light + 14)], axis=-1)
    return even.astype(np.float32)


def make_regions(features: Features, parts: NDArray[np.int32]) -> Regions:
    """Superpixels by watershed from a grid of seeds (Neubert and Protzel 2014) on edges and lines.

    They are cut where `parts` (h, w), small labels from 0, changes: none lies in two parts.
    """
    h, w = features.shape
    relief = _relief(features)
    markers = np.zeros((h, w), np.int32)
    step = max(4, round((h * w / _COUNT) ** 0.5))
    ys, xs = np.mgrid[step // 2 : h : step, step // 2 : w : step]
    markers[ys, xs] = np.arange(1, ys.size + 1).reshape(ys.shape)
    cells = watershed(relief, markers).astype(np.int32)
    _, labels = np.unique(cells * (int(parts.max()) + 1) + parts, return_inverse=True)
    return _described(features, labels.reshape(h, w).astype(np.int32), relief)


def _relief(features: Features) -> Floats:
    drawn = np.zeros(features.shape, np.float32)
    for x0, y0, x1, y1 in np.rint(features.lines).astype(int):
        cv2.line(drawn, (int(x0), int(y0)), (int(x1), int(y1)), 1.0, 1)
    edge = np.minimum(features.edge, 12.0)
    relief: Floats = np.maximum(edge, _LINE * drawn).astype(np.float32)
    return relief


def _described(features: Features, labels: NDArray[np.int32], relief: Floats) -> Regions:
    h, w = labels.shape
    area = np.bincount(labels.ravel())
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    centre = np.stack([_mean(labels, area, rows) / h, _mean(labels, area, columns) / w], axis=1).astype(np.float32)
    colour = np.stack([_mean(labels, area, channel) for channel in cv2.split(features.lab)], axis=1).astype(np.float32)
    crest = np.maximum(relief - cv2.blur(relief, (_SHADING, _SHADING)), 0)
    height = cv2.dilate(crest, np.ones((3, 3), np.uint8))
    first = np.concatenate([labels[:, :-1].ravel(), labels[:-1].ravel()]).astype(np.int64)
    second = np.concatenate([labels[:, 1:].ravel(), labels[1:].ravel()]).astype(np.int64)
    step = np.concatenate(
        [np.maximum(height[:, :-1], height[:, 1:]).ravel(), np.maximum(height[:-1], height[1:]).ravel()]
    )
    differ = first != second
    low, high = np.minimum(first, second)[differ], np.maximum(first, second)[differ]
    n = len(area)
    keys, inverse = np.unique(low * n + high, return_inverse=True)
    border = np.bincount(inverse)
    barrier = np.bincount(inverse, step[differ]) / border
    pairs = np.stack([keys // n, keys % n], axis=1)
    return Regions(labels, area, colour, unshaded(colour), centre, pairs, barrier.astype(np.float32), border)


def _mean(labels: NDArray[np.int32], area: NDArray[np.int64], values: Floats) -> NDArray[np.float64]:
    """(n,) mean of (h, w) values over every label; `area` (n,) is how many pixels have it."""
    mean: NDArray[np.float64] = np.bincount(labels.ravel(), values.ravel()) / area
    return mean


def likeness(
    regions: Regions, colour: Floats, seeds: NDArray[np.float64], width: float, full: float = 0.15
) -> NDArray[np.float64]:
    """(n,) 0..1: how near a region's colour (n, 3) is to colours that make up at least `full` of the seeds (n,)."""
    weight = seeds * regions.area
    sown = np.flatnonzero(weight)
    gap = np.zeros((len(colour), sown.size), colour.dtype)
    for channel in colour.T:
        gap += np.square(channel[:, None] - channel[sown])
    density = np.einsum("ij,j", np.exp(-gap / (2 * width**2)), weight[sown]) / (weight.sum() + 1e-9)
    alike: NDArray[np.float64] = np.clip(density / full, 0, 1)
    return alike


def hue_steps(regions: Regions) -> NDArray[np.float64]:
    """(m,) how far apart the hues of touching regions are; light changes its colour slowly, paint at once."""
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    return length(regions.paint[a, 1:] - regions.paint[b, 1:]).astype(float)


def bottleneck(
    regions: Regions, start: NDArray[np.bool_], height: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """(n,) the greatest height (m,) that must be crossed on the easiest way from any starting region.

    By default that is the edge along a common border, Lab units a pixel.
    """
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    height = regions.barrier.astype(float) if height is None else height
    worst = np.where(start, 0.0, 1e3)
    while True:
        new = worst.copy()
        np.minimum.at(new, b, np.maximum(worst[a], height))
        np.minimum.at(new, a, np.maximum(worst[b], height))
        if (new == worst).all():
            return worst
        worst = new


def soft_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1, a soft step at 0 (logistic)."""
    value: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(x, -40, 40)))
    return value
