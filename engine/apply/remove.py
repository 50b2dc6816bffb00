"""Remove: a hole filled from what surrounds it.

Small pictures first: the hole is filled by patches that occur elsewhere in the picture and agree with each other and
with the hole's rim (Wexler, Shechtman & Irani, PAMI 2007), then the finer picture begins where the coarser one ended.
The finest matches copy the photo's own pixels, so texture and grain stay sharp; the light between the copies and the
hole's rim is evened out by a smooth sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import Window
from engine.apply._membrane import membrane
from engine.apply._patches import SIDE, Field, Sources, improve, vote
from engine.matte import Matte, reach
from engine.types import Mask, Rgb

__all__ = ["fill_hole", "hole_of"]

_WORK_AREA: Final = 200_000
"""Pixels of the hole's surroundings at which matches are searched at most."""
_WORK_HOLE: Final = 20_000
"""Pixels of the hole itself at which matches are searched at most."""
_LEAST_MARGIN: Final = 48  # px of surroundings on every side
_COARSEST: Final = 24  # px; smaller pictures have no patches to choose from
_TURNS: Final = (3, 4, 6, 8, 10)  # of matching and voting a level, finest first
_HALF: Final = SIDE // 2
_LIGHT: Final = 30.0  # sRGB steps; a copy that is further off than this shows another thing, not another light
_SURE: Final = 0.02
_SEED: Final = 20070301

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def hole_of(mask: Mask, kept: Mask, free: Matte) -> Mask:
    """The pixels that go with a thing: its own and those around it that the camera mixed with it.

    Args:
        mask: (H, W) uint8, 0/255: the thing.
        kept: (H, W) uint8, 0/255: pixels that nothing may touch.
        free: (H, W) uint8: what later layers left; the hole is taken out of it in place.

    Returns:
        (H, W) uint8, 0/255: no more than `reach` px wider than the mask.
    """
    hole: Mask = cv2.dilate(mask, _disc(reach(mask.shape)))
    hole[(kept > 0) | (free < 128)] = 0
    free[hole > 0] = 0
    return hole


def fill_hole(picture: Rgb, hole: Mask, avoid: Mask | None = None) -> bool:
    """Fill a hole of a picture from its surroundings, in place. The same input gives the same bytes.

    Args:
        picture: (H, W, 3) uint8 sRGB; changes within the hole and nowhere else.
        hole: (H, W) uint8, set where pixels are to be replaced. Parts that are apart are filled one after another;
            those that only `avoid` parts, such as what shows between protected letters, are one.
        avoid: (H, W) uint8, set where nothing may be copied from: protected things, other things.

    Returns:
        False where nothing of the picture is left to fill the hole from; it is left as it was.
    """
    barred = hole > 0 if avoid is None else (hole > 0) | (avoid > 0)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(barred.view(np.uint8))
    filled = True
    for k in range(1, count):
        x, y, width, height = (int(value) for value in boxes[k][:4])
        within = slice(y, y + height), slice(x, x + width)
        part = ((labels[within] == k) & (hole[within] > 0)).view(np.uint8)
        if part.any():
            left, top, width, height = cv2.boundingRect(part)
            windows = _surroundings((x + left, y + top, width, height), hole.shape)
            filled &= any(_fill(picture[at], hole[at] > 0, labels[at] == k, barred[at]) for at in windows)
    return filled


def _surroundings(box: tuple[int, int, int, int], size: tuple[int, ...]) -> Iterator[Window]:
    """A bounding box (x, y, width, height) with as much again on every side, then twice as much, up to the picture."""
    x, y, width, height = box
    margin = max(width, height, _LEAST_MARGIN)
    while True:
        rows = slice(max(0, y - margin), min(size[0], y + height + margin))
        columns = slice(max(0, x - margin), min(size[1], x + width + margin))
        yield rows, columns
        if (rows.stop - rows.start, columns.stop - columns.start) == tuple(size):
            return
        margin *= 2


def _fill(photo: Rgb, hole: Flags, unknown: Flags, barred: Flags) -> bool:
    """Fill what of a hole is `unknown` in its surroundings, in place; False where there is nothing to fill it from.

    What else is unknown, the `barred` pixels that are joined to the hole, is thought of on the way: it says nothing of
    what belongs beside it.
    """
    gap = hole & unknown
    scale = min(1.0, (_WORK_AREA / gap.size) ** 0.5, (_WORK_HOLE / int(unknown.sum())) ** 0.5)
    levels = list(_levels(photo, unknown, barred, scale))
    if not levels:
        return False
    field = _matched(levels)
    rim = round(2 / scale)
    near = cv2.dilate(gap.astype(np.uint8), _disc(2 * rim)) > 0
    copied = _copied(photo, near, field, levels[0].size)
    photo[gap] = _evened(photo, copied, near & ~barred, rim)[gap]
    return True


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The picture at one scale, mirrored `_HALF` px over each border so that every pixel has a patch."""

    picture: Floats
    """(h, w, 3), 0..1; the gap holds the present guess."""
    gap: Flags
    sources: Sources
    targets: tuple[NDArray[np.intp], NDArray[np.intp]]
    """Pixels whose patch meets the gap."""
    turns: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) without the border."""
        return self.gap.shape[0] - 2 * _HALF, self.gap.shape[1] - 2 * _HALF


def _levels(photo: Rgb, gap: Flags, barred: Flags, scale: float) -> Iterator[_Level]:
    """Finest first, each half as large as the one before, down to where the gap is as narrow as a patch."""
    for turns in _TURNS:
        size = round(gap.shape[1] * scale), round(gap.shape[0] * scale)
        if min(size) < _COARSEST:
            return
        # What is in a gap must not shine into its surroundings when both shrink.
        known = (~barred).astype(np.float32)
        small = cv2.resize(photo.astype(np.float32) / 255 * known[..., None], size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        small /= np.maximum(share, np.float32(1e-3))[..., None]
        lacks = share < 0.5
        hole = cv2.resize(gap.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        if (hole & lacks).any():
            hole &= lacks
        else:  # a hair, thinner than a pixel at this scale
            lacks |= hole
        level = _level(small, hole, lacks, turns)
        if level is None:
            return
        yield level
        if not cv2.erode(hole.astype(np.uint8), np.ones((SIDE, SIDE), np.uint8)).any():
            return
        scale /= 2


def _level(picture: Floats, gap: Flags, lacks: Flags, turns: int) -> _Level | None:
    """None where no whole patch is known."""
    whole = cv2.erode((~lacks).astype(np.uint8), np.ones((SIDE, SIDE), np.uint8), borderValue=0) > 0
    whole[:_HALF] = whole[-_HALF:] = False
    whole[:, :_HALF] = whole[:, -_HALF:] = False
    if not whole.any() or not gap.any():
        return None
    near = cv2.dilate(gap.astype(np.uint8), np.ones((SIDE, SIDE), np.uint8)) > 0
    border = ((_HALF, _HALF), (_HALF, _HALF))
    rows, columns = np.nonzero(np.pad(near, border))
    return _Level(
        np.pad(picture, (*border, (0, 0)), mode="reflect"),
        np.pad(gap, border),
        Sources.of(np.pad(whole, border)),
        (rows, columns),
        turns,
    )


def _matched(levels: list[_Level]) -> Field:
    """Matches at the finest level, found from the coarsest on."""
    rng = np.random.default_rng(_SEED)
    coarsest = levels[-1]
    coarsest.picture[:] = membrane(coarsest.picture, ~coarsest.gap)
    field = _field(coarsest, *coarsest.sources.draw(len(coarsest.targets[0]), rng))
    improve(field, coarsest.picture, coarsest.sources, rng, rounds=3)
    for level in reversed(levels):
        if level is not coarsest:
            field = _refined(field, level, rng)
        vote(field, level.picture, level.gap)
        for _ in range(level.turns):
            improve(field, level.picture, level.sources, rng, rounds=1)
            vote(field, level.picture, level.gap)
    return field


def _field(level: _Level, source_rows: NDArray[np.intp], source_columns: NDArray[np.intp]) -> Field:
    rows, columns = level.targets
    return Field(rows, columns, source_rows, source_columns, np.zeros(len(rows), np.float32))


def _refined(coarse: Field, level: _Level, rng: np.random.Generator) -> Field:
    """The matches of the next coarser level, twice as fine."""
    rows, columns = level.targets
    near = _nearest(coarse, (rows - _HALF) // 2 + _HALF, (columns - _HALF) // 2 + _HALF)
    source_rows = rows + 2 * (coarse.source_rows - coarse.rows)[near]
    source_columns = columns + 2 * (coarse.source_columns - coarse.columns)[near]
    height, width = level.sources.allowed.shape
    inside = (source_rows >= 0) & (source_rows < height) & (source_columns >= 0) & (source_columns < width)
    inside[inside] = level.sources.allowed[source_rows[inside], source_columns[inside]]
    lost = np.flatnonzero(~inside)
    source_rows[lost], source_columns[lost] = level.sources.draw(len(lost), rng)
    return _field(level, source_rows, source_columns)


def _nearest(field: Field, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Index of the field's target at, or else nearest to, each place."""
    height = int(max(rows.max(initial=0), field.rows.max())) + 1
    width = int(max(columns.max(initial=0), field.columns.max())) + 1
    absent = np.ones((height, width), np.uint8)
    absent[field.rows, field.columns] = 0
    _, labels = cv2.distanceTransformWithLabels(absent, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    owner = np.zeros(int(labels.max()) + 1, np.intp)
    owner[labels[field.rows, field.columns]] = np.arange(len(field.rows))
    index: NDArray[np.intp] = owner[labels[rows, columns]]
    return index


def _copied(photo: Rgb, near: Flags, field: Field, size: tuple[int, int]) -> Floats:
    """(H, W, 3) sRGB values 0..255 copied by the matches of a picture of `size`, where `near` is set; 0 elsewhere.

    Each pixel takes a tent-weighted mean of what the matches around it copy: where they agree, which is nearly
    everywhere, that is one pixel of the photo, and where they do not, the seam is soft.
    """
    rows, columns = np.nonzero(near)
    scale = np.array(size) / near.shape
    y, x = (rows + 0.5) * scale[0] - 0.5, (columns + 0.5) * scale[1] - 0.5
    total = np.zeros(len(rows), np.float32)
    mean = np.zeros((len(rows), 3), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            at_y = np.clip(np.rint(y).astype(np.intp) + dy, 0, size[0] - 1)
            at_x = np.clip(np.rint(x).astype(np.intp) + dx, 0, size[1] - 1)
            match = _nearest(field, at_y + _HALF, at_x + _HALF)
            down = np.rint((field.source_rows - field.rows)[match] / scale[0]).astype(np.intp)
            right = np.rint((field.source_columns - field.columns)[match] / scale[1]).astype(np.intp)
            weight = np.maximum(1.5 - np.hypot(y - at_y, x - at_x), 1e-3).astype(np.float32)
            from_rows = np.clip(rows + down, 0, near.shape[0] - 1)
            from_columns = np.clip(columns + right, 0, near.shape[1] - 1)
            mean += weight[:, None] * photo[from_rows, from_columns]
            total += weight
    copied = np.zeros((*near.shape, 3), np.float32)
    copied[rows, columns] = mean / total[:, None]
    return copied


def _evened(photo: Rgb, copied: Floats, rim: Flags, radius: int) -> Rgb:
    """`copied` with its light drawn to that of the photo along the rim.

    Only where the two differ by as much as light does: past that they show different things.
    """
    lack = np.where(rim[..., None], photo - copied, np.float32(0))
    trust = np.where(rim, np.exp(-np.square(lack).sum(axis=2) / _LIGHT**2), np.float32(0)).astype(np.float32)
    weight = cv2.GaussianBlur(trust, (0, 0), radius)
    mean = cv2.GaussianBlur(lack * trust[..., None], (0, 0), radius)
    sure = rim & (weight > _SURE)
    if not sure.any():
        return _bytes(copied)
    light = membrane(mean / np.maximum(weight, np.float32(_SURE))[..., None], sure)
    return _bytes(copied + light)


def _bytes(values: Floats) -> Rgb:
    rounded: Rgb = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def _disc(radius: int) -> Mask:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc: Mask = np.where(x * x + y * y <= radius * radius, np.uint8(1), np.uint8(0))
    return disc
