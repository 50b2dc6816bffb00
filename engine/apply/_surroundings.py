"""What a photo tells of the surroundings of a region in it, by which its light would change with its paint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine._counts import counts
from engine.types import Rgb

__all__ = ["ALONE", "Surroundings", "blackness"]

_DEEP: Final = (10.0, 20.0)  # sRGB level of a photo's blacks, from deep to plain; chosen on rooms not in bench/truth
_BLACKS: Final = 0.002  # share of a photo that is its blacks
_SEEN: Final = 250_000  # pixels looked at, at least


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a region is."""

    enclosing: float = 0.0
    """0..1: how far the region is the walls of the scene, not a thing in it and no floor."""
    blackness: float = 0.0
    """See `blackness`."""
    horizon: float = 0.0
    """Row of the region's window that a level camera has in the middle of the photo."""
    height: float = math.inf
    """Of the photo, px; where it is not known, everything is at the horizon."""

    @property
    def farthest(self) -> float:
        """How far the photo's top is above the horizon, and its bottom below it."""
        return 0.5 if math.isfinite(self.height) else 0.0

    def above(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """How far rows of the region's window lie above the horizon, in heights of the photo."""
        above: NDArray[np.float32] = ((self.horizon - rows) / self.height).astype(np.float32)
        return above


ALONE: Final = Surroundings()
"""Of a thing that nothing is known of, by a camera that encodes plain sRGB."""


def blackness(photo: Rgb) -> float:
    """0..1: how far a photo's deep blacks tell of a filmic curve in its camera.

    Light between surfaces leaves even a black thing in a corner some 1 % of white, sRGB level 25: deeper ones come from
    a curve's toe. Level 0 does not count; it may be no part of the scene.

    Args:
        photo: (H, W, 3) uint8 sRGB.
    """
    step = max(1, math.isqrt(photo.shape[0] * photo.shape[1] // _SEEN))
    red, green, blue = (photo[::step, ::step, c] for c in range(3))
    below = np.cumsum(counts(np.maximum(np.maximum(red, green), blue), 256)[1:])
    level = 1 + int(np.searchsorted(below, _BLACKS * below[-1], side="right"))
    return float(np.clip((_DEEP[1] - level) / (_DEEP[1] - _DEEP[0]), 0, 1))
