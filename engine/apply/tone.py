"""Tone: exposure, white balance, contrast and saturation of one region, in linear light.

Order: exposure and white balance (what the camera could have done), then contrast and saturation (what the eye judges).
Nothing clips: what would run past white is bent back with its hue, and saturation slows down before a colour is as
saturated as it can be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from engine._tiles import Sites, Window
from engine.apply._region import Region
from engine.apply._shoulder import soft_shoulder
from engine.apply._white import MIREDS, light_of, white_gains
from engine.colour import LUMA, Linear, linear_of, srgb_of, to_bytes, to_linear
from engine.types import Rgb, Tone

__all__ = ["Toned", "fit_tone"]

_PIVOT: Final = 0.4614  # mid grey, 18 % of linear light, sRGB-encoded
_KNEE: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Toned:
    """A tone, ready to be applied. Satisfies `engine.apply.Paint`."""

    tone: Tone
    light: float = 0.0
    """By how many mireds the light on the region is warmer than D65; only a tone with `balance` asks."""
    reach: ClassVar[int] = 0

    def opaque(self, rgb: Rgb, at: Window | None = None) -> Rgb:
        """Map (h, w, 3) uint8 sRGB."""
        return to_bytes(self.linear(to_linear(rgb)))

    def linear(self, colours: Linear, at: Sites | None = None) -> Linear:
        """Map (..., 3) float32 linear light; the result is within 0..1."""
        tone = self.tone
        warmer = white_gains(MIREDS * tone.temperature / 100)
        neutral = white_gains(self.light) ** (-tone.balance / 100)
        gains = (warmer * neutral * 2.0**tone.exposure).astype(np.float32)
        value = _below_white(colours * gains, float(gains.max()))
        if tone.contrast:
            luma = value @ LUMA
            gain = _contrast(luma, tone.contrast) / np.maximum(luma, np.float32(1e-6))
            value = value * gain[..., None]
        if tone.saturation:
            value = _saturated(value, tone.saturation / 100)
        return _into_gamut(value)


def fit_tone(action: Tone, region: Region | None = None) -> Toned | None:
    """The paint of a tone, or None where it changes nothing.

    The region is needed for `balance`: without it, its light is taken for daylight.
    """
    if action == Tone():
        return None
    return Toned(action, light_of(region) if action.balance and region is not None else 0.0)


def _contrast(luma: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Luminance through an S of two power curves that meet at mid grey with one slope; black and white stay."""
    gamma = 2.0 ** (amount / 100)
    level = np.arange(4097) / 4096
    dark = _PIVOT * (level / _PIVOT) ** gamma
    light = 1 - (1 - _PIVOT) * ((1 - level) / (1 - _PIVOT)) ** gamma
    curve = linear_of(np.where(level < _PIVOT, dark, light))
    return np.interp(srgb_of(luma), level, curve).astype(np.float32)


def _below_white(value: Linear, top: float) -> Linear:
    """Bend what runs past white, up to `top`, back below it: the largest and the least channel by the shoulder.

    The third stays in proportion between them, as in the Adobe DNG SDK's tone curve: hue stays.
    """
    high, low = value.max(axis=-1, keepdims=True), value.min(axis=-1, keepdims=True)
    new_high, new_low = soft_shoulder(high, _KNEE, top), soft_shoulder(low, _KNEE, top)
    kept: Linear = new_low + (value - low) * ((new_high - new_low) / np.maximum(high - low, np.float32(1e-9)))
    return kept


def _saturated(value: Linear, more: float) -> Linear:
    """Chroma times 1 + `more` at the same luminance; less, the nearer a colour is to the purest there is."""
    luma = np.clip(value @ LUMA, 0, 1)[..., None]
    chroma = value - luma
    if more <= 0:
        less: Linear = luma + np.float32(1 + more) * chroma
        return less
    room = np.maximum(_room(luma, chroma) - 1, np.float32(1e-6))
    added = np.float32(more) * room / (np.float32(more) + room)  # below both, without a corner: colours stay apart
    saturated: Linear = luma + (1 + added) * chroma
    return saturated


def _into_gamut(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw colours outside 0..1 to their own luminance until they fit: hue stays, nothing clips to another colour."""
    luma = np.clip(value @ LUMA, 0, 1)[..., None]
    chroma = value - luma
    fitted: Linear = luma + chroma * np.minimum(1, _room(luma, chroma))
    return fitted


def _room(luma: NDArray[np.float32], chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 1) how many times `chroma` can be added to `luma` (..., 1) within 0..1; very often to a grey."""
    small = np.float32(1e-9)
    up = (1 - luma) / np.maximum(chroma.max(axis=-1, keepdims=True), small)
    down = luma / np.maximum(-chroma.min(axis=-1, keepdims=True), small)
    room: NDArray[np.float32] = np.minimum(up, down)
    return room
