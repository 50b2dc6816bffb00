"""How a surface's shading changes with its paint: as powers, channel by channel.

- *Walls light each other*, and their own shadows, the more so the lighter their paint; low down the floor, which keeps
  its colour, has a share in that.
- *A dark thing that becomes light* loses contrast: its folds light each other, and its shading was in good part gloss.
- *The camera's curve* spreads middle tones and presses lights together: the same shading looks weaker on a lighter
  paint.

Powers, because they keep the median where it is and black gaps black.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.apply._surface import Surface, luminance
from engine.apply._surroundings import Surroundings
from engine.colour import LUMA, linear_of

__all__ = ["Channels", "rise", "shading_powers", "tint_powers"]

Channels = NDArray[np.float64]
"""(3,) a number each for red, green and blue; powers are of light over the median's."""

# Tuned on bench/truth; _ROOM, _RISE and _BENT on rooms that are not in it.
_CALM: Final = (2.0, 30.0)  # gain in luminance from which contrast shrinks, and at which it shrinks no further
_LEAST_CONTRAST: Final = 0.75  # exponent of the shading there
_GLOSSY_CONTRAST: Final = 0.15  # and on black gloss, whose shading is hardly any of its own
_ROOM: Final = 1.3  # reflectance at which light between walls would never end: 1 less what else takes light, over their
#                     share of the room
_DARKEST: Final = -0.4  # how much of its light a wall may lose at most with its paint
_RISE: Final = 0.3  # log of light per height of the photo, for walls that add as much light as there was
_BENT: Final = 0.7  # share of a filmic curve that a camera with deep blacks is taken to have
_BOUNDS: Final = (0.6, 1.1)  # of what a guessed curve may do to a power
_PLAIN: Final = (1e-4, 0.97)  # linear; beyond, a level says little of the curve


def tint_powers(surface: Surface, target: tuple[int, int, int], place: Surroundings) -> Channels:
    """Of a pixel's tint.

    Args:
        surface: what is repainted.
        target: the colour its median becomes, sRGB bytes.
        place: where it is.
    """
    after = linear_of(np.array(target) / 255)
    return _mixed(1.0, surface, after, place) * _curve(surface, after, place)


def shading_powers(surface: Surface, target: tuple[int, int, int], place: Surroundings) -> Channels:
    """Of a pixel's light without its tint; arguments as `tint_powers`."""
    after = linear_of(np.array(target) / 255)
    gain = float(after @ LUMA) / max(luminance(surface.median), 1e-4)
    low, high = np.log(_CALM)
    calm = 1 - (1 - _LEAST_CONTRAST) * float(np.clip((np.log(max(gain, 1e-4)) - low) / (high - low), 0, 1))
    shrunk, glossy = _mixed(calm, surface, after, place) * _curve(surface, after, place), surface.black_gloss
    return shrunk * (1 - glossy) + np.minimum(shrunk, _GLOSSY_CONTRAST) * glossy


def rise(surface: Surface, target: tuple[int, int, int], place: Surroundings) -> Channels:
    """(3,) log2 of what light gains from the horizon of a photo to one photo's height above it; as `tint_powers`."""
    added = _added(surface, linear_of(np.array(target) / 255))
    gained: Channels = place.enclosing * _RISE * added / (1 + added) / np.log(2)
    return gained


def _mixed(thing: float, surface: Surface, after: Channels, place: Surroundings) -> Channels:
    """Between a thing's power and that of walls.

    Theirs is 1 / (1 + d), see `_added`: light x becomes (x + d) / (1 + d), which for x about 1 is that power of x.
    """
    return (1 - place.enclosing) * thing + place.enclosing / (1 + _added(surface, after))


def _added(surface: Surface, after: Channels) -> Channels:
    """d: what walls in a new paint add everywhere to the light that was 1 at their median place.

    In an integrating sphere whose wall reflects r, light is proportional to 1 / (R - r), with R = 1 / share of the
    sphere that is wall where nothing else takes light. So a paint r' adds (r' - r) / (R - r').
    """
    added: Channels = np.maximum((after - np.array(surface.median)) / (_ROOM - after), _DARKEST)
    return added


def _curve(surface: Surface, after: Channels, place: Surroundings) -> float:
    """What the camera makes of a power of light: as much more as its curve is steeper at the new level.

    One number, for a channel alone would turn hues; within bounds, for the curve is a guess.
    """
    before, new = luminance(surface.median), float(after @ LUMA)
    steeper = (_steepness(new) / _steepness(before)) ** (_BENT * place.blackness)
    return float(np.clip(steeper, *_BOUNDS))


def _steepness(value: float) -> float:
    """d log value / d log light where a filmic curve made the value, linear 0..1, of light.

    The curve is Narkowicz's fit of ACES, value = (2.51 a² + 0.03 a) / (2.43 a² + 0.59 a + 0.14) ("ACES filmic tone
    mapping curve", 2015); it stands for the many curves of cameras, which all are steeper in the middle than at 1.
    """
    v = min(max(value, _PLAIN[0]), _PLAIN[1])
    square, line, rest = 2.51 - 2.43 * v, 0.03 - 0.59 * v, -0.14 * v
    a = (math.sqrt(line**2 - 4 * square * rest) - line) / (2 * square)
    above, below = (5.02 * a + 0.03) / (2.51 * a + 0.03), (4.86 * a + 0.59) * a / ((2.43 * a + 0.59) * a + 0.14)
    return above - below
