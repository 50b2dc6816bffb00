"""Brushed metal."""

from __future__ import annotations

import numpy as np

from engine.patterns._made import Made, tinted
from engine.patterns._noise import clouds
from engine.types import Pattern

__all__ = ["brushed"]


def brushed(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Fine scratches along the length of the unit."""
    metres = pattern.unit[1], pattern.unit[0]
    shape = round(metres[0] * per_metre), round(metres[1] * per_metre)
    shade = np.float32(0.05) * clouds(shape, (0.15 * per_metre, 0.0006 * per_metre), rng)
    shade += np.float32(0.02) * clouds(shape, (0.3 * per_metre, 0.01 * per_metre), rng)
    return Made(tinted(np.float32(pattern.contrast) * shade), metres)
