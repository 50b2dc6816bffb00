"""What colour the floor has: the one below the walls that runs along them and out of the picture at its sides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._length import length
from engine.segment.classical._regions import Regions, bottleneck, hue_steps, likeness, soft_step

__all__ = ["border_margin", "floor_likeness"]

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]
_STRONG = 5.0  # Lab units a pixel: more than the joints between boards or tiles
_COLOURS = 5
_FAR = 0.2  # what the rest of such a colour says of the floor's
_COMMON = 0.15  # of what lies right under a skirting: so much of one colour is the floor's
_ALIKE = 4.0  # between unshaded colours of one floor
_FOOT = 0.1  # of the height: so far under a wall's foot the floor is mostly bare
_SHADE = np.array((0.25, 1, 1), np.float32)  # lightness says little: floors shine and lie in shadows
_MARGIN, _SURE = 0.06, 0.015  # of the height: the floor's border is known so well, unseen and seen
_CLOSED, _JOINTS = 2.2, 1.6  # Lab units a pixel that bound a thing on an even floor; times a floor's own joints
_OTHER, _HUES = 5.0, 2.5  # step of hue at which another thing begins; times those between a floor's own boards
_SMOOTH = 0.8  # Lab units a pixel: what is reached over less is the same floor in another light
_EVEN = np.array((2.0, 1, 1), np.float32)  # of the weights above: shades of one floor
_TIGHT = np.array((2.2, 1, 1), np.float32)  # of the weights above: one floor in one light


def floor_likeness(
    regions: Regions, down: Floats, footing: Floats, wall: Floats, seen: float, sure: bool
) -> tuple[Floats, float]:
    """(n,) 0..1: how sure a region is floor by colour, place and a way to the picture's frame over weak edges only.

    And 0..1: how clearly that colour is the floor's and no other one: 0.5 is a toss-up between two.

    Args:
        regions: the superpixels, n of them.
        down: (n,) how far under the floor's border a region lies, in picture heights.
        footing: (n,) 0..1, how much wall stands on the floor's border right over a region, and no furniture.
        wall: (n,) 0..1, how much a region has the walls' paint.
        seen: 0..1, how much of the floor's border lies on visible edges.
        sure: whether `footing` says what begins right under a skirting: that is floor.
    """
    y, x = regions.centre[:, 0].astype(float), regions.centre[:, 1].astype(float)
    paint = regions.paint * _SHADE
    low = down > 0.0
    if low.sum() < 8:
        return np.zeros(len(y)), 0.0
    lower = _Low(regions.area[low].astype(float), down[low], y[low], x[low], footing[low], wall[low])
    chosen, clear = _floor_colour(np.ascontiguousarray(paint[low]), lower, sure)
    seeds = np.zeros(len(y))
    seeds[low] = chosen
    margin = border_margin(seen)
    at_foot = (down > 0.0) & (sure | (down < _FOOT)) & (footing > 0.5)
    if sure:
        seeds = np.where(at_foot, seeds, _FAR * seeds)
    like = likeness(regions, paint, seeds, 5.0, 0.28)
    like = _bounded(regions, like, seeds, at_foot, paint) * soft_step((down + margin) / (margin / 4))
    at_frame = (down > -margin) & ((y > 0.95) | (np.abs(x - 0.5) > 0.47))
    return like * _joined(regions, like > 0.3, at_frame), clear


def border_margin(seen: float) -> float:
    """How well the floor's border is known, in picture heights, where `seen` of it (0..1) lies on visible edges."""
    return _SURE + (_MARGIN - _SURE) * float(np.clip((0.9 - seen) / 0.3, 0, 1))


def _bounded(regions: Regions, like: Floats, seeds: Floats, foot: Bits, paint: NDArray[np.float32]) -> Floats:
    """(n,) the likeness without things of the floor's colour that an outline bounds, and with its smooth shades.

    An outline, or a step of hue, is stronger than what parts the boards or tiles of this floor. `foot` says what lies
    at a wall's foot.
    """
    start = (seeds > 0) & (like > 0.5) & foot
    if start.sum() < 3:
        return like
    a, b = regions.pairs[:, 0], regions.pairs[:, 1]
    closed = max(_CLOSED, _JOINTS * _usual(regions.barrier[start[a] & start[b]]))
    crossed = bottleneck(regions, start)
    hues = hue_steps(regions)
    changed = bottleneck(regions, start, hues)
    other = max(_OTHER, _HUES * _usual(hues[start[a] & start[b]]))
    begun = start.astype(np.float64)
    tight = likeness(regions, paint * _TIGHT, seeds, 3.5, 0.35)
    reached = np.maximum(np.exp(-((crossed / closed) ** 2) - (changed / other) ** 4), tight)
    shades = 0.8 * np.exp(-((crossed / _SMOOTH) ** 4)) * likeness(regions, paint * _EVEN, begun, 10.0, 0.1)
    bounded: Floats = np.maximum(like * reached, shades)
    return bounded


def _usual(steps: Floats | NDArray[np.float32]) -> float:
    """What nine of ten steps within one floor stay below; 0 where there are none."""
    return float(np.quantile(steps, 0.9)) if len(steps) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Low:
    """The regions below the floor's border, n of them."""

    area: Floats
    down: Floats
    y: Floats
    x: Floats
    footing: Floats
    wall: Floats

    def share(self, mine: Bits, zone: Floats | Bits) -> float:
        """0..1: part of the weighted zone that is taken by `mine`."""
        weight = self.area * zone
        return float(weight[mine].sum() / (weight.sum() + 1e-9))


def _floor_colour(paint: NDArray[np.float32], low: _Low, sure: bool) -> tuple[Bits, float]:
    """(n,) members of the clusters that are floor, among those below its border; their score beside the next best."""
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.2)
    _, found, centres = cv2.kmeans(paint, min(_COLOURS, len(paint)), None, stop, 4, cv2.KMEANS_PP_CENTERS)
    label = found.ravel()
    scores = np.zeros(int(label.max()) + 1)
    foot = low.footing if sure else low.footing * ((low.down > 0.01) & (low.down < _FOOT))
    if sure and (low.area * foot).sum() > 0:
        shares = np.array([low.share(label == k, foot) for k in range(len(scores))])
        near = length(centres[:, None] - centres[None]) < 2 * _ALIKE
        told: Bits = np.isin(label, np.flatnonzero(shares > _COMMON))
        return told, float((near * shares).sum(axis=1).max())
    for k in range(len(scores)):
        mine = label == k
        share = low.share(mine, np.ones(len(mine), bool))
        if share < 0.05:
            continue
        along = _occupied(low.x, low.area, mine, low.down < 0.12)
        bottom = low.share(mine, low.y > 0.9)
        sides = [low.share(mine, side) for side in (low.x < 0.04, low.x > 0.96)]
        painted = float(np.average(low.wall[mine], weights=low.area[mine]))
        score = share**0.3 * (0.3 + along) * (0.4 + bottom) * (0.1 + float(np.mean(sides)))
        score *= (0.1 + low.share(mine, foot)) * (1 - 0.95 * painted)
        scores[k] = score
    best = int(scores.argmax())
    alike = length(centres - centres[best]) < _ALIKE  # one floor, lit and in shade
    chosen: Bits = np.isin(label, np.flatnonzero(alike)) & (scores.max() > 0)
    rival = float(scores[~alike].max(initial=0.0))
    return chosen, float(scores[best] / (scores[best] + rival + 1e-9))


def _occupied(x: Floats, area: Floats, mine: Bits, zone: Bits) -> float:
    """0..1: part of the picture's width in whose piece of the zone the members take a fair share."""
    own = np.histogram(x[mine & zone], bins=12, range=(0, 1), weights=area[mine & zone])[0]
    full = np.histogram(x[zone], bins=12, range=(0, 1), weights=area[zone])[0]
    return float((own > 0.15 * full).mean())


def _joined(regions: Regions, member: Bits, start: Bits) -> Bits:
    """(n,) members that one reaches from the starting members without leaving them or crossing a strong edge."""
    a, b = regions.pairs.T
    closed = ~(member[a] & member[b] & (regions.barrier < _STRONG))
    reached: Bits = bottleneck(regions, member & start, closed.astype(float)) < 1
    return reached
