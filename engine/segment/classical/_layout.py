"""The room's box in a photo: the evidence for its edges, and the box that explains it best."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._regions import unshaded
from engine.segment.classical._roombox import Box, Evidence, fit_lower, fit_upper
from engine.vanishing import Vanishing, find_vanishing

__all__ = ["Room", "read_room"]

Floats = NDArray[np.float32]
_ANGLES = np.arange(-48, 49, 12)
_LEANS = np.arange(-12, 13, 12)  # of uprights; boards that run away from the camera lean more
_LENGTH = 25  # pixels of the half-size copy that one edge is averaged over
_EDGES_ABOVE, _MOST_ABOVE = 0.3, 2.0  # a lamp on the ceiling must not push the line above itself
_CLEAR = 0.45  # of the floor's border on visible edges: else it is not believed
_USUAL = 0.66  # of the height: where the floor begins where its border is not seen
_PAINT, _PAINT_BELOW = 8.0, 0.03  # distance within one paint; price of a pixel of it on the floor
_STRIP, _LITTLE = 0.08, 0.002  # of the height, below the ceiling: bare wall; of the picture: less of it says nothing
_BAND = 5  # pixels under an edge that still belong to it
_HALF = 0.5  # working pixels from the first row to the middle of the first row of the half-size copy
_SHOWN = (0, -60, -60), (97, 60, 60)  # Lab beyond which a camera clips
_UPRIGHT = 0.25  # strength from which an upright edge counts
_UPRIGHT_BELOW = 0.025  # price of a pixel of it on the floor: uprights are walls and furniture


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """The box seen in a photo, in working pixels."""

    ceiling: Floats
    """(w,) row where the ceiling ends, one a column; below 0 where it is not in the picture."""
    back: Floats
    """(w,) row of the back wall's upper edge, drawn on to both sides of the picture."""
    floor: Floats
    """(w,) row where the floor begins, were there no furniture; over h where it is not in the picture."""
    corners: tuple[float, float]
    """Columns of the left and right corner of the back wall under the ceiling; outside the picture where unseen."""
    seen: Floats
    """(w,) 0..1: where the ceiling's border lies on a visible edge, and is not drawn on across furniture."""
    support: float
    """0..1: how much of the ceiling's border that is."""
    floor_support: float
    """0..1: part of the floor's border that lies on a visible edge; 0 where the usual place was taken instead."""
    square: float
    """0..1: part of all long slanted edges that run in the box's two level directions."""


def read_room(features: Features) -> Room | None:
    """Fit the box; None where the photo has too few straight edges."""
    h, w = features.shape
    seen = find_vanishing(features.lines, features.shape)
    if seen is None:
        return None
    half = (max(8, w // 2), max(8, h // 2))
    scale = h / half[1]
    view = Vanishing(
        seen.horizon / scale, seen.first / scale, seen.second / scale, seen.support, seen.lean.scaled(1 / scale)
    )
    lab = cv2.resize(features.lab, half, interpolation=cv2.INTER_AREA)
    bold = _uprights(lab, _LEANS)
    edge = _long_edges(lab)
    clipped = np.clip(lab, _SHOWN[0], _SHOWN[1]).astype(np.float32)
    upper = fit_upper(Evidence(clipped, edge, _ceiling_price(edge), bold), view)
    even = unshaded(lab)
    uprights = _uprights(even)
    lower = fit_lower(
        Evidence(even, _long_edges(even), _floor_price(uprights) + _paint_price(even, upper), uprights), view, upper
    )
    support, floor_support = _share(upper, half[1]), _share(lower, half[1])

    def full(height: Floats) -> Floats:
        line: Floats = cv2.resize(height.reshape(1, -1), (w, 1), interpolation=cv2.INTER_LINEAR).ravel() * scale + _HALF
        return line

    left, right = (_seen(corner, upper.height, view.horizon, bold) for corner in upper.corners)
    left, right = (-1.0 if left is None else left * scale), (float(w) if right is None else right * scale)
    believed = floor_support > _CLEAR
    floor = full(lower.height) if believed else np.full(w, _USUAL * h, np.float32)
    bare = cv2.resize(cv2.blur(upper.seen.astype(np.float32).reshape(1, -1), (15, 1)), (w, 1)).ravel()
    return Room(
        ceiling=full(upper.height), back=full(upper.level), floor=floor, corners=(left, right), seen=bare,
        support=support, floor_support=floor_support if believed else 0.0, square=seen.support,
    )  # fmt: skip


def _share(box: Box, rows: int) -> float:
    """0..1: part of a border that lies on edges; less where little of it is in the picture."""
    inside = (box.height >= 0) & (box.height < rows)
    return float(box.seen[inside].mean()) * float(np.clip(inside.mean() * 2, 0, 1)) if inside.any() else 0.0


def _seen(corner: float, ceiling: Floats, horizon: float, uprights: Floats) -> float | None:
    """The corner's column if an upright edge shows it, else None: then both walls have one colour."""
    if not 0 < corner < len(ceiling) - 1:
        return None
    top = float(ceiling[int(corner)])
    low, high = max(0, int(top)), max(1, int(top + 0.4 * (horizon - top)))
    near = uprights[low:high, max(0, int(corner) - 3) : int(corner) + 4]
    shares = near.mean(axis=0)
    return corner - 3 + float(np.flatnonzero(shares == shares.max()).mean()) if shares.max() > 0.3 else None


def _long_edges(lab: Floats, angles: NDArray[np.int64] = _ANGLES) -> Floats:
    """(h, w) 0..1: the best response of an edge filter averaged along near-level lines of several slants."""
    lab = np.clip(lab, _SHOWN[0], _SHOWN[1]).astype(np.float32)
    step = cv2.Sobel(lab, cv2.CV_32F, 0, 1, ksize=3) / 8.0
    side = cv2.Sobel(lab, cv2.CV_32F, 1, 0, ksize=3) / 8.0
    best = np.zeros(lab.shape[:2], np.float32)
    for angle in np.radians(angles):
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


def _uprights(lab: Floats, angles: NDArray[np.int64] = _ANGLES) -> Floats:
    """(h, w) 1 on and beside long upright edges that lean by some of the angles (degrees), else 0."""
    edge = _long_edges(np.ascontiguousarray(lab.transpose(1, 0, 2)), angles).T
    wide: Floats = cv2.dilate((edge > _UPRIGHT).astype(np.float32), np.ones((1, 3), np.uint8))
    return wide


def _ceiling_price(edge: Floats) -> Floats:
    """(h, w) price of the ceiling's border there: high under many edges."""
    above = np.cumsum(edge, axis=0)
    above = np.concatenate([np.zeros((_BAND, edge.shape[1]), np.float32), above[:-_BAND]])
    price: Floats = (_EDGES_ABOVE * np.minimum(above, _MOST_ABOVE)).astype(np.float32)
    return price


def _floor_price(uprights: Floats) -> Floats:
    """(h, w) price of the floor's border there: high over uprights, on it more than at the bottom."""
    price = _UPRIGHT_BELOW * np.cumsum(uprights[::-1], axis=0)[::-1]
    relative: Floats = (price - price[-1]).astype(np.float32)
    return relative


def _paint_price(even: Floats, upper: Box) -> Floats:
    """(h, w) price of the floor's border there: high over the walls' paint; 0 if the floor has it too."""
    h, w = even.shape[:2]
    rows = np.arange(h)[:, None] - upper.height[None]
    strip = (rows > _BAND) & (rows < _BAND + _STRIP * h) & upper.seen
    if strip.mean() < _LITTLE:
        return np.zeros((h, w), np.float32)
    paint = even * np.array((0.5, 1, 1), np.float32)
    gap = np.linalg.norm(paint - np.median(paint[strip], axis=0), axis=2)
    wall = (gap < _PAINT).astype(np.float32)
    told = float(np.clip(1 - wall[-int(0.15 * h) :].mean() / 0.3, 0, 1))
    below = np.cumsum(wall[::-1], axis=0)[::-1]
    price: Floats = (told * np.minimum(_PAINT_BELOW * below, 1.0)).astype(np.float32)
    return price
