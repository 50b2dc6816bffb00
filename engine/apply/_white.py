"""The colour of light: daylight of any temperature, and what light a region lies in."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.apply._region import Region
from engine.colour import LUMA, to_linear
from engine.types import Rgb

__all__ = ["MIREDS", "light_of", "white_gains"]

MIREDS: Final = 60.0
"""What a `temperature` of 100 moves the white point by; equal steps of mireds look equal. 6504 K -> 4679 K."""

_D65: Final = 1e6 / 6504
_XYZ_TO_RGB: Final = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
_NORM: Final = 6
_SAMPLES: Final = 40_000
_BLOWN: Final = 254
_DARK: Final = 1e-4


def white_gains(mireds: float) -> NDArray[np.float64]:
    """(3,) gains of linear red, green, blue that turn white at D65 into daylight that many mireds warmer.

    Negative ones are cooler. Along the daylight locus (CIE 15:2004, eqs. 3.3 and 3.4). Von Kries scaling in linear
    sRGB, luminance of grey kept.
    """
    white = _daylight(_D65 + mireds) / _daylight(_D65)
    gains: NDArray[np.float64] = white / (white @ LUMA.astype(np.float64))
    return gains


def light_of(region: Region) -> float:
    """By how many mireds the light on a region is warmer than D65, as far as that can be told from its surface.

    What the region's own median and the whole photo agree on: a white wall in lamplight is as yellow as the rest of
    the picture, and a clay floor in daylight is not. The photo's light is its mean of the 6th order (Finlayson and
    Trezzi, "Shades of Gray and Colour Constancy", 2004). 0 where the two disagree.
    """
    inside = region.mask > 0
    own = _warmth(np.median(_light(region.rgb[inside][:: max(1, int(inside.sum()) // _SAMPLES)]), axis=0))
    step = max(1, int((region.photo.shape[0] * region.photo.shape[1] / _SAMPLES) ** 0.5))
    light = _light(region.photo[::step, ::step].reshape(-1, 3))
    whole = _warmth((light**_NORM).mean(axis=0) ** (1 / _NORM))
    return min(own, whole, key=abs) if own * whole > 0 else 0.0


def _light(colours: Rgb) -> NDArray[np.float64]:
    """(N, 3) linear light of those that are not blown out; of all where none is left."""
    clear = colours[(colours < _BLOWN).all(axis=1)]
    light: NDArray[np.float64] = to_linear((clear if len(clear) else colours)[None])[0].astype(np.float64)
    return light


def _daylight(mired: float) -> NDArray[np.float64]:
    """Linear sRGB of CIE daylight at Y = 1."""
    kelvin = 1e6 / mired
    if kelvin <= 7000:
        x = -4.6070e9 / kelvin**3 + 2.9678e6 / kelvin**2 + 0.09911e3 / kelvin + 0.244063
    else:
        x = -2.0064e9 / kelvin**3 + 1.9018e6 / kelvin**2 + 0.24748e3 / kelvin + 0.237040
    y = -3.000 * x * x + 2.870 * x - 0.275
    white: NDArray[np.float64] = _XYZ_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y])
    return white


# From the bluest sky to a bulb of 2,500 K; below 4,000 K the locus still runs within 0.01 of the black body's.
_RANGE: Final = np.arange(-110.0, 246.0)
_RED_TO_BLUE: Final = np.array([np.log(white[0] / white[2]) for white in (_daylight(_D65 + m) for m in _RANGE)])


def _warmth(light: NDArray[np.float64]) -> float:
    """Mireds above D65 of the daylight whose red stands to its blue as in `light` (3,)."""
    red, _, blue = np.maximum(light, _DARK)
    return float(np.interp(np.log(red / blue), _RED_TO_BLUE, _RANGE))
