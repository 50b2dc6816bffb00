"""The line where the ceiling ends: the first long, perhaps faint, edges below the picture's top.

In a room with upright walls the ceiling's end is seen as at most three straight lines (left, back and right wall), and
in every column it is the highest of them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features

__all__ = ["ceiling_line"]

Floats = NDArray[np.float32]
_ANGLES = np.arange(-48, 49, 12)
_LENGTH = 25  # pixels of the half-size copy that one edge is averaged over
_LOWEST = 0.5  # of the height
_EDGES_ABOVE = 0.3
_MOST_ABOVE = 2.0  # a lamp on the ceiling must not push the line above itself
_BAND = 5  # pixels under an edge that still belong to it
_STEP = 4.0  # pixels between the tried heights of a line at the picture's two sides
_CANDIDATES = 40


def ceiling_line(features: Features) -> tuple[Floats, float]:
    """(w,) height of the line in working pixels, one a column, and how much of it lies on a real edge, 0..1."""
    h, w = features.shape
    lab = cv2.resize(features.lab, (max(8, w // 2), max(8, h // 2)), interpolation=cv2.INTER_AREA)
    edge = _long_edges(lab)
    path, support = _envelope(edge[: max(6, int(_LOWEST * edge.shape[0]))])
    line = cv2.resize(path.reshape(1, -1).astype(np.float32), (w, 1), interpolation=cv2.INTER_LINEAR).ravel()
    scaled: Floats = (line * (h / edge.shape[0])).astype(np.float32)
    return scaled, support


def _long_edges(lab: Floats) -> Floats:
    """(h, w) 0..1: the best response of an edge filter averaged along near-level lines of several slants."""
    lab = np.clip(lab, (0, -60, -60), (97, 60, 60)).astype(np.float32)
    step = cv2.Sobel(lab, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    side = cv2.Sobel(lab, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    best = np.zeros(lab.shape[:2], np.float32)
    for angle in np.radians(_ANGLES):
        across = step * np.cos(angle) - side * np.sin(angle)
        kernel = np.zeros((_LENGTH, _LENGTH), np.float32)
        middle, reach = _LENGTH // 2, (_LENGTH // 2) * np.array([np.cos(angle), np.sin(angle)])
        start, end = np.rint(middle - reach).astype(int), np.rint(middle + reach).astype(int)
        cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0, 1)
        mean = cv2.filter2D(across, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
        best = np.maximum(best, np.linalg.norm(mean, axis=2))
    noise = float(np.median(best[: max(2, len(best) // 12)]))
    scaled: Floats = np.clip((best - 1.5 * noise) / (3.0 * noise + 0.6), 0, 1)
    crest = best / (cv2.dilate(best, np.ones((9, 1), np.uint8)) + 1e-6)
    ridge: Floats = (scaled * crest**4).astype(np.float32)
    return ridge


def _envelope(edge: Floats) -> tuple[Floats, float]:
    """The one to three lines whose upper envelope lies on edges and leaves few above; (columns,) heights, support."""
    rows, columns = edge.shape
    above = np.cumsum(edge, axis=0)
    above = np.concatenate([np.zeros((_BAND, columns), np.float32), above[:-_BAND]])
    cost = _EDGES_ABOVE * np.minimum(above, _MOST_ABOVE) - edge
    cost = np.concatenate([np.zeros((1, columns), np.float32), cost, np.full((1, columns), 2.0, np.float32)])
    ends = np.arange(-1.5 * rows, 1.5 * rows, _STEP, dtype=np.float32)
    left, right = (v.ravel() for v in np.meshgrid(ends, ends))
    part = np.linspace(0, 1, columns, dtype=np.float32)
    heights = left[:, None] + (right - left)[:, None] * part
    column = np.arange(columns)

    def price(lines: Floats) -> Floats:
        """(n, columns) cost of a boundary at these heights; above the picture it costs nothing."""
        row = np.clip(np.rint(lines).astype(np.int64) + 1, 0, rows + 1)
        return np.asarray(cost[row, column], np.float32)

    value = np.minimum(price(heights), 0.0).sum(axis=1)
    order = np.argsort(value, kind="stable")
    chosen: list[int] = []
    for k in order:
        if len(chosen) == _CANDIDATES or value[k] > -0.04 * columns:
            break
        if all(abs(left[k] - left[c]) + abs(right[k] - right[c]) > 3 * _STEP for c in chosen):
            chosen.append(int(k))
    if not chosen:
        return np.zeros(columns, np.float32), 0.0
    lines = heights[chosen]
    best, line = 0.0, np.zeros(columns, np.float32)
    pairs = [(i, j) for i in range(len(lines)) for j in range(i, len(lines))]
    first, second = (lines[[p[k] for p in pairs]] for k in (0, 1))
    two = np.minimum(first, second)
    for third in lines:
        three = np.minimum(two, third)
        total = price(three).sum(axis=1)
        k = int(total.argmin())
        if total[k] < best:
            best, line = float(total[k]), three[k]
    row = np.clip(np.rint(line).astype(np.int64), 0, rows - 1)
    inside = line >= 0
    support = float((edge[row, column] > 0.2)[inside].mean()) if inside.any() else 0.0
    return line, support * float(np.clip(inside.mean() * 2, 0, 1))
