"""A sheet to look at: the photo, the result, the truth, and how far apart they are."""

from __future__ import annotations

import cv2
import numpy as np
from _figures import difference, lab
from _truth import Bits
from PIL import Image, ImageDraw, ImageFont

from engine.types import Rgb

__all__ = ["side_by_side"]

_FULL = 15.0
"""CIEDE2000 at the map's brightest colour."""


def side_by_side(photo: Rgb, result: Rgb, truth: Rgb, inside: Bits, method: str = "ours") -> Image.Image:
    """Photo, result, truth (inside the mask; the photo outside) and CIEDE2000 of the last two, 0 to 15."""
    real = np.where(inside[..., None], truth, photo)
    away = np.clip(difference(lab(result), lab(real)) / _FULL * 255, 0, 255).astype(np.uint8)
    heat = cv2.applyColorMap(away, cv2.COLORMAP_INFERNO)[..., ::-1]
    sheet = Image.fromarray(np.concatenate([photo, result, real, heat], axis=1))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for k, words in enumerate(("photo", method, "truth", f"difference, 0 to {_FULL:.0f}")):
        draw.text((k * photo.shape[1] + 10, 8), words, (255, 255, 255), font, stroke_width=2, stroke_fill=(0, 0, 0))
    return sheet
