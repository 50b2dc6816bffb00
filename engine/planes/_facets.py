"""The planes of one region: homographies that take photo pixels to metres on the surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.planes._quad import quad_matrix
from engine.planes._view import View
from engine.planes._walls import upright
from engine.types import Mask, Quad, Surface

__all__ = ["Facet", "facets_of"]

Matrix = NDArray[np.float64]

DISTANCES: Final = {"floor": 1.5, "ceiling": 1.0, "counter": 0.6, "wall": 2.5, "front": 0.8}
"""Metres from the eye to the plane where the photo cannot tell: an eye at 1.5 m, a room of 2.5 m, a table of 0.9 m."""


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """One plane, over columns first..last-1 of the photo."""

    matrix: Matrix
    """(3, 3): a place's (x, y, 1), px from the photo's upper left corner -> (u w, v w, w); u to the right and v along
    the pattern's length, metres. w is positive on the plane, and falls to 0 at its horizon."""
    first: float = -np.inf
    last: float = np.inf


def facets_of(
    mask: Mask, view: View, surface: Surface, metres: float, quad: Quad | None = None, at: tuple[int, int] = (0, 0)
) -> tuple[Facet, ...]:
    """The planes of a region, from left to right; their columns cover the photo.

    Args:
        mask: (h, w) uint8, 0/255, a window of the photo or the whole of it; not empty.
        view: the camera.
        surface: how the concept lies in space.
        metres: real length of the region's longer side, for "front".
        quad: a rectangle on the surface, which overrules all of that.
        at: row and column of the photo where `mask` begins.
    """
    if quad is not None:
        return (Facet(quad_matrix(quad, view.size, DISTANCES[surface])),)
    match surface:
        case "floor" | "counter":
            return (Facet(_level(view, DISTANCES[surface], 1)),)
        case "ceiling":
            return (Facet(_level(view, DISTANCES[surface], -1)),)
        case "wall":
            planes = upright(mask, view, DISTANCES["floor"], DISTANCES["ceiling"], DISTANCES["wall"], at)
            return tuple(Facet(matrix, first, last) for matrix, first, last in planes)
        case _:
            return (Facet(_facing(mask, metres, at)),)


def _level(view: View, height: float, side: int) -> Matrix:
    """A level plane `height` metres under (side 1) or over (-1) the eye: right and ahead are
    (x - middle, focal) * height / (y - horizon), turned to the room."""
    right, ahead = view.depth
    seen = np.array([[height, 0, -height * view.middle], [0, 0, height * view.focal], [0, side, -side * view.horizon]])
    turn = np.array([[ahead, -right, 0], [right, ahead, 0], [0, 0, 1]])
    matrix: Matrix = turn @ seen
    return matrix


def _facing(mask: Mask, metres: float, at: tuple[int, int]) -> Matrix:
    """A plane that faces the camera: the longer side of the region's box is `metres`."""
    x, y, width, height = cv2.boundingRect(mask)
    scale = metres / max(width, height)
    return np.array([[scale, 0, -scale * (x + at[1])], [0, scale, -scale * (y + at[0])], [0, 0, 1]])
