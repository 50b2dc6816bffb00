"""What a camera would have recorded in other light: the truth that tone is measured against.

Exposure multiplies light. Other daylight does more than that: it is another spectrum on the same surfaces, while the
camera's white balance stays. A colour of the photo is taken for the smoothest reflectance that gives it under the
first lamp (least second differences, as Burns, "Numerical Methods for Smoothest Reflectance Reconstruction", 2020,
has it in his linear method), lit by the second and seen by the CIE 1931 observer (Wyman, Sloan and Shirley, "Simple
Analytic Approximations to the CIE XYZ Color Matching Functions", 2013). Both lamps are black bodies. No step of it is
a gain a channel, which is how the engine does it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.colour import LUMA

__all__ = ["other_light"]

Spectra = NDArray[np.float64]

_NM: Final[Spectra] = np.arange(400.0, 701.0, 5.0)
_TO_RGB: Final = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)


def _observer() -> Spectra:
    """(3, n) x-, y- and z-bar of the CIE 1931 observer: the lobes of Wyman et al., eq. 4."""

    def lobe(peak: float, below: float, above: float) -> Spectra:
        return np.exp(-0.5 * ((_NM - peak) * np.where(peak > _NM, below, above)) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    return np.stack([x, y, z])


def _black_body(kelvin: float) -> Spectra:
    """(n,) Planck's law, in any unit."""
    metres = _NM * 1e-9
    return metres**-5 / np.expm1(1.438777e-2 / (metres * kelvin))


@cache
def _seen(kelvin: float) -> Spectra:
    """(3, n) linear sRGB of each part of a spectrum of reflectance, in the light of a black body."""
    return _TO_RGB @ (_observer() * _black_body(kelvin))


def other_light(before: float, after: float) -> NDArray[np.float64]:
    """(3, 3) linear camera values in the light of `before` kelvin -> those in the light of `after`.

    The camera is balanced for the first: white is (1, 1, 1) there. The second is as bright: a grey keeps its luminance.
    """
    first, second = _seen(before), _seen(after)
    balance = first.sum(axis=1, keepdims=True)
    first, second = first / balance, second / balance
    second /= LUMA @ second.sum(axis=1)
    bend = np.diff(np.eye(_NM.size), n=2, axis=0)
    bend = bend.T @ bend
    # Lagrange: the least bent spectra that look like pure red, green and blue
    system = np.block([[bend, first.T], [first, np.zeros((3, 3))]])
    primaries = np.linalg.solve(system, np.vstack([np.zeros((_NM.size, 3)), np.eye(3)]))[: _NM.size]
    found: NDArray[np.float64] = second @ primaries
    return found
