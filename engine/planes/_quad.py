"""A rectangle that a user marked: its plane, and its size where that was not told."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.planes._view import FOCAL
from engine.types import Quad

__all__ = ["quad_matrix"]

Matrix = NDArray[np.float64]


def quad_matrix(quad: Quad, size: tuple[int, int], distance: float) -> Matrix:
    """(3, 3) photo pixels -> metres, the quad's first corner at (0, 0), its first side along u.

    Without `quad.metres` the sides' ratio follows from square pixels and a principal point in the middle (Zhang & He,
    "Whiteboard scanning and image enhancement", 2007, eqs. 11 and 14), and their length from `distance`.

    Args:
        quad: corners as shares of the photo.
        size: (height, width) of the photo, px.
        distance: metres from the eye to the plane.
    """
    height, width = size
    corners = (np.array(quad.corners) * (width, height)).astype(np.float32)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    seen: Matrix = cv2.getPerspectiveTransform(square, corners)  # the unit square -> the photo
    sides = _sides(seen, size, distance) if quad.metres is None else np.array(quad.metres)
    matrix: Matrix = np.diag([*sides, 1.0]) @ np.linalg.inv(seen)
    x, y = seen[:2] @ (0.5, 0.5, 1) / (seen[2] @ (0.5, 0.5, 1))
    return matrix if matrix[2] @ (x, y, 1) > 0 else -matrix


def _sides(seen: Matrix, size: tuple[int, int], distance: float) -> NDArray[np.float64]:
    """(2,) metres of the square's sides, the plane being `distance` from the eye."""
    height, width = size
    middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    first, second, origin = (middle @ seen).T
    focal = FOCAL * max(size)
    tilt = first[2] * second[2] * max(size) ** 2
    if abs(tilt) > 1e-4:
        squared = -(first[0] * second[0] + first[1] * second[1]) / (first[2] * second[2])
        if (0.3 * max(size)) ** 2 < squared < (5 * max(size)) ** 2:
            focal = squared**0.5
    rays = np.stack([first, second, origin]) / (focal, focal, 1)
    normal = np.cross(rays[0], rays[1])
    away = abs(normal @ rays[2]) / np.linalg.norm(normal)
    sides: NDArray[np.float64] = np.linalg.norm(rays[:2], axis=1) * distance / away
    return sides
