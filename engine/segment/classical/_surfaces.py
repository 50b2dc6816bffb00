"""Floor, ceiling and walls of a room: layout cues become priors, a random walk over the superpixels spreads them.

The ceiling ends at the first long edge from the top; walls begin right below it; the floor is the colour that spreads
along the bottom from side to side and reaches highest. The walk (Grady 2005, "Multilabel random walker image
segmentation using prior models") carries these seeds over even surfaces and stops at edges and straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._ceiling import ceiling_line
from engine.segment.classical._features import Features, Regions
from engine.segment.classical._masks import Found, components, fill_holes, instance
from engine.types import FloatMask

__all__ = ["CEILING", "FLOOR", "ROOM", "WALL", "Layout", "find_surface", "read_layout"]

CEILING, WALL, FLOOR, OTHER = range(4)
_SMALLEST = (0.015, 0.025, 0.02)  # of the photo, for ceiling, wall, floor
ROOM = 0.7  # room-likeness below which nothing is called floor, wall or ceiling
_STRONG = 7.0  # Lab units a pixel: more than the joints between boards or tiles
_EDGE = 1.6  # Lab units a pixel at which the walk is slowed to 1/e

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The reading of a room."""

    probability: Floats
    """(n superpixels, 4): ceiling, wall, floor, other; rows sum to 1."""
    room: float
    """0..1: how much the photo looks like a room at all."""


def read_layout(features: Features) -> Layout:
    """Classify all superpixels of one photo."""
    regions = features.regions
    if regions is None:
        return Layout(np.zeros((0, 4)), 0.0)
    line, support = ceiling_line(features)
    prior, trust = _priors(features, regions, line)
    probability = _spread(_walk_matrix(regions), prior, trust)
    return Layout(probability, _room_likeness(features, support))


def find_surface(features: Features, layout: Layout, kind: int) -> Found:
    """The whole surface as one instance: CEILING, WALL or FLOOR."""
    regions = features.regions
    if regions is None or layout.room < ROOM:
        return 0.0, ()
    soft = layout.probability[:, kind][regions.labels].astype(np.float32)
    best = layout.probability.argmax(axis=1) == kind
    solid = (best[regions.labels] & (soft > 0.4)).astype(np.uint8) * 255
    h, w = features.shape
    solid = fill_holes(solid, int(0.0006 * h * w))
    kept = np.zeros((h, w), np.uint8)
    for piece in components(solid, int(0.004 * h * w)):
        kept |= piece
    share = float((kept > 0).mean())
    if share < _SMALLEST[kind]:
        return 0.0, ()
    inside = float(soft[kept > 0].mean())
    score = layout.room * float(np.clip((inside - 0.2) / 0.5, 0, 1)) * min(1.0, 0.6 + share / (4 * _SMALLEST[kind]))
    if score < 0.35:
        return 0.0, ()
    mask: FloatMask = np.where(kept > 0, np.maximum(soft, 0.55), np.minimum(soft, 0.35) * 0.5).astype(np.float32)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)
    return min(score, 0.95), (instance(mask, min(score, 0.95), features.size),)


def _walk_matrix(regions: Regions) -> Floats:
    """(n, n) graph Laplacian; weights fall with the edge on the common border and with the colour step."""
    n = len(regions.area)
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    step = np.linalg.norm((regions.lab[a] - regions.lab[b]) * (0.5, 1.0, 1.0), axis=1)
    weight = regions.border * np.exp(-regions.barrier / _EDGE - step / 4.0) / np.sqrt(regions.area.mean())
    matrix = np.zeros((n, n))
    matrix[a, b] = matrix[b, a] = -weight
    matrix[np.arange(n), np.arange(n)] = -matrix.sum(axis=1)
    return matrix


def _spread(walk: Floats, prior: Floats, trust: Floats) -> Floats:
    """Solve (L + trust) x = trust * prior; the sum over classes stays 1."""
    result: Floats = np.clip(np.linalg.solve(walk + np.diag(trust), trust[:, None] * prior), 1e-6, 1)
    result /= result.sum(axis=1, keepdims=True)
    return result


def _priors(features: Features, regions: Regions, line: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """(n, 4) class priors and (n,) how much each is to be trusted against its neighbours."""
    h = features.shape[0]
    rows = np.arange(h, dtype=np.float32)[:, None]
    above = _mean(regions, (rows < line[None]).astype(np.float32))
    below = _mean(regions, np.clip((rows - line[None]) / h, -1, 1).astype(np.float32))
    y, x = regions.centre[:, 0].astype(float), regions.centre[:, 1].astype(float)
    side = np.abs(x - 0.5) * 2
    even = np.exp(-np.maximum(regions.texture.astype(float) - 1.5, 0) / 2.0)
    blown = _step((regions.lab[:, 0].astype(float) - 96.0) / 0.8)
    ceiling = above * even
    strip = (above < 0.3) * _step((0.10 - below) / 0.015) * even * (1 - blown)
    wall_colour = _likeness(regions, strip, 3.5)
    wall = (1 - above) * even * (1 - blown) * wall_colour * _step((0.76 + 0.12 * side - y) / 0.05)
    floor = _floor_colour(regions) * _step((y - 0.60 + 0.05 * side) / 0.03)
    other = 0.30 + 0.5 * (1 - even) * (1 - above) + blown
    prior = (
        np.stack([ceiling * 1.2, np.maximum(wall * 0.8, strip * wall_colour), floor, other * (1 - 0.7 * above)], axis=1)
        + 0.01
    )
    prior /= prior.sum(axis=1, keepdims=True)
    trust = 0.05 + 0.5 * np.maximum(above * even, strip * 0.5) + 0.25 * floor
    return prior, trust


def _mean(regions: Regions, values: NDArray[np.float32]) -> Floats:
    sums = np.bincount(regions.labels.ravel(), values.ravel(), len(regions.area))
    mean: Floats = sums / np.maximum(regions.area, 1)
    return mean


def _likeness(regions: Regions, seeds: Floats, width: float, light: float = 0.30, full: float = 0.15) -> Floats:
    """(n,) 0..1: how near a superpixel's colour is to well-represented colours of the seeds (lightness counts less)."""
    colour = regions.lab.astype(float) * (light, 1.0, 1.0)
    gap = ((colour[:, None] - colour[None]) ** 2).sum(axis=2)
    weight = seeds * regions.area
    density = np.exp(-gap / (2 * width**2)) @ weight / (weight.sum() + 1e-9)
    likeness: Floats = np.clip(density / full, 0, 1)
    return likeness


def _joined(regions: Regions, member: NDArray[np.bool_], start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) members that one reaches from the starting members without leaving them or crossing a strong edge."""
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    open_pair = member[a] & member[b] & (regions.barrier < _STRONG)
    a, b = a[open_pair], b[open_pair]
    reached = member & start
    while True:
        grown = reached.copy()
        grown[b[reached[a]]] = True
        grown[a[reached[b]]] = True
        if (grown == reached).all():
            return reached
        reached = grown


def _floor_colour(regions: Regions) -> Floats:
    """(n,) likeness to the colour that spreads along the bottom, from side to side, and reaches highest."""
    y, x = regions.centre[:, 0].astype(float), regions.centre[:, 1].astype(float)
    side = np.abs(x - 0.5) * 2
    low = y > 0.62
    if low.sum() < 8:
        return np.zeros(len(y))
    colour = np.ascontiguousarray(regions.lab[low] * (0.6, 1.2, 1.2), np.float32)
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.2)
    count = min(6, int(low.sum()))
    _, label, _ = cv2.kmeans(colour, count, None, stop, 4, cv2.KMEANS_PP_CENTERS)
    label = label.ravel()
    area, across, down = regions.area[low].astype(float), x[low], y[low]
    best, chosen = 0.0, np.zeros(len(y))
    for k in range(count):
        mine = label == k
        share = area[mine].sum() / area.sum()
        if share < 0.05:
            continue
        bottom = area[mine & (down > 0.9)].sum() / (area[down > 0.9].sum() + 1e-9)
        bins = np.histogram(across[mine & (down > 0.72)], bins=10, range=(0, 1), weights=area[mine & (down > 0.72)])[0]
        full = np.histogram(across[down > 0.72], bins=10, range=(0, 1), weights=area[down > 0.72])[0]
        spread = float((bins > 0.12 * full).mean())
        reach = 1.0 - float(np.quantile(down[mine], 0.1))
        frame = np.mean([bool((mine & (down > 0.68) & edge).any()) for edge in (across < 0.04, across > 0.96)])
        score = spread * (0.15 + reach) * (0.1 + bottom) * share**0.3 * (0.1 + float(frame))
        if score > best:
            best = score
            chosen = np.zeros(len(y))
            chosen[np.nonzero(low)[0][mine]] = 1.0
    like = _likeness(regions, chosen, 5.0, 0.6, 0.28)
    at_frame = (y > 0.9) | ((side > 0.92) & (y > 0.68))
    return like * _joined(regions, like > 0.3, at_frame)


def _step(x: Floats) -> Floats:
    value: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -40, 40)))
    return value


def _room_likeness(features: Features, support: float) -> float:
    """Rooms have long upright lines and level ones, and a line where the ceiling ends."""
    h, w = features.shape
    dx, dy = features.lines[:, 2] - features.lines[:, 0], features.lines[:, 3] - features.lines[:, 1]
    length = np.hypot(dx, dy)
    upright = float(length[np.abs(dx) < 0.12 * np.abs(dy)].sum()) / h
    level = float(length[np.abs(dx) >= 0.12 * np.abs(dy)].sum()) / w
    return float(np.clip(min(upright / 3.0, level / 2.5, support / 0.75, 1.0), 0, 1))
