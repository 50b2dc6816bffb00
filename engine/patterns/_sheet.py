"""A sheet: one period of a pattern as reflectance, with its real size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from engine.colour import Linear, linear_of
from engine.patterns import _cloth, _fired, _metal, _stone, _wood
from engine.patterns._made import Made
from engine.types import Pattern, PatternKind

__all__ = ["Sheet", "sheet_of"]

_PIXELS: Final = 1_500_000
_FINEST: Final = 12_000.0
"""Pixels a metre at most; cloth is drawn at this."""

_Maker = Callable[[Pattern, float, np.random.Generator], Made]
_MAKERS: Final[Mapping[PatternKind, _Maker]] = {
    "boards": _wood.planks, "herringbone": _wood.blocks, "bamboo": _wood.bamboo,
    "tile": _fired.tile, "brick": _fired.brick,
    "slate": _stone.slate, "marble": _stone.marble, "terrazzo": _stone.terrazzo, "concrete": _stone.concrete,
    "brushed": _metal.brushed,
    "linen": _cloth.linen, "denim": _cloth.denim, "knit": _cloth.knit, "leather": _cloth.leather,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What repeats over a surface: downwards by `metres[0]`, to the right by `metres[1]`, without a seam."""

    albedo: Linear
    """(h, w, 3) float32, linear reflectance, 0..1."""
    metres: tuple[float, float]
    """Real height and width."""
    turn: float = 0.0
    """Degrees it is laid at."""


@lru_cache(maxsize=8)
def sheet_of(pattern: Pattern, pixels: int = _PIXELS) -> Sheet:
    """Draw a pattern. The same numbers give the same bytes.

    Args:
        pattern: the kind and its numbers.
        pixels: of the sheet, about; the scale of what is drawn does not depend on it.

    Raises:
        ValueError: a unit or joint that is not a size in metres.
    """
    if not (0 < min(pattern.unit) <= max(pattern.unit) <= 10 and 0 <= pattern.joint < min(pattern.unit) / 2):
        raise ValueError(f"a pattern of units {pattern.unit} m with joints of {pattern.joint} m cannot be drawn")
    maker = _MAKERS[pattern.kind]
    height, width = maker(pattern, 2.0 / min(pattern.unit), _random(pattern)).metres
    made = maker(pattern, min(_FINEST, (pixels / (height * width)) ** 0.5), _random(pattern))
    colour, joint_colour = (
        linear_of(np.array(rgb) / 255).astype(np.float32) for rgb in (pattern.colour, pattern.joint_colour)
    )
    face = made.relative * colour
    if made.joint is None:
        albedo = face
    else:
        share = made.joint[..., None]
        albedo = face * (1 - share) + joint_colour * share
    for _ in range(4):  # what clips at white has to be made up for by the rest
        mean = albedo.mean(axis=(0, 1), dtype=np.float64)
        albedo = np.minimum(albedo * (colour / np.maximum(mean, 1e-6)).astype(np.float32), 1)
    albedo = albedo.astype(np.float32)
    albedo.flags.writeable = False
    return Sheet(albedo, made.metres, pattern.turn)


def _random(pattern: Pattern) -> np.random.Generator:
    return np.random.default_rng([pattern.seed, zlib.crc32(pattern.kind.encode())])
