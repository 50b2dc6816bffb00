"""How near a picture comes to the truth: colour difference, halo, structure, bytes that should not have changed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from _truth import Bits
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from engine.matte import reach
from engine.types import Rgb

__all__ = ["BAND", "Figures", "Picture", "difference", "figures", "lab"]

BAND = 6
"""Half the width of the band along a mask's edge in which a halo would show, px."""

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """One result against its truth."""

    median: float
    """Median CIEDE2000 inside the exact mask."""
    p95: float
    halo: float
    """Mean CIEDE2000 in the band, against truth inside the exact mask and base outside."""
    over: float
    """By how much the band is further from the whole truth than that composite, cut hard at the mask, is."""
    ssim: float
    """Mean SSIM of L* inside the mask."""
    gradients: float
    """Correlation of the gradients of L* inside the mask, its edge left out."""
    outside: int
    """Changed pixels further from the mask than a matte may reach, and inside protected masks."""


def lab(rgb: Rgb) -> Picture:
    """(..., 3) CIELAB, D65."""
    return rgb2lab(rgb).astype(np.float32)


def difference(one: Picture, other: Picture) -> NDArray[np.float32]:
    """CIEDE2000 of (..., 3) CIELAB colours (Sharma, Wu and Dalal 2005)."""
    return deltaE_ciede2000(one, other, channel_axis=-1).astype(np.float32)


def figures(result: Rgb, truth: Rgb, base: Rgb, photo: Rgb, inside: Bits, protected: Bits) -> Figures:
    """Compare a result with its truth; all pictures (H, W, 3), masks (H, W).

    Args:
        result: what a method made of `photo`.
        truth: the scene as it would really look.
        base: the scene as it was, without noise.
        photo: what the method was given: the base, perhaps with noise.
        inside: the exact mask.
        protected: what must not change.
    """
    outwards = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inwards = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = (outwards <= BAND) & (inwards <= BAND)
    changed = (result != photo).any(axis=2)
    forbidden = (outwards > reach(inside.shape)) | protected
    crop = _around(inside | near)
    inside, near, inwards = inside[crop], near[crop], inwards[crop]
    mine, real, before = lab(result[crop]), lab(truth[crop]), lab(base[crop])
    away = difference(mine[inside], real[inside])
    best = np.where(inside[..., None], real, before)
    halo = difference(mine[near], best[near]).mean()
    over = difference(mine[near], real[near]).mean() - difference(best[near], real[near]).mean()
    _, likeness = structural_similarity(mine[..., 0], real[..., 0], data_range=100, gaussian_weights=True, full=True)
    deep = inwards > 2
    return Figures(
        float(np.median(away)),
        float(np.percentile(away, 95)),
        float(halo),
        float(over),
        float(likeness[inside].mean()),
        _correlation(mine[..., 0], real[..., 0], deep),
        int(np.count_nonzero(changed & forbidden)),
    )


def _around(bits: Bits) -> tuple[slice, slice]:
    """The window of the set pixels, a little larger than SSIM's own."""
    ys, xs = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    return slice(max(0, ys[0] - 8), ys[-1] + 9), slice(max(0, xs[0] - 8), xs[-1] + 9)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32], where: Bits) -> float:
    def slopes(light: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([cv2.Sobel(light, cv2.CV_32F, *d)[where] for d in ((1, 0), (0, 1))])

    return float(np.corrcoef(slopes(one), slopes(other))[0, 1])
