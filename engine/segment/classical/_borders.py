"""What speaks for the borders of a room's ceiling and floor: long edges, uprights, paints, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._length import length
from engine.segment.classical._regions import unshaded
from engine.segment.classical._roombox import Box, Evidence

__all__ = [
    "Paint",
    "at_walls",
    "below_border",
    "ceiling_evidence",
    "find_paint",
    "floor_evidence",
    "odd",
    "painted_top",
    "reach",
    "steadiness",
]

Floats = NDArray[np.float32]
_ANGLES = np.arange(-48, 49, 12)
_LEANS = np.arange(-12, 13, 12)  # of uprights; boards that run away from the camera lean more
_LENGTH = 25  # pixels of the half-size copy that one edge is averaged over
_EDGE = 0.25  # strength from which an edge counts
_EDGES_ABOVE, _MOST_ABOVE = 0.3, 2.0  # a lamp on the ceiling must not push the line above itself
_PAINT, _SAME, _HUE = 8.0, 6.0, 5.0  # distance within one paint; within a patch of it; of one hue
_ANY_LIGHT = 0.4  # weight of lightness, beside the usual one, where a wall may lie in any light
_PAINT_BELOW = 0.03  # price of a pixel of it on the floor
_FOOT, _FOOTINGS, _COMMON = 0.06, 4, 0.12  # of the height: the picture's foot; colours told apart there; share of one
_STANDING = 0.05  # of a column above the horizon: a colour seen there more stands there, and is no sign of the floor
_FOOT_ABOVE, _FOOT_MOST = 0.03, 0.7  # price of a pixel with a colour of the foot above the floor; at most
_SKIRTING, _ELSEWHERE = 0.06, 0.4  # of the height; worth of an edge that no wall stands on
_STRIP, _LITTLE = 0.08, 0.002  # of the height, below the ceiling: bare wall; of the picture: less of it says nothing
_TOP, _MOSTLY = 0.05, 0.6  # of the height, where a picture begins; part of that
_COLOURED, _DARK = 6.5, 45.0  # unshaded colour, and L*, beyond which few ceilings are
_BESIDE = 5  # pixels above and below a border that are compared
_BAND = 5  # pixels under an edge that still belong to it
_NEXT = 0.025  # of the height: a further border is at least so far below one
_WIDE, _BROKEN = (0.6, 0.85), 3  # parts of the columns that reach down less; rows of another paint that end one
_SHOWN = (0, -60, -60), (97, 60, 60)  # Lab beyond which a camera clips
_TALL = 9  # pixels: shorter ones are grain
_UPRIGHT_BELOW, _MOST = 0.025, 1.0  # price of a pixel of it on the floor: uprights are walls and furniture; at most


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """Where the walls' paint is, each (h, w) 1 or 0."""

    alike: Floats
    reaching: Floats
    """What of it reaches down from the ceiling."""
    shaded: Floats
    """The paint in any light."""
    true: Floats
    """The paint in any light, of nearly the same hue."""


def ceiling_evidence(lab: Floats) -> Evidence:
    """What speaks for the ceiling's border in a picture (h, w, 3), CIE L*a*b*."""
    edge = _long_edges(lab, _ANGLES)
    clipped = np.clip(lab, _SHOWN[0], _SHOWN[1]).astype(np.float32)
    return Evidence(clipped, edge, _ceiling_price(edge), _uprights(lab))


def below_border(evidence: Evidence, upper: Box) -> Evidence:
    """The same without that border and what lies above it, for the one below: a ceiling may have two levels."""
    rows = np.arange(len(evidence.edge))[:, None]
    hidden = rows < upper.height[None] + _NEXT * len(evidence.edge)
    edge = np.where(hidden, np.float32(0), evidence.edge)
    price = np.where(hidden, np.float32(1), _ceiling_price(edge))
    return replace(evidence, edge=edge, price=price)


def floor_evidence(lab: Floats, horizon: float) -> Evidence:
    """What speaks for the floor's border below the horizon's row, whatever the walls' paint; `at_walls` adds that."""
    even = unshaded(lab)
    uprights = _uprights(even)
    price = _floor_price(uprights) + _foot_price(even, horizon)
    return Evidence(even, _long_edges(even, _ANGLES), price, uprights)


def at_walls(floor: Evidence, paint: Paint | None) -> Evidence:
    """The same where the walls' paint is known."""
    if paint is None:
        return floor
    return replace(floor, edge=floor.edge * _on_wall(paint.alike), price=floor.price + _paint_price(paint.reaching))


def steadiness(lab: Floats, height: Floats) -> float:
    """0..1: how much the step across a border, one row a column (w,), is the same one all along; noise has some 0.3."""
    h, w = lab.shape[:2]
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.5)
    rows, columns = np.rint(height).astype(np.int64), np.arange(w)
    shown = (rows >= _BESIDE) & (rows < h - _BESIDE)
    if not shown.any():
        return 0.0
    above, below = (smooth[np.clip(rows + off, 0, h - 1), columns][shown] for off in (-_BESIDE, _BESIDE))
    step = above - below
    return float(np.linalg.norm(step.mean(axis=0)) / (length(step).mean() + 1e-6))


def odd(even: Floats, upper: Box) -> float:
    """0..1: part of what lies above the ceiling's border that has another colour than most of it."""
    above = np.arange(len(even))[:, None] < upper.height[None]
    if above.mean() < _LITTLE:
        return 0.0
    paint = even[above] * np.array((0.5, 1, 1), np.float32)
    return float((length(paint - np.median(paint, axis=0)) > _PAINT).mean())


def painted_top(lab: Floats) -> bool:
    """Whether a picture may begin with wall: most of its top is of one paint, too dark or coloured for a ceiling."""
    top = lab[: max(2, int(_TOP * len(lab)))].reshape(-1, 3)
    even = unshaded(top)
    usual = np.median(even, axis=0)
    one = length(np.array((_ANY_LIGHT, 1, 1), np.float32) * (even - usual)) < _PAINT
    return bool(one.mean() > _MOSTLY and (length(usual[1:]) > _COLOURED or np.median(top[:, 0]) < _DARK))


def find_paint(even: Floats, upper: Box) -> Paint | None:
    """The paint below the ceiling's border; None where little of it is seen."""
    h = len(even)
    rows = np.arange(h)[:, None] - upper.height[None]
    strip = (rows > _BAND) & (rows < _BAND + _STRIP * h) & upper.seen
    if strip.mean() < _LITTLE:
        return None
    paint = even * np.array((0.5, 1, 1), np.float32)
    gap = length(paint - np.median(paint[strip], axis=0))
    labels = cv2.connectedComponents((gap < _SAME).astype(np.uint8), connectivity=4)[1]
    reaching = np.isin(labels, np.unique(labels[strip & (labels > 0)]))
    light = np.array((_ANY_LIGHT, 1, 1), np.float32)
    shaded = length(light * (paint - np.median(paint[strip], axis=0)))
    return Paint(*(found.astype(np.float32) for found in (gap < _PAINT, reaching, shaded < _PAINT, shaded < _HUE)))


def reach(paint: Paint, upper: Box, horizon: float) -> tuple[float, float]:
    """How far the walls' paint goes down from the ceiling's border: usually, and where it goes far; 1 is the horizon.

    A wall goes on down to the floor somewhere; what ends all along above the horizon is a beam or a lower ceiling.
    """
    h = len(paint.true)
    rows = np.arange(h)[:, None]
    other = ((rows > upper.height[None] + _BAND) & (paint.true < 0.5)).astype(np.uint8)
    other = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((_BROKEN, 1), np.uint8))
    ends = np.where(other.any(axis=0), other.argmax(axis=0), h)
    shown = (upper.height >= 0) & upper.seen
    if not shown.any():
        return 1.0, 1.0
    usual, far = np.quantile(((ends - upper.height) / np.maximum(horizon - upper.height, 1))[shown], _WIDE)
    return float(usual), float(far)


def _long_edges(lab: Floats, angles: NDArray[np.int64]) -> Floats:
    """(h, w) 0..1: the best response of an edge filter averaged along near-level lines of several slants."""
    lab = np.clip(lab, _SHOWN[0], _SHOWN[1]).astype(np.float32)
    step = cv2.Sobel(lab, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    side = cv2.Sobel(lab, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    best = np.zeros(lab.shape[:2], np.float32)
    for angle in np.radians(angles):
        across = step * np.cos(angle) - side * np.sin(angle)
        best = np.maximum(best, length(_along(across, angle)))
    noise = float(np.median(best[: max(2, len(best) // 12)]))
    scaled: Floats = np.clip((best - 1.5 * noise) / (3.0 * noise + 0.6), 0, 1)
    crest = best / (cv2.dilate(best, np.ones((9, 1), np.uint8)) + 1e-6)
    ridge: Floats = (scaled * crest**4).astype(np.float32)
    return ridge


def _along(values: Floats, angle: float) -> Floats:
    """(h, w, 3) means along the piece of a line through each pixel, at an angle of at most 50° or so to the rows.

    Half of the line at a time, and no more than its box: OpenCV goes through Fourier space for a kernel of more than
    some hundred entries, however few of them count, in ten times the time.
    """
    line = np.zeros((_LENGTH, _LENGTH), np.float32)
    middle = _LENGTH // 2
    half_line = middle * np.array([np.cos(angle), np.sin(angle)])
    start, end = np.rint(middle - half_line).astype(int), np.rint(middle + half_line).astype(int)
    cv2.line(line, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0, 1)
    line /= line.sum()
    before, behind = line.copy(), line.copy()
    before[:, middle + 1 :], behind[:, : middle + 1] = 0, 0
    total = np.zeros_like(values)
    for half in (before, behind):
        box = (half > 0).astype(np.uint8)
        box[middle, middle] = 1  # OpenCV wants the pixel itself in it
        x, y, width, height = cv2.boundingRect(box)
        kernel, anchor = half[y : y + height, x : x + width], (middle - x, middle - y)
        total += cv2.filter2D(values, -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return total


def _uprights(lab: Floats) -> Floats:
    """(h, w) 1 on and beside long edges that are nearly upright, else 0."""
    edge = _long_edges(np.ascontiguousarray(lab.transpose(1, 0, 2)), _LEANS).T
    wide: Floats = cv2.dilate((edge > _EDGE).astype(np.float32), np.ones((1, 3), np.uint8))
    return wide


def _ceiling_price(edge: Floats) -> Floats:
    """(h, w) price of the ceiling's border there: high under many edges."""
    above = np.cumsum(np.where(edge > _EDGE, edge, 0), axis=0)
    above = np.concatenate([np.zeros((_BAND, edge.shape[1]), np.float32), above[:-_BAND]])
    price: Floats = (_EDGES_ABOVE * np.minimum(above, _MOST_ABOVE)).astype(np.float32)
    return price


def _floor_price(uprights: Floats) -> Floats:
    """(h, w) price of the floor's border there: high over uprights, on it more than at the bottom."""
    tall = cv2.morphologyEx(uprights, cv2.MORPH_OPEN, np.ones((_TALL, 1), np.uint8))
    price: Floats = np.minimum(_UPRIGHT_BELOW * np.cumsum(tall[::-1], axis=0)[::-1], _MOST).astype(np.float32)
    return price


def _paint_price(wall: Floats) -> Floats:
    """(h, w) price of the floor's border there: high over the walls' paint; 0 if the floor has it too."""
    told = float(np.clip(2 - wall[-int(0.1 * len(wall)) :].mean() / 0.35, 0, 1))
    below = np.cumsum(wall[::-1], axis=0)[::-1]
    price: Floats = (told * np.minimum(_PAINT_BELOW * below, 1.0)).astype(np.float32)
    return price


def _on_wall(wall: Floats) -> Floats:
    """(h, w) what an edge is worth there as the floor's border: all where a wall, or its skirting, stands on it."""
    high = max(2, int(_SKIRTING * len(wall)))
    above = cv2.dilate(wall, np.ones((high, 1), np.uint8), anchor=(0, high - 1))
    worth: Floats = (_ELSEWHERE + (1 - _ELSEWHERE) * above).astype(np.float32)
    return worth


def _foot_price(even: Floats, horizon: float) -> Floats:
    """(h, w) price of the floor's border there: high under what has a colour of the picture's foot."""
    h, w = even.shape[:2]
    paint = np.ascontiguousarray(cv2.blur(even * np.array((0.5, 1, 1), np.float32), (5, 5)))
    foot = paint[-max(2, int(_FOOT * h)) :].reshape(-1, 3)
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.2)
    _, label, centres = cv2.kmeans(foot, _FOOTINGS, None, stop, 2, cv2.KMEANS_PP_CENTERS)
    eye = int(np.clip(horizon, 1, h - 1))
    count = np.zeros((h, w), np.float32)
    for k, centre in enumerate(centres):
        alike = length(paint - centre) < _PAINT
        if (label == k).mean() > _COMMON:
            count = np.maximum(count, alike & (alike[:eye].mean(axis=0) < _STANDING))
    count[:eye] = 0
    price: Floats = np.minimum(_FOOT_ABOVE * np.cumsum(count, axis=0), _FOOT_MOST).astype(np.float32)
    return price
