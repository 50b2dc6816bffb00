"""What is computed once a photo and shared by all finders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._ground import Ground, fit_ground
from engine.types import FloatMask, Photo
from engine.vanishing import straight_lines

__all__ = ["MIN_SIDE", "WORKING_PIXELS", "Features", "encode"]

WORKING_PIXELS = 300_000
MIN_SIDE = 24
"""A working copy with a shorter side has no structure worth reading: every finder answers absent."""
_ROUGH = 9.0  # L* units of local contrast; photographs of rooms and products stay below 4

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The shared reading of one photo at working resolution (h * w <= 0.3 MP)."""

    size: tuple[int, int]
    """(height, width) of the photo."""
    photo: NDArray[np.uint8]
    """(height, width, 3) the photo itself, not a copy: for what is too fine for the working copy."""
    rgb: NDArray[np.uint8]
    """(h, w, 3)."""
    lab: Floats
    """(h, w, 3): L* 0..100, a*, b*."""
    edge: Floats
    """(h, w) colour gradient, Lab units a pixel, fine texture smoothed away."""
    texture: Floats
    """(h, w) local standard deviation of L* over about 1 % of the width."""
    ground: Ground | None
    """The smooth studio ground the border shows, or None for a copy too small to read."""
    lines: Floats
    """(n, 4) long straight edges: x0, y0, x1, y1."""
    alpha: FloatMask | None
    """(h, w) opacity 0..1, or None."""

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the working copy."""
        return self.lab.shape[0], self.lab.shape[1]

    @property
    def noisy(self) -> bool:
        """Most of the photo is rough: nothing small can be told from the rest."""
        return float(np.median(self.texture)) > _ROUGH


def encode(photo: Photo) -> Features:
    """Read a photo once. Any size is accepted; tiny ones give features without ground."""
    height, width = photo.size
    scale = min(1.0, (WORKING_PIXELS / (height * width)) ** 0.5)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    rgb = cv2.resize(photo.rgb, (w, h), interpolation=cv2.INTER_AREA)
    alpha = None
    if photo.alpha is not None:
        alpha = cv2.resize(photo.alpha, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    mean = cv2.blur(light, (7, 7))
    texture = np.sqrt(np.maximum(cv2.blur(light * light, (7, 7)) - mean * mean, 0)).astype(np.float32)
    smooth = cv2.bilateralFilter(lab, 7, 9.0, 3.0)
    edge = _gradient(smooth)
    tiny = min(h, w) < MIN_SIDE
    lines = np.zeros((0, 4), np.float32) if tiny else straight_lines(light)
    return Features(
        size=(height, width), photo=photo.rgb, rgb=rgb, lab=lab, edge=edge, texture=texture,
        ground=None if tiny else fit_ground(lab), lines=lines, alpha=alpha,
    )  # fmt: skip


def _gradient(lab: Floats) -> Floats:
    """Largest gradient of the three channels, Lab units a pixel (Scharr, normalised)."""
    dx = cv2.Scharr(lab, cv2.CV_32F, 1, 0) / 32.0
    dy = cv2.Scharr(lab, cv2.CV_32F, 0, 1) / 32.0
    light, a, b = cv2.split(dx * dx + dy * dy)
    strength: Floats = np.sqrt(light + a + b)
    return strength
