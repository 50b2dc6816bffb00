"""Where the camera stands and how the room is turned to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from engine.types import Rgb
from engine.vanishing import find_vanishing, straight_lines

__all__ = ["FOCAL", "View", "view_of"]

FOCAL: Final = 0.5 / np.tan(np.radians(30))
"""Focal length of the camera that is taken where the photo tells nothing, in longer sides: 60 degrees of view."""
_PIXELS: Final = 300_000
_SUPPORT: Final = 0.45
"""Part of all slanted edges that has to agree on two vanishing points before they are believed."""
_MIN_SIDE: Final = 24


@dataclass(frozen=True, slots=True)
class View:
    """A camera without roll in a room of right angles, in photo pixels.

    Only the horizon, the middle column and `focal` matter to a level plane: a camera that is pitched and one whose lens
    is shifted see it alike, but for a scale of 1 / cos(pitch).
    """

    size: tuple[int, int]
    """(height, width) of the photo."""
    horizon: float
    """Row in which level lines end."""
    middle: float
    """Column of the principal point."""
    focal: float
    """Distance of the horizon's line from the eye, px."""
    bearing: float = 0.0
    """Radians to the right of straight ahead, -pi/4..pi/4: the room's direction that runs most away from the camera."""
    found: bool = False
    """Told by the photo's lines; otherwise level, at mid-height, square to the room."""

    @property
    def depth(self) -> tuple[float, float]:
        """(right, ahead), unit length: the level direction that runs away from the camera."""
        return float(np.sin(self.bearing)), float(np.cos(self.bearing))


def view_of(rgb: Rgb) -> View:
    """Read a photo's lines, (H, W, 3) uint8 sRGB; without a clear answer the default camera: 60 degrees, level."""
    height, width = rgb.shape[:2]
    plain = View((height, width), height / 2, width / 2, FOCAL * max(height, width))
    scale = min(1.0, (_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if min(size) < _MIN_SIDE:
        return plain
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    light = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]
    seen = find_vanishing(straight_lines(light), light.shape)
    if seen is None or seen.support < _SUPPORT:
        return plain
    one, other = (column * width / size[0] - width / 2 for column in (seen.first, seen.second))
    if one * other >= 0:
        return plain
    # Two level directions at right angles: (x1, f) . (x2, f) = 0.
    focal = (-one * other) ** 0.5
    nearest = min(one, other, key=abs)
    return View(
        (height, width), seen.horizon * height / size[1], width / 2, focal, float(np.arctan2(nearest, focal)), True
    )
