"""The light on a surface without the pattern that it has now: shadows stay, grain and joints go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import Window
from engine.apply._membrane import membrane
from engine.guided import guided_coefficients
from engine.types import Mask, Rgb

__all__ = ["Light", "fit_light"]

Floats = NDArray[np.float32]

_PIXELS: Final = 250_000
_GRAIN: Final = 0.024
"""Width of what counts as pattern, a share of the longer side: joints and grain are narrower, shadows mostly wider."""
_EPS: Final = 0.05**2
"""Variance (encoded values, 0..1) above which an edge is one of light."""


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """Encoded light as a * photo + b, channel by channel: follows the photo at edges of light, not elsewhere."""

    a: Floats
    """(h, w, 3) on a coarse grid over the region's window."""
    b: Floats
    size: tuple[int, int]
    """(height, width) of the window, px."""

    def over(self, encoded: Floats, at: Window) -> Floats:
        """(h, w, 3) light, sRGB-encoded, 0..1, of photo values (h, w, 3) at a part of the window."""
        height, width = encoded.shape[:2]
        down, right = self.a.shape[0] / self.size[0], self.a.shape[1] / self.size[1]
        # Pixel centres of the part, on the coarse grid.
        move = np.array([
            [right, 0, (at[1].start + 0.5) * right - 0.5],
            [0, down, (at[0].start + 0.5) * down - 0.5],
        ])  # fmt: skip
        a, b = (
            cv2.warpAffine(
                coarse, move, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for coarse in (self.a, self.b)
        )  # fmt: skip
        light: Floats = np.clip(a * encoded + b, 0, 1)
        return light

    def among(self, encoded: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        """(N, 3) light of photo values (N, 3) at single pixels of the window."""
        down, right = self.a.shape[0] / self.size[0], self.a.shape[1] / self.size[1]
        y = np.clip(rows * down, 0, self.a.shape[0] - 1).astype(np.intp)
        x = np.clip(columns * right, 0, self.a.shape[1] - 1).astype(np.intp)
        light: Floats = np.clip(self.a[y, x] * encoded + self.b[y, x], 0, 1)
        return light


def fit_light(rgb: Rgb, mask: Mask) -> Light:
    """Estimate the light on a region.

    A median over the width of the grain takes thin things out and leaves edges of wide ones where they are; a guided
    filter (see `engine.guided`) then brings those edges to the photo's own resolution. Neither looks outside the mask.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        mask: (H, W) uint8, 0/255, not empty.
    """
    height, width = mask.shape
    scale = min(1.0, (_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    share = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    inside = share == share.max() if share.max() < 255 else share == 255
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    values = membrane(small.astype(np.float32) / np.float32(255), inside)
    window = max(1, round(_GRAIN * max(size) / 2))
    calm = np.rint(values * 255).astype(np.uint8)
    for _ in range(2):
        calm = cv2.medianBlur(calm, 2 * window + 1)
    smooth: Floats = calm.astype(np.float32) / np.float32(255)
    pairs = [guided_coefficients(values[..., c], smooth[..., c], window, _EPS) for c in range(3)]
    a, b = (np.stack([pair[k] for pair in pairs], axis=-1) for k in (0, 1))
    return Light(a, b, (height, width))
