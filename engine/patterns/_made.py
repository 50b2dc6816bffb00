"""What every kind of pattern hands over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.patterns._noise import Field
from engine.patterns._units import Units

__all__ = ["Made", "joints", "shifted", "tinted"]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A period of a pattern before its colour."""

    relative: NDArray[np.float32]
    """(h, w, 3) reflectance as a multiple of the material's."""
    metres: tuple[float, float]
    """Height and width of the period."""
    joint: Field | None = None
    """Share of each pixel that is joint, 0..1."""


def tinted(shade: Field, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> NDArray[np.float32]:
    """(h, w, 3) relative reflectance exp(shade * tint): what is darker may be redder too."""
    return np.exp(shade[..., None] * np.array(tint, np.float32))


def joints(units: Units, width: float) -> Field | None:
    """Share of each pixel that lies in a joint of `width` metres, half of it on either side of an edge."""
    if width <= 0:
        return None
    pixel = units.metres[0] / units.edge.shape[0]
    # A joint thinner than a pixel keeps its share of it.
    share: Field = np.clip((width / 2 - units.edge) / pixel + 0.5, 0, min(1.0, width / pixel)).astype(np.float32)
    return share


def shifted(field: Field, units: Units, rng: np.random.Generator, *, turned: Field | None = None) -> Field:
    """The field, cut from another place for every unit; from `turned` where a unit lies across."""
    height, width = field.shape
    dy, dx = rng.integers(0, height, units.count), rng.integers(0, width, units.count)
    rows = (np.arange(height)[:, None] + dy[units.number]) % height
    columns = (np.arange(width)[None] + dx[units.number]) % width
    cut: Field = field[rows, columns]
    return cut if turned is None else np.where(units.across, turned[rows, columns], cut)
