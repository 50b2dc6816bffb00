"""What others do to recolour a region: six methods, from a flat fill to OpenCV's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.color.colorconv import xyz_from_rgb

from engine.colour import Linear, linear_of, srgb_of, to_bytes, to_linear
from engine.matte import Matte
from engine.types import Mask, Rgb

__all__ = ["PEERS", "Colour"]

Colour = tuple[int, int, int]
Pixels = NDArray[np.float64]

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB -> cone responses -> OKLab
_TO_CONES: Final = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_LAB: Final = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def _blend(rgb: Rgb, painted: Pixels, matte: Matte) -> Rgb:
    """`painted` (sRGB, 0..1) laid over the photo through the matte, as most programs do it: on the encoded values."""
    share = matte[..., None] / 255
    mixed: Rgb = np.rint(np.clip(painted, 0, 1) * 255 * share + rgb * (1 - share)).astype(np.uint8)
    return mixed


def _flat(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """One colour."""
    return _blend(rgb, np.broadcast_to(np.array(target) / 255, rgb.shape), matte)


def _hsv(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """Hue and saturation of the target, the photo's own V."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., :2] = cv2.cvtColor(np.array([[target]], np.uint8), cv2.COLOR_RGB2HSV_FULL)[0, 0, :2]
    return _blend(rgb, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL) / 255, matte)


def _keep_l(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """a* and b* of the target, the photo's own L*."""
    lab = rgb2lab(rgb)
    lab[..., 1:] = rgb2lab(np.array([[target]], np.uint8))[0, 0, 1:]
    return _blend(rgb, _srgb_of_lab(lab), matte)


def _srgb_of_lab(lab: Pixels) -> Pixels:
    # CIE 1976: what lies outside sRGB is clipped by the blend; skimage's own conversion warns of it
    f_y = (lab[..., 0] + 16) / 116
    f = np.stack([f_y + lab[..., 1] / 500, f_y, f_y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 16 / 116) / 7.787) * np.array([0.95047, 1.0, 1.08883])
    return srgb_of(xyz @ np.linalg.inv(xyz_from_rgb).T)


def _oklab(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """In OKLab, L times target / median, a and b moved by target - median."""

    def there(linear: NDArray[np.floating]) -> Pixels:
        return np.cbrt(np.asarray(linear, np.float64) @ _TO_CONES.T) @ _TO_LAB.T

    lab = there(to_linear(rgb))
    median, goal = np.median(lab[region > 0], axis=0), there(linear_of(np.array(target) / 255))
    lab[..., 0] *= goal[0] / max(float(median[0]), 1e-3)
    lab[..., 1:] += goal[1:] - median[1:]
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T
    return _blend(rgb, srgb_of(linear), matte)


def _gains(rgb: Rgb, region: Mask, target: Colour) -> Pixels:
    median = np.median(rgb[region > 0], axis=0)
    return linear_of(np.array(target) / 255) / np.maximum(linear_of(median / 255), 1e-4)


def _ratio(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """Each channel of linear light times target / median of the region."""
    light: Linear = to_linear(rgb)
    return _blend(rgb, to_bytes((light * _gains(rgb, region, target)).astype(np.float32)) / 255, matte)


def _colour_change(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """cv2.colorChange by the ratio of the encoded values, within the 0.5..2.5 that it takes (Perez et al. 2003)."""
    gain = np.clip(np.array(target) / np.maximum(np.median(rgb[region > 0], axis=0), 1), 0.5, 2.5)
    return np.asarray(cv2.colorChange(rgb, cv2.merge([region] * 3), None, *(float(g) for g in gain)))


def _seamless(rgb: Rgb, region: Mask, matte: Matte, target: Colour) -> Rgb:
    """cv2.seamlessClone of the flat colour, mixed: the photo's gradients, its border's colours (Perez et al. 2003)."""
    left, top, width, height = cv2.boundingRect(region)
    centre = left + width // 2, top + height // 2
    flat = np.full_like(rgb, target)
    return np.asarray(cv2.seamlessClone(flat, rgb, region, centre, cv2.MIXED_CLONE))


PEERS: Final[Mapping[str, Callable[[Rgb, Mask, Matte, Colour], Rgb]]] = {
    "flat": _flat,
    "hsv": _hsv,
    "keep_l": _keep_l,
    "oklab": _oklab,
    "ratio": _ratio,
    "colorChange": _colour_change,
    "seamlessClone": _seamless,
}
"""Method -> (photo, region, matte, target) -> result; the region is the binary mask less what is protected."""
