"""Colour without its shading: what a surface keeps of itself in light, in shade and under a soft veil of gloss.

In linear light a matte surface is its colour times the light that falls on it, so opponent differences divided by the
sum of the channels do not change with the light (Gevers & Smeulders 1999); gloss adds the lamp's own colour on top and
draws the point towards that of a neutral thing (dichromatic model, Shafer 1985). On the line from the ground's point to
the surface's own, the share `along` says how much of the surface is left; a point beside the line is another material.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.colour import to_linear
from engine.segment.classical._length import length
from engine.types import Rgb

__all__ = ["CHROMATIC", "Surface", "chroma", "dominant"]

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]
CHROMATIC = 0.09
"""Distance from the ground's chroma below which a surface is told by its lightness only."""
_DARK = 0.02  # sum of the linear channels at which noise halves the chroma
_BLACK = 18.0  # L*: the colour of what is darker is that of what it mirrors
_OWN = 0.42  # share of the surface at which a pixel counts as its own; a gloss or a reflection takes the rest
_BIN = 0.02
_BINS = 160  # of _BIN, centred on neutral
_LEVELS = 22.0  # L* a neutral surface varies by at the least


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The main surface of a product, and how every pixel compares to it."""

    along: Floats
    """(h, w) 0 = the ground's chroma, 1 = the surface's own."""
    beside: Floats
    """(h, w) distance from that line, in its length: 0 = the same hue."""
    chromatic: bool
    """False where the surface is as neutral as its ground: `along` and `beside` then say nothing."""

    @property
    def alike(self) -> Bits:
        """(h, w) of the surface's own colour, whatever its light; all where it is not `chromatic`."""
        if not self.chromatic:
            return np.ones(self.along.shape, bool)
        near: Bits = (self.along > _OWN) & (self.beside < 0.15 + 0.15 * np.maximum(self.along, 0))
        return near


def chroma(rgb: Rgb) -> Floats:
    """(h, w, 2) red against blue and green against both, free of shading, about -1..1; fine noise smoothed away."""
    linear = to_linear(cv2.bilateralFilter(rgb, 7, 24, 3))
    red, green, blue = (linear[..., k] for k in range(3))
    total = red + green + blue + np.float32(_DARK)
    points: Floats = np.stack([red - blue, 1.2 * (green - (red + blue) / 2)], axis=2) / total[..., None]
    return points.astype(np.float32)


def dominant(points: Floats, light: Floats, inside: Bits, ground: NDArray[np.floating]) -> Surface:
    """The surface that covers most of `inside`.

    Args:
        points: (h, w, 2) chroma.
        light: (h, w) L*.
        inside: (h, w), where to look; not empty.
        ground: (2,) chroma of what lies around.
    """
    mine, levels = points[inside], light[inside]
    index = np.clip(np.rint(mine / _BIN).astype(int) + _BINS // 2, 0, _BINS - 1)
    counts = np.zeros((_BINS, _BINS), np.float32)
    np.add.at(counts, (index[:, 0], index[:, 1]), 1.0)
    counts = cv2.GaussianBlur(counts, (0, 0), 1.5)
    peaks = (counts >= cv2.dilate(counts, np.ones((5, 5), np.uint8)) - 1e-6) & (counts > 0.02 * counts.max())
    best, most = ground, -1.0
    for row, column in zip(*np.nonzero(peaks), strict=True):
        peak = (np.array([row, column]) - _BINS // 2) * _BIN
        if np.linalg.norm(peak - ground) < CHROMATIC:
            near = length(mine - peak) < CHROMATIC
            if not near.any():
                continue
            mode = _mode(levels[near])
            mass = float((near & (np.abs(levels - mode) < _LEVELS)).sum())
        else:
            for _ in range(3):  # to the middle of its own cloud
                along, beside = _on_line(mine, ground, peak)
                cloud = (np.abs(along - 1) < 0.5) & (beside < 0.4)
                if not cloud.any():
                    break
                peak = np.median(mine[cloud], axis=0)
            mass = float(cloud.sum()) if np.linalg.norm(peak - ground) >= CHROMATIC else 0.0
        if mass > most:
            best, most = peak, mass
    chromatic = bool(np.linalg.norm(best - ground) >= CHROMATIC)
    if chromatic:
        along, beside = _on_line(mine, ground, best)
        own = (along > _OWN) & (beside < 0.4)
        chromatic = bool(own.any() and np.median(levels[own]) > _BLACK)
    along, beside = _on_line(points, ground, best if chromatic else ground + CHROMATIC)
    return Surface(along, beside, chromatic)


def _on_line(points: Floats, ground: NDArray[np.floating], peak: NDArray[np.floating]) -> tuple[Floats, Floats]:
    line = (peak - ground).astype(np.float32)
    squared = float(line @ line)
    away = points - ground.astype(np.float32)
    along = away @ line / squared
    across = (away[..., 0] * line[1] - away[..., 1] * line[0]) / squared
    return along.astype(np.float32), np.abs(across).astype(np.float32)


def _mode(levels: NDArray[np.floating]) -> float:
    """The most frequent L*, of a histogram smoothed over about 10 units."""
    counts = np.histogram(levels, bins=101, range=(-0.5, 100.5))[0].astype(np.float32)
    return float(cv2.GaussianBlur(counts[None], (0, 0), 5.0).argmax())
