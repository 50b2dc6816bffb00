"""Recolour: the surface as if it had been repainted.

Light that a matt surface sends back is its reflectance times the light that falls on it, channel by channel. So
dividing the linear value by the region's median and multiplying by the target keeps every shadow and every grain, and
makes the median exactly the target. Three things bend the plain ratio, each only where it would fail:

- *a floor*, where the region is so dark that its own noise is the larger part of a ratio;
- *a shoulder*, where the ratio would run past white: white stays white and nothing clips into a flat patch;
- *finer steps*: where one step of the photo becomes several of the result, the value is first placed within its step
  by its neighbourhood's mean, or a smooth dark gradient would come out in bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._counts import counts
from engine._tiles import Sites, Window, strips
from engine.apply._shoulder import soft_shoulder
from engine.colour import Linear, linear_of, srgb_of, to_bytes, to_linear
from engine.matte import Matte
from engine.types import Mask, Recolor, Rgb

__all__ = ["Repaint", "fit_recolor", "median_colour"]

F = TypeVar("F", bound=np.floating)

_CLIPPED: Final = 254
_NOISE_FLOOR: Final = 0.012  # linear; below it (sRGB 28) 8-bit steps and sensor noise are over 3 % of the value
_VEIL: Final = 4e-4  # linear; what even a pure black surface reflects, so that it keeps a trace of its light
_KNEE: Final = 0.8
_SUBSTEPS: Final = 16
_STEEP: Final = 1.5  # steps of the result for one of the photo, from which bands can be seen


@dataclass(frozen=True, slots=True, eq=False)
class Repaint:
    """A fitted recolour: one curve a channel. Satisfies `engine.apply.Paint`."""

    median: tuple[float, float, float]
    """The region's median colour in units of sRGB bytes."""
    target: tuple[int, int, int]
    """The colour it becomes, sRGB bytes."""

    @property
    def steep(self) -> bool:
        """True where one step of the photo becomes several of the result, from half the median up."""
        levels = np.arange(256) / 255
        return any(
            np.diff(_curve(levels, self.median[c], self.target[c])[int(self.median[c] / 2) :]).max() > _STEEP / 255
            for c in range(3)
        )

    def linear(self, colours: Linear, at: Sites | None = None) -> Linear:
        """Map (..., 3) linear light; monotone in each channel, 0..1 to 0..1, the median to the target."""
        mapped = [_repainted(colours[..., c], self.median[c], self.target[c]) for c in range(3)]
        return np.stack(mapped, axis=-1).astype(np.float32)

    def opaque(self, rgb: Rgb, at: Window | None = None) -> Rgb:
        """Map (h, w, 3) uint8 sRGB by table, with finer input steps where the curve is steep."""
        table = _table(self.median, self.target)
        if not self.steep:
            painted: Rgb = cv2.LUT(rgb, table[None, ::_SUBSTEPS])
            return painted
        index = _within_step(rgb)
        return np.stack([np.take(table[:, c], index[..., c]) for c in range(3)], axis=-1)


@lru_cache(maxsize=32)
def _table(median: tuple[float, float, float], target: tuple[int, int, int]) -> Rgb:
    """(255 * substeps + 1, 3) result bytes for inputs 0, 1/substeps, ... 255; a whole photo's tiles share it."""
    levels = np.linspace(0, 1, 255 * _SUBSTEPS + 1)
    curves = [_curve(levels, median[c], target[c]) for c in range(3)]
    table = np.ascontiguousarray(np.rint(np.stack(curves, axis=-1) * 255).astype(np.uint8))
    table.flags.writeable = False
    return table


def _curve(levels: NDArray[np.float64], median: float, target: float) -> NDArray[np.float64]:
    """`_repainted` from sRGB to sRGB, both 0..1."""
    return srgb_of(_repainted(linear_of(levels), median, target))


def _repainted(light: NDArray[F], median_byte: float, target_byte: float) -> NDArray[F]:
    """One channel's linear light after the repaint; median and target in units of sRGB bytes."""
    median, target = (float(linear_of(byte / 255)) for byte in (median_byte, target_byte))
    gain = (target + _VEIL) / (median + _VEIL)
    floor = max(0.0, _NOISE_FLOOR - median) * max(0.0, 1 - 1 / gain) + _VEIL
    slope = (target + _VEIL) / (median + floor)
    # The higher the gain, the earlier the shoulder: past a dark thing's median there is more gloss than paint.
    knee = target + max(0.0, _KNEE - target) / max(1.0, gain / 2)
    kind = light.dtype.type
    value: NDArray[F] = np.maximum(kind(target) + kind(slope) * (light - kind(median)), kind(0))
    return soft_shoulder(value, knee, target + slope * (1 - median))


def fit_recolor(rgb: Rgb, region: Mask, matte: Matte, action: Recolor) -> Repaint | None:
    """Fit a recolour to a region of a photo, so that the median of the region's result is the target.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        region: (H, W) uint8, 0/255: the concept's mask without protected pixels.
        matte: (H, W) uint8: what the colours will be laid on with. Where it is 0 another layer has the pixel, and the
            region's colour there is none of this layer's.
        action: the target colour.

    Returns:
        The fitted curves, or None where nothing of the region is left.
    """
    region = np.where(matte > 0, region, np.uint8(0))
    if not region.any():
        return None
    region = _without_blown(rgb, region)
    paint = Repaint(median_colour(rgb, region), action.target)
    opaque = np.where(matte == 255, region, np.uint8(0))
    soft = (region > 0) & (matte < 255)
    if not opaque.any():
        return paint
    # Pixels of the soft edge end up mixed, on either side of the target: the others make up the balance.
    colours = to_linear(rgb[soft])
    share = matte[soft].astype(np.float32)[:, None] / 255
    mixed = to_bytes(colours + share * (paint.linear(colours) - colours))
    below = (mixed < np.array(action.target)).sum(axis=0)
    return Repaint(_median(rgb, opaque, _SUBSTEPS if paint.steep else 1, len(colours), below), action.target)


def median_colour(rgb: Rgb, region: Mask) -> tuple[float, float, float]:
    """Lower median of each channel over the region, sRGB bytes: always a level that occurs.

    Raises:
        ValueError: an empty region.
    """
    if not region.any():
        raise ValueError("an empty region has no median colour")
    return _median(rgb, region, 1)


def _median(
    rgb: Rgb, region: Mask, substeps: int, others: int = 0, below: NDArray[np.int64] | None = None
) -> tuple[float, float, float]:
    """Level that splits the region in halves, given `others` pixels of which `below` (3,) are under it anyway."""
    size = 255 * substeps + 1
    levels = np.zeros((3, size), np.int64)
    for y0, y1 in strips(0, rgb.shape[0]):
        inside = region[y0:y1]
        if inside.any():
            values = rgb[y0:y1] if substeps == 1 else _within_step(rgb[y0:y1])
            for c in range(3):
                levels[c] += counts(values, size, channel=c, within=inside)
    total = levels[0].sum()
    middle = np.clip((total + others + 1) // 2 - (0 if below is None else below), 1, total) * np.ones(3, np.int64)
    red, green, blue = (float(np.searchsorted(np.cumsum(levels[c]), middle[c])) / substeps for c in range(3))
    return red, green, blue


def _without_blown(rgb: Rgb, region: Mask) -> Mask:
    """The region less its blown-out pixels, which say nothing of the surface, unless they are the greater part."""
    kept: Mask = cv2.bitwise_and(region, cv2.bitwise_not(cv2.inRange(rgb, (_CLIPPED,) * 3, (255,) * 3)))
    return kept if 2 * cv2.countNonZero(kept) >= cv2.countNonZero(region) else region


def _within_step(rgb: Rgb) -> NDArray[np.uint16]:
    """Bytes in 1/16 steps, drawn to their 5x5 mean but never out of the half step that rounding hid."""
    fine = rgb.astype(np.uint16) * np.uint16(_SUBSTEPS)
    half = np.uint16(_SUBSTEPS // 2)
    top = np.minimum(fine + half, np.uint16(255 * _SUBSTEPS))
    placed: NDArray[np.uint16] = np.clip(cv2.blur(fine, (5, 5)), np.maximum(fine, half) - half, top)
    return placed
