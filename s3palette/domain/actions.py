"""What a rule does to a surface, every name resolved to numbers. Another layer maps these onto the engine's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

__all__ = ["Action", "Keep", "Recolor", "Remove", "Texture", "Tone"]


@dataclass(frozen=True, slots=True)
class Recolor:
    """Repaint: the region's median colour becomes `rgb`, shading and texture stay."""

    rgb: tuple[int, int, int]
    """sRGB, 0..255 each."""


@dataclass(frozen=True, slots=True)
class Tone:
    """Photographic correction inside the mask."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    exposure: float = 0.0
    """EV, -2..2."""
    temperature: float = 0.0
    """-100 (cooler) .. 100 (warmer)."""
    contrast: float = 0.0
    """-100..100."""
    saturation: float = 0.0
    """-100 (grey) .. 100."""
    balance: float = 0.0
    """0..100: how much of the light's own colour goes; at 100 what is grey looks grey, also by lamplight."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Lay a material's pattern on the surface."""

    material: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Fill the region from its surroundings."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the region as it is and tell its colour: a photo that sets the colour of the others, see `references`."""


Action = Recolor | Tone | Texture | Remove | Keep
