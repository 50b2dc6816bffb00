"""The joints of a tiled floor: two families of evenly spaced lines that run to the room's two vanishing points.

A row of the picture shows the floor to scale, so lines that are evenly spaced on the floor and meet in one point of the
horizon cut the row evenly too: a family is a comb in one coordinate. Averaged along its lines even a joint paler than a
pixel's noise stands out, and one that differs from its tiles in hue alone. Boards make one comb; tiles make two, of one
colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._length import length
from engine.segment.classical._regions import unshaded
from engine.types import Mask
from engine.vanishing import Vanishing

__all__ = ["Tiling", "find_tiling"]

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]
_BELOW = 0.06  # of the height: so far below the horizon joints are told apart
_BESIDE = 3.0  # pixels from a joint's middle to the tile beside it
_STRONGEST = 6.0  # units of a step: more of one pixel counts as so much, else a chair's leg is a joint
_RIM = 5  # pixels of the floor's rim that furniture's edges draw into it
_GRAZED = 0.25  # of the widest spacing: where lines lie closer, they are not told apart
_SEEN = 0.15  # of how many pixels most places of a profile have
_FINEST, _FEWEST = 8.0, 3  # places of a profile from joint to joint, at the least; joints
_STANDS_OUT = 4.0  # times what chance gives: the fainter of both combs
_SAME = 0.4  # of the stronger comb's step: so strong the fainter is, at the least
_LONG = 0.55  # of the mean step along a comb's joints that its usual pixel has
_CLOSEST = 5.0  # pixels from joint to joint, in which they are drawn
_HALF = 1.0  # pixels on both sides of a joint's middle


@dataclass(frozen=True, slots=True, eq=False)
class Tiling:
    """Two combs in the picture."""

    joints: Mask
    """(h, w) about the joints, 0 or 255."""
    colour: Floats
    """(3,) unit vector from the tiles' colour to the joints', both `unshaded`."""
    clear: float
    """How far the fainter comb stands out, in times what chance gives."""


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The picture below the horizon by the lines through one point of it."""

    place: Floats
    """(h, w) which line runs through a pixel; even on the floor, and 1 from line to line is a pixel at its nearest."""
    scale: Floats
    """(h, w) pixels across the lines from one place to the next, at most about 1."""
    step: NDArray[np.float32]
    """(h, w, 3) how far a pixel differs from both sides of its line."""


@dataclass(frozen=True, slots=True, eq=False)
class _Comb:
    """Evenly spaced joints, in places of a profile."""

    pitch: float
    start: float
    """The middle of one joint, less than a pitch."""
    step: Floats
    """(k,) how far its joints differ from the tiles in the mean."""
    clear: float


def find_tiling(features: Features, view: Vanishing, floor: Mask) -> Tiling | None:
    """The joints on `floor` (h, w), 0 or 255, as `view` shows them; None where it is not tiled, or too few are seen."""
    top = int(np.clip(view.horizon, 0, len(floor) - 1))
    below, horizon = floor[top:], view.horizon - top
    inner = cv2.erode(below, np.ones((_RIM, _RIM), np.uint8)) > 0
    inner &= np.arange(len(below))[:, None] > horizon + _BELOW * len(floor)
    if not inner.any():
        return None
    even = cv2.GaussianBlur(unshaded(features.lab[top:]), (0, 0), 0.6)
    lines = [_through(even, inner, point, horizon) for point in (view.first, view.second)]
    profiles = [_profile(each, inner) for each in lines]
    combs = [_comb(*profile) for profile in profiles]
    strong = max(range(2), key=lambda k: combs[k].clear)
    colour = combs[strong].step / max(float(np.linalg.norm(combs[strong].step)), 1e-9)
    values, seen = profiles[1 - strong]
    faint = _comb((values @ colour)[:, None], seen)
    if faint.clear < _STANDS_OUT or float(faint.step[0]) < _SAME * float(np.linalg.norm(combs[strong].step)):
        return None
    drawn = np.zeros(floor.shape, np.uint8)
    for each, comb in ((lines[strong], combs[strong]), (lines[1 - strong], faint)):
        joints = _drawn(each, comb)
        if _whole(each.step[joints & inner] @ colour) < _LONG:
            return None
        drawn[top:] |= np.where(joints, below, np.uint8(0))
    return Tiling(drawn, colour, faint.clear)


def _whole(steps: Floats) -> float:
    """Of the mean step (n,) how much the usual pixel has: about 1 of joints, little of the ends of staggered boards."""
    mean = float(steps.mean()) if len(steps) else 0.0
    return float(np.median(steps)) / mean if mean > 0 else 0.0


def _through(even: NDArray[np.float32], inner: Bits, point: float, horizon: float) -> _Lines:
    """Lines through the column `point` of the horizon's row; `even` (h, w, 3) is the picture, `unshaded`."""
    h, w = inner.shape
    y, x = np.mgrid[0:h, 0:w]
    across, down = x - point, np.maximum(y - horizon, 1.0)
    far = np.hypot(across, down)
    scale = down * down / far
    widest = float(np.quantile(scale[inner], 0.98))
    sides = [
        cv2.remap(
            even,
            (x - off * down / far).astype(np.float32),
            (y + off * across / far).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for off in (_BESIDE, -_BESIDE)
    ]
    step = even - (sides[0] + sides[1]) / 2
    step *= np.minimum(1, _STRONGEST / (length(step) + np.float32(1e-6)))[..., None]
    place = across / down * widest
    return _Lines(place - place[inner].min(), scale / widest, step)


def _profile(lines: _Lines, inner: Bits) -> tuple[Floats, Bits]:
    """(n, 3) the mean step along every line, a place apart, and (n,) where enough of one is seen."""
    used = inner & (lines.scale > _GRAZED)
    if used.sum() < _FINEST:
        return np.zeros((1, 3)), np.zeros(1, bool)
    place = np.floor(lines.place[used]).astype(np.int64)
    weight = lines.scale[used]
    sums = [np.bincount(place, weight * lines.step[..., c][used]) for c in range(3)]
    count, *sums = (np.convolve(each, (0.25, 0.5, 0.25), "same") for each in (np.bincount(place, weight), *sums))
    seen = count > _SEEN * np.quantile(count, 0.9)
    values = np.stack(sums, axis=1) / np.maximum(count, 1e-6)[:, None]
    return np.where(seen[:, None], values - np.median(values[seen], axis=0), 0), seen


def _comb(values: Floats, seen: Bits) -> _Comb:
    """The comb that stands out most from a profile (n, k); of one channel only one whose joints are higher."""
    places = np.flatnonzero(seen)
    noise = float(np.sqrt((values[places] ** 2).sum(axis=1).mean())) if len(places) else 0.0
    best = _Comb(1.0, 0.0, np.zeros(values.shape[1]), 0.0)
    if noise == 0:
        return best
    span = int(places[-1] - places[0]) + 1
    pitch = _FINEST
    while pitch * _FEWEST < span:
        phase = (places % pitch).astype(np.int64)
        count = np.bincount(phase)
        sums: Floats = np.stack([np.bincount(phase, channel[places]) for channel in values.T], axis=1).astype(float)
        if values.shape[1] == 1:
            sums = np.maximum(sums, 0)
        clear = np.where(count >= _FEWEST, length(sums) / np.sqrt(np.maximum(count, 1)), 0) / noise
        k = int(clear.argmax())
        if clear[k] > best.clear:
            steps = values[places[phase == k]] @ sums[k]
            all_of_them = float((steps > steps.mean() / 3).mean())
            if all_of_them * clear[k] > best.clear:
                best = _Comb(pitch, k + 0.5, sums[k] / count[k], float(all_of_them * clear[k]))
        pitch += pitch / span
    return best


def _drawn(lines: _Lines, comb: _Comb) -> Bits:
    """(h, w) what lies about the joints of a comb, as far as they can be told apart."""
    off = lines.place - comb.start
    away = np.abs(off - np.rint(off / comb.pitch) * comb.pitch) * lines.scale
    drawn: Bits = (away < _HALF) & (comb.pitch * lines.scale > _CLOSEST)
    return drawn
