"""One region of a photo: where one fitted action goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from engine._tiles import Window
from engine.apply._surroundings import Surroundings, blackness
from engine.matte import Matte, reach, soft_matte
from engine.protect import without
from engine.types import Mask, Rgb

__all__ = ["Region", "claim", "region_of"]

_GROUNDED: Final = 0.5, 0.9  # share of a photo's bottom, from walls that a low camera sees to no walls
_ENCLOSING: Final = 0.25  # share of the middle halves of a photo's sides from which a region is taken for walls


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The pixels that one action is fitted to and laid on.

    Masks cover a window of the photo only, so that a small instance costs what it covers. Its margin around the mask is
    wide enough, as far as the photo goes, for no result to depend on where it was cut.
    """

    photo: Rgb
    """(H, W, 3) uint8 sRGB, the whole original photo."""
    window: Window
    """Rows and columns of the photo that `mask` and `matte` cover."""
    mask: Mask
    """(h, w) uint8, 0/255: the region's own pixels, without those that nothing may touch."""
    matte: Matte
    """(h, w) uint8: its share of every pixel."""

    @property
    def rgb(self) -> Rgb:
        """(h, w, 3) uint8 sRGB: a view of the photo."""
        return self.photo[self.window]

    @property
    def surroundings(self) -> Surroundings:
        """What the photo tells of where the region is."""
        height = self.photo.shape[0]
        return Surroundings(self._enclosing, blackness(self.photo), height / 2 - self.window[0].start, height)

    @property
    def _enclosing(self) -> float:
        """Walls leave a level photo where its left and right sides are crossed by the horizon, others do not.

        What has the photo's bottom too is a ground or a backdrop: on that a lighter paint throws no light.
        """
        height, width = self.photo.shape[:2]
        (top, bottom), (high, wide) = (height // 4, height - height // 4), self.window
        rows = slice(*(max(0, row - high.start) for row in (top, bottom)))
        met = 0
        if wide.start == 0:
            met += int(np.count_nonzero(self.mask[rows, 0]))
        if wide.stop >= width:
            met += int(np.count_nonzero(self.mask[rows, -1]))
        grounded = np.count_nonzero(self.mask[-1]) / width if high.stop >= height else 0.0
        enclosing = min(1.0, met / (_ENCLOSING * 2 * (bottom - top)))
        return float(enclosing * np.clip((_GROUNDED[1] - grounded) / (_GROUNDED[1] - _GROUNDED[0]), 0, 1))

    @property
    def radius(self) -> int:
        """How far the soft edge goes, px."""
        return reach((self.photo.shape[0], self.photo.shape[1]))


def region_of(photo: Rgb, mask: Mask, kept: Mask, free: Matte) -> Region | None:
    """Cut a region out of a photo and take its matte out of `free`; None where nothing of it is left.

    Args:
        photo: (H, W, 3) uint8 sRGB.
        mask: (H, W) uint8, 0/255.
        kept: (H, W) uint8, 0/255: pixels that nothing may touch.
        free: (H, W) uint8, starts at 255 everywhere; lowered in place, see `claim`.
    """
    x, y, width, height = cv2.boundingRect(mask)
    margin = 4 * reach(mask.shape) + 1
    window = (slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin))
    own = without(mask[window], kept[window])
    if not own.any():
        return None
    matte = soft_matte(photo[window], own, kept[window], radius=reach(mask.shape))
    return Region(photo, window, own, claim(matte, free[window]))


def claim(matte: Matte, free: Matte) -> Matte:
    """Take a layer's share of every pixel out of what later layers left free.

    Layers are to be claimed last first: then the later one has an overlap, and two that meet share their edge.

    Args:
        matte: (H, W) uint8, what the layer would cover alone.
        free: (H, W) uint8, starts at 255 everywhere; lowered in place.

    Returns:
        (H, W) uint8, the part of `matte` that this layer gets.
    """
    own: Matte = np.minimum(matte, free)
    free -= own
    return own
