"""Floor, ceiling and walls of a room: the room's box says where they can be, a random walk over superpixels what is.

The box gives straight borders and the places where every surface is surely seen: the ceiling above its border, each
wall right below it, the floor at the bottom. The walk (Grady 2005, "Multilabel random walker image segmentation using
prior models") carries these seeds over even surfaces and stops at edges; furniture is what cannot be reached from a
seed without crossing an edge, or has another colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._layout import Room, read_room
from engine.segment.classical._length import length
from engine.segment.classical._masks import Found, components, fill_holes, instance
from engine.segment.classical._priors import STRIP, Priors, find_priors
from engine.segment.classical._regions import Regions, make_regions, unshaded
from engine.segment.classical._walk import walker
from engine.segment.classical._walls import SHADE
from engine.types import FloatMask
from engine.vanishing import Vanishing, find_uprights, find_vanishing

__all__ = ["CEILING", "FLOOR", "ROOM", "WALL", "Layout", "find_surface", "read_layout"]

CEILING, WALL, FLOOR, OTHER = range(4)
_SMALLEST = (0.015, 0.025, 0.02)  # of the photo, for ceiling, wall, floor
ROOM = 0.7  # room-likeness below which nothing is called floor, wall or ceiling
_SQUARE, _LINES = 0.65, 0.1  # lines about a thing meet in two points by chance; so few lines say nothing
_PLAIN = 0.85  # of both borders, ceiling's and floor's, on edges: a room, however few lines it has beside
_OVERHEAD = 0.7  # trust in walls that begin at the picture's top
_WORKTOP = 0.8  # of the wall's height over the eye: a "floor" less far below it may be a table or a bed
_EDGE = 1.6  # Lab units a pixel at which the walk is slowed to 1/e
_TWO_PAINTS = 8.0  # between unshaded colours that are surely not one paint in two lights
_HUE = 1.2  # weight of colour in a step between neighbours, beside `SHADE`

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The reading of a room."""

    room: float
    """0..1: how much the photo looks like a room at all."""
    view: Vanishing | None = None
    """Where its level edges meet; None where it is no room."""
    trust: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """0..1: how surely the borders of ceiling, walls and floor were found."""
    regions: Regions | None = None
    """None where it is no room."""
    probability: Floats | None = None
    """(n superpixels, 4): ceiling, wall, floor, other; rows sum to 1."""


def read_layout(features: Features) -> Layout:
    """Classify all superpixels of one photo; cheap where the photo is no room."""
    seen = find_vanishing(features.lines, features.shape)
    room = _room_likeness(features, seen)
    if seen is None or (room < ROOM and seen.support < _SQUARE):
        return Layout(room)
    box = read_room(features, seen)
    plain = min(box.support, box.floor_support) > _PLAIN
    room = 1.0 if plain else min(room, max(box.support, box.floor_support) / 0.7)
    if room < ROOM:
        return Layout(room)
    parts = _parts(features, box)
    storeys = _storeys(features, box)
    regions = make_regions(features, parts + 4 * storeys)
    priors = find_priors(features, regions, box, parts)
    allowed = _allowed(regions, parts, storeys)
    return Layout(room, seen, _trust(box, priors.clear), regions, _spread(regions, priors, allowed))


def _parts(features: Features, box: Room) -> NDArray[np.int32]:
    """(h, w) 0 ceiling, 1 left wall, 2 back wall, 3 right wall; the floor is in the walls' parts.

    What has plainly the walls' paint is no ceiling, wherever the border runs. Where no upright shows a corner, what
    lies between the back wall's border, drawn on, and the side wall's border is ceiling too if it has the ceiling's
    colour and not the wall's: there a shadow was taken for an edge.
    """
    h, w = features.shape
    rows, columns = np.mgrid[0:h, 0:w]
    left, right = box.corners
    wall = 1 + (columns >= left).astype(np.int32) + (columns >= right)
    above = rows < box.ceiling[None]
    paint = unshaded(cv2.GaussianBlur(features.lab, (0, 0), 3))[..., 1:]
    strip = ~above & (rows < np.maximum(box.back, box.ceiling)[None] + STRIP * h)
    if above.any() and strip.any():
        top, bare = np.median(paint[above], axis=0), np.median(paint[strip], axis=0)
        apart = np.linalg.norm(top - bare)
        if apart > _TWO_PAINTS:
            above &= length(paint - bare) > 0.4 * apart
    for unseen, side in ((left < 0, columns < w // 2), (right >= w, columns >= w // 2)):
        wedge = ~above & (rows < box.back[None]) & side
        if not unseen or wedge.sum() < 0.001 * h * w or not above.any():
            continue
        top = np.median(paint[above], axis=0)
        bare = np.median(paint[strip & ~wedge], axis=0)
        apart = np.linalg.norm(top - bare)
        gap = length(paint - top)
        if apart > _TWO_PAINTS and float(np.median(gap[wedge])) < 0.4 * apart:
            above |= wedge & (gap < 0.5 * apart)
    parts: NDArray[np.int32] = np.where(above, 0, wall).astype(np.int32)
    return parts


def _storeys(features: Features, box: Room) -> NDArray[np.int32]:
    """(h, w) 0 above the skirting, 1 on it, 2 on the floor below it; 3 in columns where none is seen."""
    if box.board is None:
        return np.full(features.shape, 3, np.int32)
    rows = np.arange(features.shape[0])[:, None]
    storey = (rows >= box.board.top[None]).astype(np.int32) + (rows >= box.board.foot[None])
    return np.where(box.board.seen[None] > 0.3, storey, 3).astype(np.int32)


def _trust(box: Room, clear: float) -> tuple[float, float, float]:
    """How surely the borders of ceiling, walls and floor were found: the box's edges are seen, and are a box's."""
    square = min(1.0, box.square / 0.75)
    upper = min(1.0, box.support / 0.9) ** 2 * square  # half a border is often another edge
    begun = _OVERHEAD * square * min(1.0, box.floor_support / 0.9) if box.overhead else upper
    told = 0.55 + 0.45 * float(np.clip((clear - 0.5) / 0.4, 0, 1))  # two colours that might be the floor's
    lower = 0.3 + 0.65 * min(1.0, box.floor_support / 0.9)  # unseen: absent rather than a bed taken for floor
    told *= 1.0 if box.eye > _WORKTOP else 0.75
    told *= 1.0 if box.board is not None else 0.85  # without a skirting, what ends there may be a bed or a cupboard
    return 0.97 * upper, 0.93 * begun * (0.5 + 0.5 * lower), 0.9 * (0.6 * square + 0.4 * begun) * lower * told


def find_surface(features: Features, layout: Layout, kind: int) -> Found:
    """The whole surface as one instance: CEILING, WALL or FLOOR."""
    regions, probability = layout.regions, layout.probability
    if regions is None or probability is None:
        return 0.0, ()
    soft = probability[:, kind][regions.labels].astype(np.float32)
    best = probability.argmax(axis=1) == kind
    solid = (best[regions.labels] & (soft > 0.4)).astype(np.uint8) * 255
    h, w = features.shape
    solid = fill_holes(solid, int(0.0006 * h * w))
    kept = np.zeros((h, w), np.uint8)
    for piece in components(solid, int(0.002 * h * w)):
        kept |= piece
    share = float((kept > 0).mean())
    if share < _SMALLEST[kind]:
        return 0.0, ()
    inside = float(np.clip((soft[kept > 0].mean() - 0.2) / 0.5, 0, 1))
    score = layout.trust[kind] * inside * min(1.0, 0.6 + share / (4 * _SMALLEST[kind]))
    mask: FloatMask = np.where(kept > 0, np.maximum(soft, 0.55), np.minimum(soft, 0.35) * 0.5).astype(np.float32)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)
    return score, (instance(mask, score, features.size),)


def _allowed(regions: Regions, parts: NDArray[np.int32], storeys: NDArray[np.int32]) -> Floats:
    """(n, 4) 1 where a region can be of the class: the ceiling above its border only, walls and floor below it.

    Nothing on a skirting, no floor above it and no wall below it.
    """
    above = regions.mean((parts == 0).astype(np.float32)) > 0.5
    storey = np.rint(regions.mean(storeys.astype(np.float32)))
    wall, floor = ~above & ((storey == 0) | (storey == 3)), ~above & (storey >= 2)
    return np.stack([above, wall, floor, np.ones_like(above)], axis=1).astype(float)


def _weights(regions: Regions, allowed: Floats) -> Floats:
    """(m,) how easily one walks from a superpixel to the next: falls with the edge between them and the colour step."""
    a, b = regions.pairs.T
    gap = length((regions.paint[a] - regions.paint[b]) * (SHADE, _HUE, _HUE))
    weight = regions.border * np.exp(-regions.barrier / _EDGE - gap / 4.0) / np.sqrt(regions.area.mean())
    bare = allowed[:, :OTHER].sum(axis=1) == 0  # a skirting
    apart = (allowed[a, CEILING] != allowed[b, CEILING]) | (bare[a] != bare[b])
    across: Floats = weight * ~apart  # nothing spreads across the ceiling's border and a skirting's edges
    return across


def _spread(regions: Regions, priors: Priors, allowed: Floats) -> Floats:
    """(n, 4) the classes after the walk; their sum is 1."""
    carried = walker(regions.pairs, _weights(regions, allowed), priors.pull)(priors.classes)
    result: Floats = np.clip(carried, 1e-6, 1)
    result *= allowed
    result /= result.sum(axis=1, keepdims=True)
    return result


def _room_likeness(features: Features, seen: Vanishing | None) -> float:
    """0..1: rooms have long upright lines and level ones; few are enough where the level ones meet in two points."""
    if seen is None:
        return 0.0
    h, w = features.shape
    long = length(features.lines[:, 2:] - features.lines[:, :2])
    upright, _ = find_uprights(features.lines, features.shape)
    many = min(long[upright].sum() / h / 2.2, long[~upright].sum() / w / 1.7, 1.0)
    square = max(0.0, seen.support - _SQUARE) / (1 - _SQUARE)
    return float(np.clip(min(many + square * (many > _LINES), seen.support / 0.7), 0, 1))
