"""The room as a box: where ceiling, back wall and side walls meet, as straight lines through vanishing points.

With the vanishing points known a box has few unknowns (Hedau, Hoiem and Forsyth 2009, "Recovering the spatial layout
of cluttered rooms"): the back wall's upper edge, its two corners, and its lower edge. All combinations on a grid are
priced by sums along lines through a vanishing point, which are table look-ups in a picture rectified to that point.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._length import length
from engine.vanishing import Lean, Vanishing

__all__ = ["Box", "Evidence", "Fan", "fit_lower", "fit_upper"]

Floats = NDArray[np.float32]
_CORNERS = 4  # pixels of the map between the tried columns of a corner
_CORNER_REACH = 0.4  # of the way from the border to the horizon: what stands lower down may be furniture
_CORNER_COST, _CORNER_GAIN = 0.06, 0.12  # of the width: a corner must be seen, as an upright or by the side wall's edge
_CEILING_CORNER = 0.75  # of that: up there curtains and wardrobes are uprights too
_STRAY = 0.5  # of the width: price of a corner at the floor without one at the ceiling
_STRAYED = 10.0  # pixels: farther from where an upright would lead, it is another corner
_EYE, _EYE_SPREAD, _EYE_COST = 1.25, 0.45, 0.1  # camera at 1.1 to 1.7 m in rooms 2.4 to 3 m high
_LADDER = 3.0  # that price at most, in spreads squared: some stand on a ladder, some kneel
_SIDES = (1.5, 4.0)  # pixels on both sides of a line that are compared: a sharp edge, a soft one
_FAR = 3.3  # times that, to tell an edge from a slope of light
_ALONG = 61  # pixels of a line that a faint edge is averaged over
_GRAZED = np.float32(4.0)  # Lab units: more of a step counts as so much where one looks keenly
_CALM = 0.3  # of all steps are noise alone, where one looks keenly
_FAINT = 0.7  # Lab units of a step seen for sure
_FAINT_WORTH, _KEEN_WORTH = 0.35, 0.7  # what one is worth beside a clear edge; where one looks keenly
_ON = 0.2  # edge that is seen
_SPACING = 1.0  # pixels of the map between neighbouring lines of a fan


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for a border in a picture."""

    colour: Floats
    """(h, w, 3) the picture, L*a*b* or like it."""
    edge: Floats
    """(h, w) 0..1: long edges."""
    price: Floats
    """(h, w) what a pixel of the border costs there, edge or not."""
    uprights: Floats
    """(h, w) 1 on upright edges, else 0."""
    keen: bool = False
    """Soft edges count too, such as a white ceiling makes with a white wall."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """One border of the back wall and its continuation on the side walls."""

    height: Floats
    """(w,) row of the border, one a column; outside the picture where the border is."""
    level: Floats
    """(w,) row of the back wall's border alone, drawn on to both sides."""
    corners: tuple[float, float]
    """Columns of the back wall's left and right corner at that border; outside the picture where it is not seen."""
    points: tuple[float, float]
    """Columns of the vanishing points of the back wall's and the side walls' level edges."""
    cost: float
    seen: NDArray[np.bool_]
    """(w,) where the border lies on a visible edge, and is not drawn on across furniture."""

    @property
    def shown(self) -> bool:
        """Whether any of it is in the picture."""
        return bool((self.height >= 0).any())


class Fan:
    """A picture seen along all lines through one point: sums along any piece of such a line are look-ups.

    Averaged along the line that an edge must lie on, even the faint step between a white wall and a white ceiling
    stands out of the noise.
    """

    def __init__(self, view: Evidence, column: float, row: float) -> None:
        h, w = view.edge.shape
        self.column, self.row, self.width = column, row, w
        reach = np.array([[x - column, y - row] for x in (0, w - 1) for y in (-0.3 * h, 1.3 * h)])
        if 0 < column < w - 1:
            low, high = -1.35, 1.35
        else:
            angles = np.arctan(reach[:, 1] / reach[:, 0])
            low, high = float(angles.min()), float(angles.max())
        far = float(np.hypot(reach[:, 0], reach[:, 1]).max())
        steps = int(np.clip((high - low) * far / _SPACING, 32, 900))
        self.angles = np.linspace(low, high, steps)
        x = np.arange(w, dtype=np.float64)
        self.rows = row + np.tan(self.angles)[:, None] * (x - column)
        ys = np.clip(self.rows, -1, h).astype(np.float32)
        xs = np.broadcast_to(x.astype(np.float32), ys.shape).copy()

        def at(values: Floats, off: float = 0.0) -> Floats:
            sampled: Floats = cv2.remap(
                values, xs, ys + np.float32(off), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            return sampled

        inside = (self.rows >= -0.5) & (self.rows <= h - 0.5)
        faint = np.zeros(ys.shape, np.float32)
        for near in _SIDES if view.keen else _SIDES[:1]:
            far = near * _FAR
            step = at(view.colour, near) - at(view.colour, -near)
            step -= (at(view.colour, far) - at(view.colour, -far)) / np.float32(_FAR)  # an even slope is no edge
            step *= inside[..., None]
            if view.keen:  # what is strong counts where it is, and not all along a line that grazes it
                step *= np.minimum(1, _GRAZED / (length(step) + np.float32(1e-6)))[..., None]
            strength = length(cv2.blur(step, (_ALONG, 1), borderType=cv2.BORDER_CONSTANT))
            noise = float(np.quantile(strength[inside], _CALM if view.keen else 0.5)) if inside.any() else 0.0
            clear = np.clip((strength - 2.0 * noise) / (2.0 * noise + _FAINT), 0, 1)
            crest = clear / (cv2.dilate(clear, np.ones((7, 1), np.uint8)) + np.float32(1e-6))
            faint = np.maximum(faint, clear * crest**4)
        self.edge: Floats = (
            np.maximum(at(view.edge), (_KEEN_WORTH if view.keen else _FAINT_WORTH) * faint) * inside
        ).astype(np.float32)
        along = at(view.price) - self.edge  # beyond the picture it costs what it costs at its rim
        self.sums = np.concatenate([np.zeros((steps, 1), np.float32), np.cumsum(along, axis=1)], axis=1)

    def index(self, column: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.int64]:
        """Which line passes through the points (column, row)."""
        gap = column - self.column
        angle = np.arctan((row - self.row) / np.where(np.abs(gap) < 1e-6, 1e-6, gap))
        k = np.rint((angle - self.angles[0]) / (self.angles[1] - self.angles[0]))
        clipped: NDArray[np.int64] = np.clip(k, 0, len(self.angles) - 1).astype(np.int64)
        return clipped


def _fit_one(
    fans: tuple[Fan, Fan], points: tuple[float, float], view: Vanishing, uprights: Floats, under: Box | None = None
) -> Box:
    """The cheapest border above the horizon, or below it with the corners of the border above: `under`."""
    h, w = uprights.shape
    back, side = points
    level, depth = fans
    horizon = view.horizon
    columns = np.arange(0, w + 1, _CORNERS)
    at = np.minimum(columns, w - 1)
    rows = level.rows[:, at]  # (lines, corners)
    valid = (rows < horizon - 0.03 * h) if under is None else (rows > horizon + 0.03 * h)
    line = depth.index(at.astype(float)[None], rows)
    total = depth.sums[:, -1]
    left = np.where(columns > 0, depth.sums[line, columns[None]], 0.0)
    right = np.where(columns < w, total[line] - depth.sums[line, columns[None]], 0.0)
    price = _corner_price(rows, uprights, at, horizon) * np.float32(_CEILING_CORNER if under is None else 1.0)
    price[:, [0, -1]] = 0.0
    if under is not None:
        known = _known(under, view.lean, rows)
        stray = np.abs(columns[None, :, None] - known[:, None]).min(axis=2) > _STRAYED
        price += w * _STRAY * (stray & _within(under, view.lean, rows, columns))
        left = left + w * _eye_price(level, under, horizon)[:, None]
    # a wall that runs away from the camera ends before its vanishing point; the back wall's own point is beside it
    left = np.where(valid & ((columns <= side) | (columns == 0)), left - level.sums[:, columns] + price, np.inf)
    right = np.where(valid & ((columns >= side) | (columns == w)), right + level.sums[:, columns] + price, np.inf)
    inside = 0 < back < w
    best, choice = np.inf, (0, 0, len(columns) - 1)
    for i, start in enumerate(columns[:-1]):
        ends = columns > start + 0.08 * w
        if inside:
            ends &= (columns < back) | (start > back)
        if not ends.any():
            continue
        both = np.where(ends, left[:, i : i + 1] + right, np.inf)
        k = int(both.argmin())
        if both.flat[k] < best:
            best, choice = float(both.flat[k]), (k // len(columns), i, k % len(columns))
    k, i, j = choice
    height = level.rows[k].astype(np.float64).copy()
    edge = level.edge[k].copy()
    start, end = int(columns[i]), int(columns[j])
    for corner, part in ((i, slice(0, start)), (j, slice(end, w))):
        height[part] = depth.rows[line[k, corner], part]
        edge[part] = depth.edge[line[k, corner], part]
    ends_at = (float(start) if start > 0 else -1.0, float(end) if end < w else float(w))
    return Box(height.astype(np.float32), level.rows[k].astype(np.float32), ends_at, points, best, edge > _ON)


def _corner_price(rows: NDArray[np.float64], uprights: Floats, at: NDArray[np.int64], horizon: float) -> Floats:
    """(lines, corners): low where an upright runs from the border towards the horizon, and not beyond."""
    h, w = uprights.shape
    sums = np.concatenate([np.zeros((1, w), np.float32), np.cumsum(uprights, axis=0)])

    def share(end: NDArray[np.float64]) -> Floats:
        low, high = (
            np.clip(np.rint(edge), 0, h).astype(np.int64) for edge in (np.minimum(rows, end), np.maximum(rows, end))
        )
        part: Floats = (sums[high, at] - sums[low, at]) / np.maximum(high - low, 4)
        return part

    to = horizon - rows
    seen = share(rows + _CORNER_REACH * to) - share(rows - _CORNER_REACH / 2 * to)
    price: Floats = (w * (_CORNER_COST - _CORNER_GAIN * seen)).astype(np.float32)
    return price


def _known(box: Box, lean: Lean, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(lines, 2) columns a corner may stand in below: under one above; the picture's sides where none is.

    `rows` (lines, corners) are those of the tried borders.
    """
    width = len(box.height)
    known = []
    for corner, none in zip(box.corners, (0.0, float(width)), strict=True):
        if not 0 < corner < width:
            known.append(np.full(len(rows), none))
            continue
        top = float(box.height[int(corner)])
        down = np.median(rows, axis=1) - top
        known.append(corner + down * lean.slope(np.full(len(rows), corner), top + down / 2))
    return np.stack(known, axis=1)


def _within(box: Box, lean: Lean, rows: NDArray[np.float64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(lines, corners) whether the upright through a corner (column, row) meets the border above inside the picture.

    The picture's sides stand for no corner: that none is seen below where one is above is as odd.
    """
    width = len(box.height)
    up = rows - box.height[np.minimum(columns, width - 1)]
    at = columns - up * lean.slope(np.broadcast_to(columns.astype(float), rows.shape), rows - up / 2)
    inside: NDArray[np.bool_] = (box.shown & (at > 0) & (at < width)) | (columns == 0) | (columns >= width)
    return inside


def _eye_price(level: Fan, under: Box, horizon: float) -> NDArray[np.float64]:
    """(lines,): the camera is held at about half the room's height, so the horizon halves the back wall."""
    middle = int(np.clip(np.mean(under.corners), 0, level.width - 1))
    above = max(horizon - float(under.height[middle]), 1.0)
    below = np.maximum(level.rows[:, middle] - horizon, 1.0)
    price: NDArray[np.float64] = _EYE_COST * np.minimum((np.log(below / above / _EYE) / _EYE_SPREAD) ** 2, _LADDER)
    return price


def fit_upper(evidence: Evidence, view: Vanishing) -> tuple[Box, Box]:
    """The ceiling's border with each of the two directions as the back wall's; `view` in the evidence's pixels."""
    points = view.second, view.first
    one, other = (Fan(evidence, point, view.horizon) for point in points)
    uprights = evidence.uprights
    return _fit_one((one, other), points, view, uprights), _fit_one((other, one), points[::-1], view, uprights)


def fit_lower(evidence: Evidence, view: Vanishing, under: Box) -> Box:
    """The floor's border, as `fit_upper`, with the corners `under` those of the ceiling's border."""
    back, side = (Fan(evidence, point, view.horizon) for point in under.points)
    return _fit_one((back, side), under.points, view, evidence.uprights, under)
