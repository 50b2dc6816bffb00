"""What is wall: the paint right below the ceiling, followed over even surfaces, past furniture, down to the floor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._floor import border_margin
from engine.segment.classical._layout import Room
from engine.segment.classical._regions import Regions, bottleneck, hue_steps, likeness, soft_step

__all__ = ["SHADE", "folds", "wall_paint"]

Floats = NDArray[np.float64]
SHADE = 0.2  # weight of lightness beside colour in a paint's distance: walls lie in any light
_CLOSED = 2.2  # Lab units a pixel: an outline as strong as this, without a gap, bounds an object
_HUE = 0.7  # Lab units a pixel that a step of hue between superpixels counts for: a cushion beside a wall of its shade
_SLOW = 1.0  # unshaded colour from one superpixel to the next that light alone may make
_SMOOTH = 1.0  # Lab units a pixel: what is reached over less is the same surface in another light
_BARE = 0.002  # of the photo: so much of a wall must be seen to know its paint
_SHOWS = 0.15  # of the strip where a wall begins
_BRIGHTER, _BEHIND, _BEYOND = 0.8, 0.5, 0.6  # worth of paint in stronger light, past furniture, going on
_SURELY = 0.45  # of a region being wall, from which it goes on
_STANDS = 20  # pixels of a region on the line of the walls' foot: then the wall stands there
_RIM = 0.48  # of the width, from the middle: a region there reaches out of the picture
_FOLD = 0.3  # L* units a pixel
_TALL, _ACROSS, _BESIDE = 21, 35, np.ones((1, 5), np.uint8)  # pixels: of a fold's edge, across folds, beside a crest
_PAIRS = 2.6  # rising and falling edges within that, of a curtain


def wall_paint(regions: Regions, box: Room, strip: Floats, part: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """How sure each of n regions has its wall's paint, and is that wall by the way that leads there.

    Args:
        regions: the superpixels.
        box: where the walls begin and end.
        strip: (n,) 0..1, how much a region lies on bare wall right below the ceiling.
        part: (n,) 0 on the ceiling, else the wall 1..3 that a region lies before.

    Returns:
        (n,) 0..1 each: likeness to the paint where the wall begins; likeness in the same light; whether one gets there
        from where the wall begins, or from its foot or the picture's rim, over no edge and no other hue.
    """
    h, w = regions.labels.shape
    light: Floats = regions.paint[:, 0].astype(float)
    paint = regions.paint * np.array((SHADE, 1, 1), np.float32)
    colour, tight, lit = (np.zeros(len(part)) for _ in range(3))
    usual_paint = likeness(regions, paint, strip, 5.0, 0.3) > 0.6
    for face in (1, 2, 3):
        seeds = strip * (part == face)
        if (seeds * usual_paint * regions.area).sum() > _SHOWS * (seeds * regions.area).sum():
            seeds = seeds * usual_paint  # what else stands there is a wardrobe, and no wall of its own
        if (seeds * regions.area).sum() < _BARE * h * w:
            seeds = strip  # furniture hides where this wall begins: it has the paint of the others
        if (seeds * regions.area).sum() > _BARE * h * w:
            colour = np.where(part == face, likeness(regions, paint, seeds, 5.0, 0.3), colour)
            same_light = paint * np.array((2, 1, 1), np.float32)
            tight = np.where(part == face, likeness(regions, same_light, seeds, 2.5, 0.4), tight)
            alike = likeness(regions, paint, seeds, 7.0, 0.4)
            usual = np.average(light, weights=seeds * regions.area)
            lit = np.where(part == face, np.maximum(alike, soft_step((light - usual - 4.0) / 1.5)), lit)
    edges = np.maximum(regions.barrier, _HUE * (hue_steps(regions) - _SLOW))
    crossed = bottleneck(regions, strip * colour > 0.4, edges)
    same = np.maximum(
        colour * np.exp(-((crossed / _CLOSED) ** 2)), _BRIGHTER * lit * np.exp(-((crossed / _SMOOTH) ** 4))
    )
    # a wall goes on behind furniture: down to the floor or out of the picture
    ends = (part > 0) & (tight > 0.5) & _at_end(regions, box)
    same = np.maximum(same, _BEHIND * tight * (bottleneck(regions, ends, edges) < _CLOSED))
    further = bottleneck(regions, same > _SURELY, edges)
    return colour, tight, np.maximum(same, _BEYOND * colour * np.exp(-((further / _SMOOTH) ** 4)))


def _at_end(regions: Regions, box: Room) -> NDArray[np.bool_]:
    """(n,) whether a region lies where walls end: over the skirting, at the floor's border, or at the picture's sides.

    Where no floor is seen only the sides above the horizon count: what leaves the picture lower may be the floor.
    """
    h = regions.labels.shape[0]
    y, x = regions.centre.T
    ends: NDArray[np.bool_] = np.abs(x - 0.5) > _RIM
    if not box.floor_support:
        ends &= y * h < box.horizon
        return ends
    foot = box.floor if box.board is None else box.board.top
    off = np.abs(np.arange(h, dtype=np.float32)[:, None] - foot[None])
    on = (off < border_margin(box.floor_support) * h).astype(np.float32)
    ends |= regions.mean(on) * regions.area > _STANDS
    return ends


def folds(features: Features, regions: Regions) -> Floats:
    """(n,) 0..1: how much a region goes up and down from side to side all over, as curtains do.

    Edges are counted, however strong: both sides of one pole do not make a curtain.
    """
    light = cv2.GaussianBlur(features.lab[..., 0], (0, 0), 1.2)
    across = cv2.blur(cv2.Sobel(light, cv2.CV_32F, 1, 0) / 8, (1, _TALL))
    rising, falling = (
        cv2.blur(((side > _FOLD) & (side >= cv2.dilate(side, _BESIDE))).astype(np.float32), (_ACROSS, _ACROSS))
        for side in (across, -across)
    )
    return soft_step((regions.mean(np.minimum(rising, falling)) * _ACROSS - _PAIRS) / 0.2)
