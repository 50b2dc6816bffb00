"""What is computed once a photo and shared by all finders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from engine.segment.classical._ground import Ground, fit_ground
from engine.types import FloatMask, Photo

__all__ = ["MIN_SIDE", "WORKING_PIXELS", "Features", "Regions", "encode"]

WORKING_PIXELS = 300_000
MIN_SIDE = 24
"""A working copy with a shorter side has no structure worth reading: every finder answers absent."""
_ROUGH = 9.0  # L* units of local contrast; photographs of rooms and products stay below 4
_REGION_COUNT = 900
_LINE = 5.0  # Lab units a pixel that a straight line counts for, however faint

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Superpixels and who touches whom."""

    labels: NDArray[np.int32]
    """(h, w), 0..n-1."""
    area: NDArray[np.int64]
    """(n,) pixels."""
    lab: Floats
    """(n, 3) mean colour, CIE L*a*b*."""
    centre: Floats
    """(n, 2) mean (y, x) as parts of the height and width."""
    texture: Floats
    """(n,) mean local contrast in L* units."""
    pairs: NDArray[np.int64]
    """(m, 2) touching regions, first < second."""
    barrier: Floats
    """(m,) mean edge strength along the common border, Lab units a pixel."""
    border: NDArray[np.int64]
    """(m,) length of the common border in pixels."""


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
    regions: Regions | None
    """None for a copy too small to read."""
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
    """Read a photo once. Any size is accepted; tiny ones give features without ground and regions."""
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
        ground=None if tiny else fit_ground(lab), regions=None if tiny else make_regions(lab, edge, texture, lines),
        lines=lines,
        alpha=alpha,
    )  # fmt: skip


def _gradient(lab: Floats) -> Floats:
    """Largest gradient of the three channels, Lab units a pixel (Scharr, normalised)."""
    dx = cv2.Scharr(lab, cv2.CV_32F, 1, 0) / 32.0
    dy = cv2.Scharr(lab, cv2.CV_32F, 0, 1) / 32.0
    strength: Floats = np.sqrt((dx * dx + dy * dy).sum(axis=2))
    return strength


def straight_lines(light: Floats) -> NDArray[np.float32]:
    """(n, 4) x0, y0, x1, y1 of straight edges at least 5 % of the diagonal long (LSD, von Gioi et al. 2010).

    LSD trusts the direction of gradients, not their size: it sees where a white wall meets a white ceiling.
    """
    grey = np.clip(cv2.GaussianBlur(light, (0, 0), 1.4) * 2.55, 0, 255).astype(np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return np.zeros((0, 4), np.float32)
    lines: Floats = found.reshape(-1, 4).astype(np.float32)
    long: NDArray[np.bool_] = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) > 0.05 * np.hypot(
        *light.shape
    )
    kept: Floats = lines[long]
    return kept


def make_regions(lab: Floats, edge: Floats, texture: Floats, lines: Floats) -> Regions:
    """Superpixels by watershed from a grid of seeds (Neubert and Protzel 2014) on edges and lines; contact graph."""
    h, w = edge.shape
    drawn = np.zeros((h, w), np.float32)
    for x0, y0, x1, y1 in lines:
        cv2.line(drawn, (round(float(x0)), round(float(y0))), (round(float(x1)), round(float(y1))), 1.0, 1)
    relief = np.maximum(np.minimum(edge, 12.0), _LINE * drawn).astype(np.float32)
    markers = np.zeros((h, w), np.int32)
    step = max(4, round((h * w / _REGION_COUNT) ** 0.5))
    ys, xs = np.mgrid[step // 2 : h : step, step // 2 : w : step]
    markers[ys, xs] = np.arange(1, ys.size + 1).reshape(ys.shape)
    labels = watershed(relief, markers, compactness=0.0).astype(np.int32) - 1
    flat = labels.ravel()
    n = int(ys.size)
    area = np.bincount(flat, minlength=n)

    def mean(values: Floats) -> Floats:
        sums = np.bincount(flat, values.ravel(), n)
        return (sums / np.maximum(area, 1)).astype(np.float32)

    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    centre = np.stack([mean(rows) / h, mean(columns) / w], axis=1)
    colour = np.stack([mean(lab[..., c]) for c in range(3)], axis=1)
    wall = cv2.dilate(relief, np.ones((3, 3), np.uint8))
    first = np.concatenate([labels[:, :-1].ravel(), labels[:-1].ravel()]).astype(np.int64)
    second = np.concatenate([labels[:, 1:].ravel(), labels[1:].ravel()]).astype(np.int64)
    height = np.concatenate([np.maximum(wall[:, :-1], wall[:, 1:]).ravel(), np.maximum(wall[:-1], wall[1:]).ravel()])
    differ = first != second
    low, high = np.minimum(first, second)[differ], np.maximum(first, second)[differ]
    keys, inverse = np.unique(low * n + high, return_inverse=True)
    length = np.bincount(inverse)
    barrier = np.bincount(inverse, height[differ]) / np.maximum(length, 1)
    return Regions(
        labels=labels, area=area, lab=colour, centre=centre, texture=mean(texture),
        pairs=np.stack([keys // n, keys % n], axis=1), barrier=barrier.astype(np.float32), border=length,
    )  # fmt: skip
