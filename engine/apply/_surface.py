"""What a region's pixels tell of the surface that is to be repainted.

A surface sends back its own colour times the light that falls on it, and on top of that gloss: light that never met
the paint and has the light's own colour (Shafer, "Using Color to Separate Reflection Components", Color Research and
Application 10(4), 1985). A repaint changes the first part only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.colour import LUMA, Linear

__all__ = ["Surface", "luminance", "read_surface"]

_BLOWN: Final = 0.95  # linear; above it a channel may be clipped and its hue means nothing
_BRIGHT: Final = 1.3  # times the median, from which a pixel may show gloss
_DIM: Final = 0.35  # times the median, below which a pixel's hue is mostly noise
_PUREST: Final = 10  # percentile of greyness at which a pixel counts as free of gloss
_BLACK: Final = (0.015, 0.03)  # linear; a surface darker than this has no hue that could be told from its gloss
# Tuned on bench/truth: where gloss draws bright pixels this far towards grey, the surface shines.
_GREYER: Final = (0.2, 0.34)
_GREATEST: Final = 0.97  # rank of the steps between neighbours that are looked at
_ADDED: Final = (-0.4, -0.15)  # how far they must be added light, lest a hue of its own be taken for gloss
_TOO_LIGHT: Final = (0.03, 0.12)  # share blown out, from highlights to a face of a pale thing in full light
_PALE: Final = (0.38, 0.5)  # luminance; so light, a tint of the surroundings is more than gloss would be
_WALLS: Final = (0.75, 1.0)  # how far a thing must be walls to have no gloss
_COLOURED: Final = (0.25, 0.35)  # saturation from which a surface's own hue can be told from grey light
_MOST_HAZE: Final = 0.06  # linear; 4 % of white surroundings, more at grazing angles (Fresnel, refractive index 1.5)
_FEWEST: Final = 100  # pixels a percentile needs


@dataclass(frozen=True, slots=True)
class Surface:
    """One surface; all values are linear light, of its median pixel where they are colours."""

    median: tuple[float, float, float]
    """Paint and gloss together."""
    body: tuple[float, float, float]
    """The paint's part."""
    hue_gloss: float
    """0..1: how far gloss is to be told from paint by its being grey."""
    black_gloss: float
    """0..1: how far a dark thing's bright spots are gloss."""

    @property
    def haze(self) -> float:
        """The gloss of the median pixel, alike in all channels."""
        return self.median[0] - self.body[0]


def read_surface(
    pixels: Linear, median: Linear, pairs: tuple[Linear, Linear], blown: float, enclosing: float
) -> Surface:
    """Read a surface from its pixels. Deterministic; O(N log N).

    Args:
        pixels: (N, 3) linear light, at least one pixel; means of neighbours, for a pixel's hue is mostly noise in the
            dark.
        median: (3,) linear light, of the pixels themselves.
        pairs: (M, 3) and (M, 3) linear light, means around pixels that lie not far from each other.
        blown: share of the surface's pixels that are blown out.
        enclosing: 0..1, how far it is the walls of the scene: where those turn grey, it is the window's light beside
            the lamps'.
    """
    middle = median.astype(np.float64)
    most, least = _extremes(pixels)
    greyness = least / np.maximum(most, np.float32(1e-6))
    typical, level = float(np.median(greyness)), float(np.median(most))
    whole = most < _BLOWN
    bright = greyness[whole & (most > _BRIGHT * level)]
    greyer = 0.0
    if len(bright) >= max(_FEWEST, 0.002 * len(pixels)) and typical < 1:
        greyer = (float(np.percentile(bright, 95)) - typical) / (1 - typical)
    shines = _step(greyer, *_GREYER) * (1 - _step(enclosing, *_WALLS)) * (1 - _step(blown, *_TOO_LIGHT))
    black = 1 - _step(float(middle.max()), *_BLACK)
    coloured = _step(1 - float(middle.min() / max(middle.max(), 1e-6)), *_COLOURED)
    hue_gloss = shines * coloured * (1 - black) * _step(_added(*pairs, typical), *_ADDED)
    hue_gloss *= 1 - _step(float(middle @ LUMA), *_PALE)
    clear = greyness[whole & (most > _DIM * level)]
    purest = float(np.percentile(clear, _PUREST)) if len(clear) >= _FEWEST else typical
    # Taking `haze` away from all channels makes the median pixel as pure as the purest ones.
    haze = hue_gloss * max(0.0, (middle.min() - purest * middle.max()) / max(1 - purest, 1e-6))
    body = np.maximum(middle - min(haze, _MOST_HAZE), 0.05 * middle)
    haze = float((middle - body).min())
    return Surface(_triple(middle), _triple(middle - haze), hue_gloss, shines * black)


def _added(one: Linear, other: Linear, typical: float) -> float:
    """How far what makes the greatest steps between neighbours brighter is added to all channels alike.

    1: light that met no paint; 0: light on the paint, which leaves a pixel as grey as is `typical`.
    """
    most, least = _extremes(one)
    most_other, least_other = _extremes(other)
    whole = np.maximum(most, most_other) < _BLOWN
    wide, narrow = (most - most_other)[whole], (least - least_other)[whole]
    if len(wide) < _FEWEST:
        return 0.0
    great = np.abs(wide) >= max(float(np.quantile(np.abs(wide), _GREATEST)), 1e-6)
    square = float(wide[great] @ wide[great])
    slope = float(wide[great] @ narrow[great]) / square if square else typical
    return (slope - typical) / max(1 - typical, 1e-6)


def _extremes(pixels: Linear) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N,) each: a pixel's strongest and weakest channel."""
    red, green, blue = pixels.T  # numpy is slow along an axis of three
    return np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)


def luminance(colour: tuple[float, float, float]) -> float:
    """Rec. 709 luminance of a linear colour."""
    return float(np.dot(colour, LUMA))


def _step(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, smooth between."""
    x = min(1.0, max(0.0, (value - low) / (high - low)))
    return x * x * (3 - 2 * x)


def _triple(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in colour)
    return red, green, blue
