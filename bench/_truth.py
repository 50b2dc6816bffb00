"""The truth set as benchmarks read it: base photos, exact masks, and what repainting them really gives."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from _changed import changed
from numpy.typing import NDArray
from PIL import Image, ImageColor

from engine.colour import to_bytes, to_linear
from engine.types import Rgb

__all__ = ["ALBUMS", "FOLDER", "PAINTS", "SCENES", "VARIANTS", "Bits", "Floor", "Scene", "photographed", "varied"]

FOLDER: Final = Path(os.environ.get("TRUTH_SET", Path(__file__).resolve().parent / "truth"))
"""The truth set; another one, rendered by bench/truth/render.py --into, where TRUTH_SET says so."""
_BOOK: Final[dict[str, Any]] = tomllib.loads((FOLDER / "scenes.toml").read_text())
_LABELS: Final[list[str]] = _BOOK["labels"]
PAINTS: Final[Mapping[str, tuple[int, ...]]] = {
    name: ImageColor.getrgb(colour) for name, colour in _BOOK["paints"].items()
}
"""Name of a paint -> its mean sRGB colour."""
VARIANTS: Final = ("clean", "noise", "jpeg", "phone")

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Floor:
    """A rectangle of the floor as the camera sees it."""

    quad: NDArray[np.float64]
    """(4, 2) its corners in pixels, x first: near left, near right, far right, far left (in the room's own sense)."""
    metres: tuple[float, float]
    """Its width and depth."""
    origin: tuple[float, float]
    """Where its near left corner lies in the pattern's plane; the pattern begins at (0, 0)."""
    pattern_side: float
    """Side of the square pattern in metres."""


@dataclass(frozen=True)
class Scene:
    """One scene of the truth set."""

    name: str
    half: str
    """"tune" or "held_out"."""
    kind: str
    """"room" or "product"."""
    surfaces: Mapping[str, str]
    """Class that is repainted -> "matte", "satin" or "glossy"."""
    curve: str
    """"srgb" or "film": how its camera turns light into bytes."""
    texture: str | None
    """Name of the pattern that is laid on the floor."""

    @property
    def folder(self) -> Path:
        return FOLDER / "pictures" / self.name

    def base(self) -> Rgb:
        """(H, W, 3) the photo."""
        return _picture(self.folder / "base.webp")

    def truth(self, which: str) -> Rgb:
        """(H, W, 3) another rendering: "SURFACE-PAINT", "texture" or "removed"; the base a few px beyond its change."""
        kept = changed(_labels(self.folder / "labels.png"), which, _LABELS, _BOOK["margin"])
        return np.where(kept[..., None], _picture(self.folder / f"{which}.webp"), self.base())

    def mask(self, *classes: str) -> Bits:
        """(H, W) pixels whose greater part shows one of the classes."""
        return np.isin(_labels(self.folder / "labels.png"), [_LABELS.index(c) for c in classes])

    def pattern(self) -> Rgb:
        """(S, S, 3) the seamless pattern that is laid on the floor (rooms)."""
        return _picture(FOLDER / "patterns" / f"{self.texture}.webp")

    def floor(self) -> Floor:
        """The floor's plane (rooms)."""
        found = json.loads((self.folder / "floor.json").read_text())
        return Floor(
            np.array(found["quad"]), tuple(found["metres"]), tuple(found["origin"]), float(found["pattern_side"])
        )


SCENES: Final = {
    name: Scene(name, entry["half"], entry["kind"], entry["surfaces"], entry["curve"], entry.get("texture"))
    for name, entry in _BOOK["scenes"].items()
}


ALBUMS: Final[Mapping[str, list[str]]] = _BOOK["albums"]
"""Album -> photos of one product in several lights."""


def photographed(name: str) -> tuple[Rgb, Bits, Bits]:
    """A photo of an album, and masks (H, W) of its body and of the print on that."""
    folder = FOLDER / "pictures" / name
    labels = _labels(folder / "labels.png")
    return _picture(folder / "base.webp"), labels == _LABELS.index("body"), labels == _LABELS.index("text")


@cache
def _picture(path: Path) -> Rgb:
    rgb: Rgb = np.array(Image.open(path).convert("RGB"))
    rgb.flags.writeable = False
    return rgb


@cache
def _labels(path: Path) -> NDArray[np.uint8]:
    return np.array(Image.open(path))


def varied(rgb: Rgb, variant: str) -> Rgb:
    """The photo as another camera would have handed it over; the same every time.

    "noise" is a small sensor in a dim room: shot noise of 2,500 electrons at white and 4 of reading (variance linear in
    light: Foi et al. 2008), softened by demosaicing. "jpeg" is what a messenger leaves: quality 75, half the colour.
    "phone" is both: the noise, as a JPEG of quality 90 keeps it.

    Raises:
        ValueError: no such variant.
    """
    if variant == "clean":
        return rgb
    if variant == "noise":
        light = to_linear(rgb)
        grain = np.random.default_rng(7).normal(size=rgb.shape).astype(np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), 0.6) * np.float32(1.7)  # the blur alone would take 40 % of the strength
        return to_bytes(light + grain * np.sqrt(light / 2500 + np.float32((4 / 2500) ** 2)))
    if variant == "jpeg":
        return _compressed(rgb, 75)
    if variant == "phone":
        return _compressed(varied(rgb, "noise"), 90)
    raise ValueError(f"{variant} is none of {', '.join(VARIANTS)}")


def _compressed(rgb: Rgb, quality: int) -> Rgb:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.array(Image.open(file))
