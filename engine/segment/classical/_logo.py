"""A printed mark that is no text: an even ink with sharp edges, enclosed by the body's own surface.

In linear light a print is its ground's light times a ratio that is the same all over the mark, in shade and in light
(the ratio rule of lightness constancy); a lamp's reflection and a shadow on a round thing change it softly, a knob or a
clasp has light and dark sides of its own. A plain disc or plate may be either, so it is not taken for a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.colour import to_linear
from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, disc, fill_holes, instance, ordered
from engine.segment.classical._strokes import fine_copy, strokes
from engine.types import FloatMask, Mask

__all__ = ["find_logo"]

Floats = NDArray[np.float32]
Bits = NDArray[np.bool_]
_STEPS = (0.25, 0.4, 0.6, 0.9, 1.3)  # of log light, at which marks are cut out
_DARK = 0.012  # of white, added to all light: noise in the dark is no print
_COARSE = 4  # working pixels in one of the copy on which the bare surface is read
_WINDOW = 0.4  # of the body's shorter side, of which marks cover less than half
_LEAST, _MOST, _SMALLEST = 0.003, 0.15, 40  # of the body; working pixels
_PART = 0.001  # of the body, of a mark's smaller parts
_PRINT = 1.5  # log light between ink and ground, root of the summed squares
_SHADOW = 2.6  # of what is only darker: a hard shadow has less
_HUELESS = 0.25  # log light by which the channels of a mere shadow differ
_SHARP = 0.28  # of the step, a pixel: an edge no softer than the photo's own
_EVEN, _CLEAN = 0.85, 0.8  # parts of the ink, and of the ground around, that are of one ratio
_SPREAD, _STRAY = 0.25, 0.2  # of the step; log light: how much one ratio varies
_BLOWN, _PALER = 0.96, 0.7  # linear light; what spreads over the channels of the light that a lamp adds, in all of it
_LONGEST, _COMPACT, _THIN = 4.0, 0.3, 0.03  # width over height; part of its hull; half its greatest stroke in its size
_PLATE, _ROUND = 0.9, 0.94  # part of its box that a plate fills; of a disc and its ellipse, what both cover
_DETAIL = 0.03  # of a mark, holes in it
_RING, _SAME, _SEEN = 0.5, 10.0, 0.2  # sizes around a gap in which the ground is seen too; Lab distance; part of it
_NEAR = 0.6  # of the larger one's size, between the parts of one mark
_SEVERAL = 3  # more are a pattern
_SURE = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    """One candidate."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1, working pixels."""
    shape: Bits
    """(y1 - y0, x1 - x0)."""
    ink: Floats
    """(3,) log light less that of the ground."""
    even: float
    clean: float
    plain: bool
    """A disc or a plate without anything in it."""
    large: bool
    """Large enough to be a mark by itself."""

    @property
    def size(self) -> int:
        """Pixels."""
        return int(self.shape.sum())

    @property
    def worth(self) -> float:
        return self.even * self.clean


def find_logo(features: Features, confidence: float, body: Mask, product: Mask, text: Mask) -> Found | None:
    """One instance a mark, at the size at which print is cut out; None where nothing is plainly one.

    Args:
        features: of the photo.
        confidence: that of the body.
        body: (h, w) the body, holes in it allowed.
        product: (h, w).
        text: (h, w) what lines of print cover.
    """
    place = fill_holes(body, int((body > 0).sum())) & product
    ground = _bare(features, place)
    if ground is None:
        return None
    light = to_linear(cv2.GaussianBlur(features.rgb, (0, 0), 0.7))
    ratio: Floats = np.log((light + np.float32(_DARK)) / (to_linear(ground) + np.float32(_DARK)))
    place = cv2.subtract(place, cv2.dilate(text, disc(1)))
    marks: list[_Mark] = []
    for mark in sorted(_marks(light, ratio, place), key=lambda mark: -mark.worth):
        if not any(_overlap(mark, other) for other in marks) and not _is_gap(features, mark, product):
            marks.append(mark)
    groups = _groups(marks)
    if not 0 < len(groups) <= _SEVERAL:
        return None
    fine = fine_copy(features)
    found = []
    for group in groups:
        seeds, block = np.zeros(features.shape, np.uint8), np.zeros(features.shape, np.uint8)
        for mark in group:
            x0, y0, x1, y1 = mark.box
            seeds[y0:y1, x0:x1] |= np.where(mark.shape, np.uint8(255), np.uint8(0))
            block[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = 255
        mask: FloatMask = strokes(fine, block, seeds, product)
        if (mask >= 0.5).any():
            score = _SURE * min(1.0, confidence / 0.8) * max(mark.worth for mark in group)
            found.append(instance(mask, score, features.size))
    return (max(i.score for i in found), ordered(found)) if found else None


def _bare(features: Features, place: Mask) -> NDArray[np.uint8] | None:
    """(h, w, 3) the body as if nothing were printed on it: the median over a wide window of its own pixels."""
    h, w = features.shape
    size = (w // _COARSE, h // _COARSE)
    small = cv2.resize(features.rgb, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(cv2.erode(place, disc(2)), size, interpolation=cv2.INTER_AREA) > 200
    if not inside.any():
        return None
    # around the body its nearest pixel: the window is always full
    nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    place_of = np.zeros(int(nearest.max()) + 1, np.int64)
    place_of[nearest[inside]] = np.flatnonzero(inside)
    filled = np.ascontiguousarray(small.reshape(-1, 3)[place_of[nearest]])
    _, _, dx, dy = cv2.boundingRect(place)
    window = min(101, max(3, int(_WINDOW * min(dx, dy) / _COARSE))) | 1
    smooth = cv2.GaussianBlur(cv2.medianBlur(filled, window), (0, 0), 2)
    bare: NDArray[np.uint8] = cv2.resize(smooth, (w, h), interpolation=cv2.INTER_LINEAR)
    return bare


def _marks(light: Floats, ratio: Floats, place: Mask) -> Iterator[_Mark]:
    """Whatever stands out of the surface at some step and looks printed."""
    away = np.abs(ratio).max(axis=2)
    enclosed = cv2.erode(place, disc(4)) > 0
    size = int((place > 0).sum())
    for step in _STEPS:
        out = np.where((away > step) & (place > 0), np.uint8(255), np.uint8(0))
        out = cv2.morphologyEx(out, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(out, connectivity=8)
        for k in range(1, count):
            x, y, dx, dy, area = (int(v) for v in stats[k])
            if not max(12, _PART * size) <= area <= _MOST * size or max(dx, dy) > _LONGEST * min(dx, dy):
                continue
            window = (slice(max(0, y - 6), y + dy + 6), slice(max(0, x - 6), x + dx + 6))
            own = labels[window] == k
            if not enclosed[window][own].all():
                continue
            large, corner = area >= max(_SMALLEST, _LEAST * size), (window[1].start, window[0].start)
            mark = _look(light[window], ratio[window], own, corner, large)
            if mark is not None:
                yield mark


def _look(light: Floats, ratio: Floats, own: Bits, corner: tuple[int, int], large: bool) -> _Mark | None:
    """A candidate looked at closely, `own` (h, w) in a window of linear light and of `ratio`; None: it is no print."""
    shape = own.astype(np.uint8)
    outline = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    whole = cv2.drawContours(np.zeros_like(shape), outline, -1, 1, cv2.FILLED)
    ring = (cv2.dilate(whole, disc(5)) > 0) & (cv2.dilate(whole, disc(2)) == 0)
    core = cv2.erode(shape, np.ones((3, 3), np.uint8)) > 0
    core = core if core.sum() >= 6 else own
    if not ring.any():
        return None
    ground = np.median(ratio[ring], axis=0)
    ink = (np.median(ratio[core], axis=0) - ground).astype(np.float32)
    step = float(np.linalg.norm(ink))
    shadow = bool((ink < 0).all()) and float(np.ptp(ink)) < _HUELESS
    if step < (_SHADOW if shadow else _PRINT):
        return None
    even = float((np.abs(ratio[core] - ground - ink).max(axis=1) < _SPREAD * step).mean())
    clean = float((np.abs(ratio[ring] - ground).max(axis=1) < _STRAY).mean())
    share = ((ratio - ground) @ ink / step**2).astype(np.float32)
    slope = np.hypot(cv2.Scharr(share, cv2.CV_32F, 1, 0), cv2.Scharr(share, cv2.CV_32F, 0, 1)) / 32
    line = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, disc(1)) > 0
    sharp = float(np.median(cv2.dilate(slope.astype(np.float32), disc(1))[line]))
    if even < _EVEN or clean < _CLEAN or sharp < _SHARP:
        return None
    if _mirrored(np.median(light[core], axis=0), np.median(light[ring], axis=0)):
        return None
    points = np.concatenate(outline)
    x, y, dx, dy = cv2.boundingRect(shape)
    thick = float(cv2.distanceTransform(np.pad(shape, 1), cv2.DIST_L2, 5).max())
    if own.sum() < _COMPACT * cv2.contourArea(cv2.convexHull(points)) or thick < _THIN * max(dx, dy):
        return None
    box = (corner[0] + x, corner[1] + y, corner[0] + x + dx, corner[1] + y + dy)
    plain = own.sum() > (1 - _DETAIL) * whole.sum() and _simple(whole, points)
    return _Mark(box, own[y : y + dy, x : x + dx], ink, even, clean, plain, large)


def _mirrored(mark: Floats, ground: Floats) -> bool:
    """A lamp's reflection, linear light (3,) each: blown out, or the ground's own light and a more colourless one."""
    more = mark - ground
    if more.min() <= 0:
        return False
    own, added = (float(np.ptp(light) / light.mean()) for light in (mark, more))
    return bool(mark.min() > _BLOWN or added < _PALER * own)


def _simple(whole: Mask, points: NDArray[np.int32]) -> bool:
    """A disc, seen from anywhere, or a rectangle."""
    (_, (wide, high), _) = cv2.minAreaRect(points)
    if whole.sum() > _PLATE * (wide + 1) * (high + 1):
        return True
    if len(points) < 5:
        return False
    ellipse = cv2.ellipse(np.zeros_like(whole), cv2.fitEllipse(points), 1, cv2.FILLED) > 0
    return bool(((whole > 0) & ellipse).sum() > _ROUND * ((whole > 0) | ellipse).sum())


def _is_gap(features: Features, mark: _Mark, product: Mask) -> bool:
    """What lies behind the product seen through a handle: near its outline, and of a colour that is seen beyond it."""
    x0, y0, x1, y1 = mark.box
    reach = round(_RING * max(x1 - x0, y1 - y0))
    window = (slice(max(0, y0 - reach), y1 + reach), slice(max(0, x0 - reach), x1 + reach))
    beyond = features.lab[window][product[window] == 0]
    if not beyond.size:
        return False
    own = np.median(features.lab[y0:y1, x0:x1][mark.shape], axis=0)
    return float((np.linalg.norm(beyond - own, axis=1) < _SAME).mean()) > _SEEN


def _groups(marks: Sequence[_Mark]) -> list[list[_Mark]]:
    """Marks of one ink that stand close, with one at least that may stand alone."""
    left, groups = list(marks), []
    while left:
        group = [left.pop(0)]
        for mark in group:  # grows on the way
            near = [other for other in left if _of_one(mark, other)]
            group += near
            left = [other for other in left if not any(other is taken for taken in near)]
        main = max((mark.size for mark in group if mark.large and not mark.plain), default=0)
        if main:
            groups.append([mark for mark in group if mark.size <= main])  # a dot beside it is its own, a dial is not
    return groups


def _of_one(a: _Mark, b: _Mark) -> bool:
    strong, weak = (float(np.linalg.norm(mark.ink)) for mark in (a, b))
    alike = float(a.ink @ b.ink) > 0.9 * strong * weak and 0.6 < strong / weak < 1 / 0.6
    size = max(max(mark.box[2] - mark.box[0], mark.box[3] - mark.box[1]) for mark in (a, b))
    return alike and _apart(a, b) < _NEAR * size


def _overlap(a: _Mark, b: _Mark) -> bool:
    """Whether they share pixels: one mark cut out at two steps."""
    x0, y0 = max(a.box[0], b.box[0]), max(a.box[1], b.box[1])
    x1, y1 = min(a.box[2], b.box[2]), min(a.box[3], b.box[3])
    if x0 >= x1 or y0 >= y1:
        return False
    here = (m.shape[y0 - m.box[1] : y1 - m.box[1], x0 - m.box[0] : x1 - m.box[0]] for m in (a, b))
    return bool(np.logical_and(*here).any())


def _apart(a: _Mark, b: _Mark) -> float:
    """Gap between two boxes, pixels; below 0 where they overlap."""
    return float(max(max(a.box[k], b.box[k]) - min(a.box[k + 2], b.box[k + 2]) for k in (0, 1)))
