"""Recolour: the surface as if it had been repainted.

Light that a matt surface sends back is its reflectance times the light that falls on it, channel by channel. So
dividing the linear value by the region's median and multiplying by the target keeps every shadow and every grain, and
makes the median exactly the target. The plain ratio is bent where it would fail:

- *gloss* is not paint: it is split off, kept as it is, and laid on the new colour (`_surface`);
- *a channel that the old paint swallows* (blue on ochre) holds more gloss and noise than light: where it is to be
  amplified, the light is read from the other channels, and of the tints that are left only those of daylight and
  lamps are believed: greenish and purplish ones come from the camera's curve;
- *shading* changes with the paint: the walls of a room light each other, a light thing its own folds, and the camera
  presses lights together (`_shading`);
- *noise* and a JPEG's blocks are taken out where they would be amplified (`_noise`, `_denoise`), which also fills in
  the steps between two dark bytes;
- *a shoulder* where the result would run past white: nothing clips into a flat patch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._counts import counts
from engine._tiles import Sites, Window, strips
from engine.apply._denoise import REACH, SUBSTEPS, denoised
from engine.apply._formula import Formula, paint_bytes, paint_light, three
from engine.apply._noise import noise_level
from engine.apply._seen import Seen, is_clear, means, pairs, seen_of
from engine.apply._shading import rise, shading_powers, tint_powers
from engine.apply._surface import Surface, luminance, read_surface
from engine.apply._surroundings import ALONE, Surroundings
from engine.colour import TO_BYTE, TO_LINEAR, Linear, linear_of, srgb_of, to_bytes, to_linear
from engine.matte import Matte
from engine.types import Mask, Recolor, Rgb

__all__ = ["Repaint", "fit_recolor", "median_colour"]

_KNEE: Final = 0.87
_STEEP: Final = 1.75  # steps of the result for one of the photo, from which noise and bands can be seen
_BAND_ROWS, _BAND_PIXELS = 32, 250_000  # of a large photo only every so many rows are filtered for the fit,
_THINNED: Final = 4  # and one pixel in so many looked at, as for steps between neighbours
_FINE: Final = linear_of(np.arange(255 * SUBSTEPS + 1) / (255 * SUBSTEPS)).astype(np.float32)
# The next four were tuned on bench/truth.
_SWALLOWED: Final = 0.06  # linear; a channel this dark is half light and half gloss
_APART: Final = (1.5, 3.0)  # gain, alone or over another channel's, from which its own light is trusted less, least
_SPOT: Final = 2.0  # times the median: what is brighter on black gloss is a reflection
_LEAST_BODY: Final = 0.15  # share of the target that is paint, however much gloss the surface has
_WARM: Final = np.array([0.9, 0.1, -1.0])  # log of linear RGB along the light of black bodies, 3,000 to 10,000 K
_GREEN: Final = np.cross([1.0, 1.0, 1.0], _WARM) / np.linalg.norm(np.cross([1.0, 1.0, 1.0], _WARM))


@dataclass(frozen=True, eq=False)
class Repaint:
    """A fitted recolour. Satisfies `engine.apply.Paint`."""

    surface: Surface
    target: tuple[int, int, int]
    """The colour the median becomes, sRGB bytes."""
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Last correction of each channel, by which the region's median comes out exactly."""
    place: Surroundings = ALONE
    noise: NDArray[np.float64] | None = None
    """(3,) variances to be filtered out, as of `noise_level`; None: nothing is amplified enough to matter."""
    within: Mask | None = None
    """(h, w) uint8: the region, for the filter."""

    @cached_property
    def amplified(self) -> float:
        """Steps of the result for one of the photo, about the median."""
        before, after = srgb_of(self.surface.median), np.array(self.target) / 255
        return float((after / np.maximum(before, 1 / 255)).max())

    @property
    def reach(self) -> int:
        """Neighbours matter where noise is filtered."""
        return 0 if self.noise is None else REACH

    def linear(self, colours: Linear, at: Sites | None = None) -> Linear:
        """Map (..., 3) linear light, the median to the target; 0..1 to 0..1."""
        pixels = _rows(colours)
        above = np.zeros(len(pixels), np.float32) if at is None else self.place.above(at[0])
        return paint_light(pixels, above, self._formula, True).reshape(colours.shape)

    def unbounded(self, colours: Linear, rows: NDArray[Any]) -> Linear:
        """As `linear`, without the shoulder: (N, 3) in (N,) rows to (N, 3) that may run past white."""
        return paint_light(_rows(colours), self.place.above(rows), self._formula, False)

    def opaque(self, rgb: Rgb, at: Window) -> Rgb:
        """Map (h, w, 3) uint8 sRGB."""
        above = self.place.above(np.arange(at[0].start, at[0].stop))
        if self.noise is not None and self.within is not None:
            clean = denoised(rgb, self.within[at], self.noise, 1 / self.amplified)
            return paint_bytes(clean, _FINE, above, self._formula, TO_BYTE)
        return paint_bytes(rgb.copy(), TO_LINEAR, above, self._formula, TO_BYTE)

    @cached_property
    def top(self) -> NDArray[np.float32]:
        """(3,) what white becomes without the shoulder, where the photo gains most light."""
        ends = np.array([-self.place.farthest, self.place.farthest], np.float32)
        most: NDArray[np.float32] = paint_light(np.ones((2, 3), np.float32), ends, self._unbent, False).max(axis=0)
        return most

    @cached_property
    def _formula(self) -> Formula:
        """With the shoulder of the bounded result."""
        formula = self._unbent
        target = linear_of(np.array(self.target) / 255)
        top = self.top.astype(np.float64)
        knee = target + np.maximum(0.0, _KNEE - target) / np.maximum(1.0, top / 2)
        bent = (top > 1) & (knee < 1)
        span = np.where(bent, 1 - knee, 0)
        inverse = np.where(bent, 1 / np.where(bent, span, 1), 0)
        curve = np.where(bent, (span / np.where(bent, top - knee, 1)) ** 2, 0)
        return formula._replace(
            knee=three(np.where(bent, knee, 1)), span=three(span), inverse=three(inverse), curve=three(curve)
        )

    @cached_property
    def _unbent(self) -> Formula:
        surface, body = self.surface, np.array(self.surface.body)
        lifted = np.maximum(body, 1e-5)  # pure black has no hue, but it has a shading
        believed = lifted**2 / (lifted**2 + _SWALLOWED**2)
        mixture = np.stack([body, np.ones(3)], axis=1)
        facts = surface, self.target, self.place
        return Formula(
            weights=three(believed / (lifted * believed).sum()),
            log_body=three(np.log2(np.maximum(body, 1e-6))),
            trust=three(self._trust * tint_powers(*facts)),
            green=three(self._green),
            log_paint=three(np.log2(self._paint)),
            scale=three(self.scale),
            contrast=three(shading_powers(*facts)),
            rise=three(rise(*facts)),
            grey=three(np.linalg.pinv(mixture)[1]),  # least squares of a mixture of body and grey
            hue_gloss=np.float32(surface.hue_gloss),
            black_gloss=np.float32(surface.black_gloss),
            spot=np.float32(_SPOT * luminance(surface.median)),
            knee=three((1, 1, 1)),
            span=three((0, 0, 0)),
            inverse=three((0, 0, 0)),
            curve=three((0, 0, 0)),
        )

    @cached_property
    def _paint(self) -> NDArray[np.float64]:
        """The new paint's part of the median pixel, linear."""
        target = linear_of(np.array(self.target) / 255)
        return np.maximum(np.maximum(target - self.surface.haze, _LEAST_BODY * target), 1e-5)

    @cached_property
    def _trust(self) -> NDArray[np.float32]:
        """(3,) 0..1: how far a channel's own light is believed."""
        body = np.array(self.surface.body)
        own = body**2 / (body**2 + _SWALLOWED**2)
        gain = linear_of(np.array(self.target) / 255) / np.maximum(np.array(self.surface.median), 1e-5)
        low, high = np.log(_APART)
        most = np.maximum(gain, gain / max(float(gain.min()), 1e-4))
        apart = np.clip((np.log(np.maximum(most, 1)) - low) / (high - low), 0, 1)
        trust = 1 - (1 - own) * apart
        whole: NDArray[np.float32] = np.where(trust > 0.88, 1, trust).astype(np.float32)
        return whole

    @cached_property
    def _green(self) -> NDArray[np.float64]:
        """(3,) `Formula.green`: the less a channel's own light is believed, the less tints that no light has."""
        green: NDArray[np.float64] = _GREEN * np.sqrt(1 - float(self._trust.min())) * (1 - self.surface.black_gloss)
        return green


def fit_recolor(rgb: Rgb, region: Mask, matte: Matte, action: Recolor, place: Surroundings = ALONE) -> Repaint | None:
    """Fit a recolour to a region of a photo, so that the median of the region's result is the target.

    Args:
        rgb: (H, W, 3) uint8 sRGB.
        region: (H, W) uint8, 0/255: the concept's mask without protected pixels.
        matte: (H, W) uint8: what the colours will be laid on with. Where it is 0 another layer has the pixel, and the
            region's colour there is none of this layer's.
        action: the target colour.
        place: where the region is.

    Returns:
        The fitted paint, or None where nothing of the region is left.
    """
    seen = seen_of(rgb, region, matte)
    if seen is None:
        return None
    rows, columns = seen.at
    core = rows[seen.core], columns[seen.core]
    median = np.median(to_linear(seen.colours[seen.core]), axis=0)
    one, other = pairs(rgb, region, matte, (core[0][::_THINNED], core[1][::_THINNED]))
    blown = 1 - float(np.mean(is_clear(seen.colours)))
    surface = read_surface(
        to_linear(means(rgb, core)), median, (to_linear(one), to_linear(other)), blown, place.enclosing
    )
    paint = Repaint(surface, action.target, place=place)
    if paint.amplified > _STEEP:
        own: Mask = cv2.copyTo(region, matte)  # 0 where the matte is
        paint = replace(paint, noise=noise_level(rgb, own, core), within=own)
    target = linear_of(np.maximum(action.target, 0.4) / np.float64(255))
    painted = paint.unbounded(*_light_of(paint, rgb, matte, seen))
    middle = [np.quantile(painted[:, c], rank) for c, rank in enumerate(_ranks(paint, seen))]
    return replace(paint, scale=_colour(target / np.maximum(middle, 1e-6)))


def median_colour(rgb: Rgb, region: Mask) -> tuple[float, float, float]:
    """Lower median of each channel over the region, sRGB bytes: always a level that occurs.

    Raises:
        ValueError: an empty region.
    """
    if not region.any():
        raise ValueError("an empty region has no median colour")
    levels = np.zeros((3, 256), np.int64)
    for y0, y1 in strips(0, rgb.shape[0]):
        inside = region[y0:y1]
        if inside.any():
            for c in range(3):
                levels[c] += counts(rgb[y0:y1], 256, channel=c, within=inside)
    middle = (levels[0].sum() + 1) // 2
    red, green, blue = (float(np.searchsorted(np.cumsum(levels[c]), middle)) for c in range(3))
    return red, green, blue


def _ranks(paint: Repaint, seen: Seen) -> NDArray[np.float64]:
    """(3,) the quantile of the opaque pixels at which the whole region's median lies.

    Pixels of the soft edge end up mixed, on either side of the target: the others make up the balance.
    """
    soft = seen.clear & (seen.shares < 255)
    others, total = int(np.count_nonzero(soft)), int(np.count_nonzero(seen.clear))
    if not others or others == total:
        return np.full(3, 0.5)
    colours = to_linear(seen.colours[soft])
    share = seen.shares[soft].astype(np.float32)[:, None] / 255
    at = seen.at[0][soft], seen.at[1][soft]
    mixed = to_bytes(colours + share * (paint.linear(colours, at) - colours))
    below = (mixed < np.array(paint.target)).sum(axis=0)
    ranks: NDArray[np.float64] = np.clip((total / 2 - below) / (total - others), 0.01, 0.99)
    return ranks


def _light_of(paint: Repaint, rgb: Rgb, matte: Matte, seen: Seen) -> tuple[Linear, NDArray[np.intp]]:
    """(N, 3) linear light of pixels all over the region, less the noise that the paint will filter out; their rows."""
    plain = to_linear(seen.colours[seen.core]), seen.at[0][seen.core]
    if paint.noise is None or paint.within is None:
        return plain
    height, width = matte.shape
    least = int(seen.shares[seen.core].min())
    found, rows = [], []
    for y in range(0, height, _BAND_ROWS * max(1, height * width // _BAND_PIXELS)):
        low, high = max(0, y - REACH), min(height, y + _BAND_ROWS + REACH)
        band = slice(y, y + _BAND_ROWS)
        inside = (paint.within[band] > 0) & (matte[band] >= least) & is_clear(rgb[band])
        if inside.any():
            clean = denoised(rgb[low:high], paint.within[low:high], paint.noise, 1 / paint.amplified)
            found.append(clean[y - low :][: len(inside)][inside][::_THINNED])
            rows.append(y + np.nonzero(inside)[0][::_THINNED])
    return (np.take(_FINE, np.concatenate(found)), np.concatenate(rows)) if found else plain


def _rows(colours: Linear) -> Linear:
    """(N, 3) of (..., 3)."""
    return np.ascontiguousarray(colours.reshape(-1, 3), np.float32)


def _colour(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
