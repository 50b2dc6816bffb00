"""What `Repaint` does to a pixel, compiled; see `engine.apply.recolor` for why."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine._kernel import inlined, kernel
from engine.types import Rgb

__all__ = ["Formula", "Three", "paint_bytes", "paint_light", "three"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Float = np.float32
Three = tuple[Float, Float, Float]

_ZERO: Final = Float(0)
_HALF: Final = Float(0.5)
_ONE: Final = Float(1)
_LEAST: Final = Float(1e-6)
_RED, _GREEN, _BLUE = Float(0.2126), Float(0.7152), Float(0.0722)  # `engine.colour.LUMA`
_TINT: Final = Float(np.log2(10))  # a pixel's own tint beyond a factor of ten is noise
_WHITE: Final = Float(65535)
_CHUNK: Final = 1024

_ROOT: Final = Float(np.sqrt(2))
_MANTISSA, _EXPONENT_OF_ONE = np.int32(0x7FFFFF), np.int32(0x3F800000)
_LOG: Final = tuple(
    Float(2 / np.log(2) / n) for n in (1, 3, 5, 7, 9)
)  # of atanh's series: log m = 2 atanh((m-1)/(m+1))
_EXP: Final = tuple(Float(np.log(2) ** n / f) for n, f in ((1, 1), (2, 2), (3, 6), (4, 24), (5, 120), (6, 720)))
_FARTHEST: Final = Float(120)


class Formula(NamedTuple):
    """The numbers of a fitted recolour; colours are linear light, logarithms are to the base of 2."""

    weights: Three
    """Shading of a pixel as a mean of its channels."""
    log_body: Three
    trust: Three
    green: Three
    """From purple to green, of length 1, times the root of how much of a pixel's tint along it is taken out."""
    log_paint: Three
    scale: Three
    contrast: Three
    rise: Three
    """What light gains per height of the photo, upwards."""
    grey: Three
    """The grey part of a pixel."""
    hue_gloss: Float
    black_gloss: Float
    spot: Float
    """Luminance above which a pixel of a black thing is gloss."""
    knee: Three
    span: Three
    """1 - knee, 0 where the shoulder is a plain clip."""
    inverse: Three
    """1 / span, or 0."""
    curve: Three
    """1 / end², see `engine.apply._shoulder`."""


def three(values: Any) -> Three:
    """Three numbers as kernels take them."""
    red, green, blue = (Float(value) for value in values)
    return red, green, blue


@kernel
def paint_bytes(
    pixels: Rgb | NDArray[np.uint16], table: Floats, above: Floats, formula: Formula, to_byte: NDArray[np.uint8]
) -> Rgb:
    """(h, w, 3) uint8 sRGB of (h, w, 3) entries of `table`, which has their linear light.

    `above` has how far each row is above the horizon, `to_byte` the byte of every 65535th of linear light.
    """
    height, width = pixels.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    red, green, blue = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    up, entries = np.empty(width, np.float32), np.empty(width, np.int32)
    for y in range(height):
        up[:] = above[y]
        for x in range(width):
            red[x] = table[pixels[y, x, 0]]
            green[x] = table[pixels[y, x, 1]]
            blue[x] = table[pixels[y, x, 2]]
        _paint(red, green, blue, up, width, formula)
        _bend(red, green, blue, width, formula)
        _store(out[y], 0, red, to_byte, entries)
        _store(out[y], 1, green, to_byte, entries)
        _store(out[y], 2, blue, to_byte, entries)
    return out


@kernel
def paint_light(colours: Floats, above: Floats, formula: Formula, bounded: bool) -> Floats:
    """(N, 3) linear light of (N, 3) linear light, each so far above the horizon.

    `bounded`: with the shoulder, so that it is within 0..1.
    """
    out = np.empty_like(colours)
    red, green, blue = np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32), np.empty(_CHUNK, np.float32)
    for start in range(0, len(colours), _CHUNK):
        count = min(_CHUNK, len(colours) - start)
        for k in range(count):
            red[k], green[k], blue[k] = colours[start + k, 0], colours[start + k, 1], colours[start + k, 2]
        _paint(red, green, blue, above[start:], count, formula)
        if bounded:
            _bend(red, green, blue, count, formula)
        for k in range(count):
            out[start + k, 0], out[start + k, 1], out[start + k, 2] = red[k], green[k], blue[k]
    return out


@inlined
def _store(out: Rgb, channel: int, light: Floats, to_byte: NDArray[np.uint8], entries: Ints) -> None:
    """One channel of a row. Rounding apart from looking up: the one is many pixels at a time."""
    for x in range(len(light)):
        entries[x] = np.int32(light[x] * _WHITE + _HALF)
    for x in range(len(light)):
        out[x, channel] = to_byte[np.uint32(entries[x])]


@inlined
def _paint(red: Floats, green: Floats, blue: Floats, up: Floats, count: int, f: Formula) -> None:
    for x in range(count):
        r, g, b = red[x], green[x], blue[x]
        grey = _between(f.grey[0] * r + f.grey[1] * g + f.grey[2] * b, _ZERO, _less(_less(r, g), b)) * f.hue_gloss
        bright = _more(_RED * r + _GREEN * g + _BLUE * b, _LEAST)
        over = _more(_ONE - f.spot / bright, _ZERO) * f.black_gloss
        gloss_r, gloss_g, gloss_b = grey + r * over, grey + g * over, grey + b * over
        r, g, b = _more(r - gloss_r, _LEAST), _more(g - gloss_g, _LEAST), _more(b - gloss_b, _LEAST)
        shading = _log2(f.weights[0] * r + f.weights[1] * g + f.weights[2] * b)
        r = _between(_log2(r) - shading - f.log_body[0], -_TINT, _TINT) * f.trust[0]
        g = _between(_log2(g) - shading - f.log_body[1], -_TINT, _TINT) * f.trust[1]
        b = _between(_log2(b) - shading - f.log_body[2], -_TINT, _TINT) * f.trust[2]
        astray = r * f.green[0] + g * f.green[1] + b * f.green[2]
        r += shading * f.contrast[0] - astray * f.green[0] + f.log_paint[0] + up[x] * f.rise[0]
        g += shading * f.contrast[1] - astray * f.green[1] + f.log_paint[1] + up[x] * f.rise[1]
        b += shading * f.contrast[2] - astray * f.green[2] + f.log_paint[2] + up[x] * f.rise[2]
        red[x] = (_exp2(r) + gloss_r) * f.scale[0]
        green[x] = (_exp2(g) + gloss_g) * f.scale[1]
        blue[x] = (_exp2(b) + gloss_b) * f.scale[2]


@inlined
def _bend(red: Floats, green: Floats, blue: Floats, count: int, f: Formula) -> None:
    for x in range(count):
        red[x] = _shoulder(red[x], f.knee[0], f.span[0], f.inverse[0], f.curve[0])
        green[x] = _shoulder(green[x], f.knee[1], f.span[1], f.inverse[1], f.curve[1])
        blue[x] = _shoulder(blue[x], f.knee[2], f.span[2], f.inverse[2], f.curve[2])


@inlined
def _shoulder(value: Float, knee: Float, span: Float, inverse: Float, curve: Float) -> Float:
    """As `engine.apply._shoulder.soft_shoulder`, and within 0..1 for good."""
    over = _more(value - knee, _ZERO) * inverse
    return _less(_less(value, knee) + span * over * (_ONE + over * curve) / (_ONE + over), _ONE)


@inlined
def _log2(x: Float) -> Float:
    """Of a positive number; off by 1e-7 of the result or of 1."""
    bits = np.float32(x).view(np.int32)
    whole = np.int32(np.int32(bits >> np.int32(23)) - np.int32(127))
    part = np.int32(np.int32(bits & _MANTISSA) | _EXPONENT_OF_ONE).view(np.float32)
    high = part > _ROOT
    part = part * _HALF if high else part
    t = (part - _ONE) / (part + _ONE)
    q = t * t
    series = t * (_LOG[0] + q * (_LOG[1] + q * (_LOG[2] + q * (_LOG[3] + q * _LOG[4]))))
    return Float(whole) + (_ONE if high else _ZERO) + series


@inlined
def _exp2(y: Float) -> Float:
    """Off by 2e-7 of the result; `y` is taken as within ±120."""
    y = _between(y, -_FARTHEST, _FARTHEST)
    whole = np.int32(np.int32(y + Float(128.5)) - np.int32(128))
    t = y - Float(whole)
    series = t * (_EXP[0] + t * (_EXP[1] + t * (_EXP[2] + t * (_EXP[3] + t * (_EXP[4] + t * _EXP[5])))))
    return (_ONE + series) * np.int32(np.int32(whole + np.int32(127)) << np.int32(23)).view(np.float32)


@inlined
def _more(a: Float, b: Float) -> Float:
    return a if a > b else b


@inlined
def _less(a: Float, b: Float) -> Float:
    return a if a < b else b


@inlined
def _between(value: Float, low: Float, high: Float) -> Float:
    return _less(_more(value, low), high)
