"""The room's box in a photo: the one that explains the evidence for its borders best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._borders import (
    Paint,
    at_walls,
    below_border,
    ceiling_evidence,
    find_paint,
    floor_evidence,
    odd,
    painted_top,
    reach,
    steadiness,
)
from engine.segment.classical._features import Features
from engine.segment.classical._regions import unshaded
from engine.segment.classical._roombox import Box, Evidence, fit_lower, fit_upper
from engine.segment.classical._skirting import Board, find_skirting
from engine.vanishing import Vanishing

__all__ = ["Room", "read_room"]

Floats = NDArray[np.float32]
_STEADY, _SURE = 0.6, 0.85  # of the step at the ceiling: below, one looks again for softer edges; and what is sure
_SHOWN = 0.7  # support from which a ceiling is seen
_CLEAR = 0.45  # of the floor's border on visible edges: else it is not believed
_LOW = 0.5  # of the wall over the eye: a "floor" less far below it is a table, or the horizon of no room at all
_LOWER, _ODD = 0.4, 1.0  # say of the floor border in which wall is the back one; price of a ceiling of two paints
_BEAM = 0.6  # of the way to the horizon: a "wall" that ends above it everywhere is a beam or a lower ceiling
_LEVELS, _LEVEL, _DOUBT = 2, 0.5, 0.85  # edges below it; support of the lowest; what a doubt leaves of it
_MAP = 75_000  # pixels of the copy that borders are looked for in


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """The box seen in a photo, in working pixels."""

    ceiling: Floats
    """(w,) row where the ceiling ends, one a column; below 0 where it is not in the picture."""
    back: Floats
    """(w,) row of the back wall's upper edge, drawn on to both sides of the picture."""
    floor: Floats
    """(w,) row where the floor begins, were there no furniture; h or more where it is not seen in the picture."""
    board: Board | None
    """The skirting above the floor; None where none is seen."""
    corners: tuple[float, float]
    """Columns of the left and right corner of the back wall under the ceiling; outside the picture where unseen."""
    seen: Floats
    """(w,) 0..1: where the ceiling's border lies on a visible edge, and is not drawn on across furniture."""
    support: float
    """0..1: how much of the ceiling's border that is; 0 where it is not in the picture."""
    overhead: bool
    """The walls begin at the picture's top: the ceiling lies above it."""
    floor_support: float
    """0..1: part of the floor's border that lies on a visible edge; 0 where too little does, and none is seen."""
    horizon: float
    """Row of the horizon."""
    eye: float
    """How far the floor lies below the horizon over how far the ceiling lies above it, at the back wall."""
    square: float
    """0..1: part of all long slanted edges that run in the box's two level directions."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A ceiling's border, the floor's border that goes with it, and what speaks for both."""

    cost: float
    upper: Box
    lower: Box
    paint: Paint | None
    support: float
    """0..1: how much of the upper border lies on edges that are one step all along."""
    usual: float
    """How far the paint below it goes down, 1 = to the horizon; 1 too where no paint is seen."""
    far: float
    """The same where it goes far."""
    overhead: bool = False
    """The ceiling is taken to lie above the picture."""


def read_room(features: Features, seen: Vanishing) -> Room:
    """Fit the box to a photo and its vanishing points."""
    h, w = features.shape
    scale = max(1.0, (h * w / _MAP) ** 0.5)
    rows, columns = max(8, int(h / scale)), max(8, int(w / scale))
    scale = h / rows
    view = seen.scaled(1 / scale)
    lab = cv2.resize(features.lab, (columns, rows), interpolation=cv2.INTER_AREA)
    above = ceiling_evidence(lab)
    fit = _fit(lab, view, above)
    upper, lower = fit.upper, fit.lower

    def full(height: Floats) -> Floats:
        line: Floats = cv2.resize(height.reshape(1, -1), (w, 1), interpolation=cv2.INTER_LINEAR).ravel()
        return line * np.float32(scale) + np.float32((scale - 1) / 2)

    left, right = (_seen(corner, upper.height, view.horizon, above.uprights) for corner in upper.corners)
    left, right = (-1.0 if left is None else left * scale), (float(w) if right is None else right * scale)
    floor_support = _share(lower, rows)
    middle = int(np.clip(np.mean(upper.corners), 0, columns - 1))
    eye = max(float(lower.height[middle]) - view.horizon, 0) / max(view.horizon - float(upper.height[middle]), 1.0)
    believed = floor_support > _CLEAR and eye > _LOW
    floor = full(lower.height) if believed else np.full(w, h, np.float32)  # walls go on as far as their paint
    board = None
    if believed and fit.paint is not None:
        board = find_skirting(features.lab, floor, seen.horizon, cv2.resize(fit.paint.shaded, (w, h)))
    bare = cv2.resize(cv2.blur(upper.seen.astype(np.float32).reshape(1, -1), (15, 1)), (w, 1)).ravel()
    return Room(
        ceiling=full(upper.height), back=full(upper.level), floor=floor if board is None else board.foot, board=board,
        corners=(left, right), seen=bare, support=fit.support, overhead=fit.overhead,
        floor_support=floor_support if believed else 0.0, horizon=seen.horizon, eye=eye, square=seen.support,
    )  # fmt: skip


def _fit(lab: Floats, view: Vanishing, above: Evidence) -> _Fit:
    """The box that explains the evidence in the small copy best; a beam or a lower ceiling is no wall of it."""
    uppers = fit_upper(above, view)
    if max(steadiness(lab, box.height) for box in uppers) < _STEADY:
        uppers = fit_upper(replace(above, keen=True), view)
    below, even = floor_evidence(lab, view.horizon), unshaded(lab)

    def whole(box: Box, oddness: float) -> _Fit:
        paint = find_paint(even, box)
        lower = fit_lower(at_walls(below, paint), view, box)
        cost = box.cost + _LOWER * lower.cost + lab.shape[1] * _ODD * oddness
        support = _share(box, len(lab)) * min(1.0, steadiness(lab, box.height) / _SURE)
        usual, far = (1.0, 1.0) if paint is None else reach(paint, box, view.horizon)
        return _Fit(cost, box, lower, paint, support, usual, far)

    first = min((whole(box, odd(even, box)) for box in uppers), key=lambda fit: fit.cost)
    fit = first
    for _ in range(_LEVELS):
        if fit.far > _BEAM:
            break
        under = fit_upper(below_border(above, fit.upper), view)
        fit = min((whole(box, 0.0) for box in under), key=lambda fit: fit.cost)
    if fit.far <= _BEAM or fit.support <= _LEVEL:
        fit = first
    fit = fit if first.usual > _BEAM else replace(fit, support=fit.support * _DOUBT)
    if fit.support < _SHOWN and painted_top(lab):
        fits = [whole(_overhead(box), 0.0) for box in uppers]
        fit = replace(min(fits, key=lambda fit: fit.lower.cost), overhead=True)
    return fit


def _overhead(box: Box) -> Box:
    """The same where the ceiling lies above the picture."""
    width = len(box.height)
    row = np.full(width, -1, np.float32)
    return replace(box, height=row, level=row, corners=(-1.0, float(width)), seen=np.ones(width, bool))


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
    first = max(0, int(corner) - 3)
    near = uprights[low:high, first : int(corner) + 4]
    if not near.size:
        return None
    shares = near.mean(axis=0)
    best = np.flatnonzero(shares == shares.max())
    return first + corner % 1 + float(best.mean()) if shares.max() > 0.3 else None
