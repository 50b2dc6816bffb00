"""ICC profiles: whatever colours a file was written in, sRGB comes out."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

__all__ = ["to_srgb"]

_MODE_OF_SPACE: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image) -> Image.Image:
    """Convert a loaded image without alpha to mode RGB in sRGB, through its ICC profile where it has a usable one.

    A profile that is damaged, or made for another kind of image than this one, is ignored: the pixels are then read
    as sRGB, as every viewer does. One that describes sRGB itself leaves the pixels bit for bit.
    """
    transform, mode = _transform(image)
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    turned = ImageCms.applyTransform(image if image.mode == mode else image.convert(mode), transform)
    if turned is None:
        raise ValueError("the colour transform gave no image")
    return turned


def _transform(image: Image.Image) -> tuple[ImageCms.ImageCmsTransform | None, str]:
    icc = image.info.get("icc_profile")
    if not icc:
        return None, ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = _MODE_OF_SPACE.get(profile.profile.xcolor_space.strip(), "")
        if not _fits(mode, image.mode):
            return None, ""
        transform = ImageCms.buildTransform(
            profile, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.PERCEPTUAL
        )
        return (None if _changes_nothing(transform, mode) else transform), mode
    except Exception:  # lcms and its binding raise several kinds on damaged profiles
        return None, ""


def _fits(profile_mode: str, image_mode: str) -> bool:
    if profile_mode == "CMYK" or image_mode == "CMYK":
        return profile_mode == image_mode
    return profile_mode == "RGB" or (profile_mode == "L" and image_mode in ("1", "L"))


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """True where the transform is the identity but for rounding: files name sRGB in dozens of different profiles."""
    steps: NDArray[np.uint8] = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "CMYK":
        return False
    if mode == "L":
        probe = Image.fromarray(steps[None])
    else:
        probe = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3))
    turned = ImageCms.applyTransform(probe, transform)
    before = np.asarray(probe.convert("RGB"), dtype=np.int16)
    return bool(np.abs(np.asarray(turned, dtype=np.int16) - before).max() <= 1)
