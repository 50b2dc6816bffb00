"""Fired clay: tiles and bricks in their joints."""

from __future__ import annotations

import numpy as np

from engine.patterns._made import Made, joints, shifted, tinted
from engine.patterns._noise import clouds
from engine.patterns._units import courses
from engine.types import Pattern

__all__ = ["brick", "tile"]


def tile(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Glazed or raw tiles on a grid; the glaze is uneven and thins out towards the edges."""
    units = courses(pattern.unit, per_metre, 0.0, across=8)
    shape = units.edge.shape
    glaze = clouds(shape, (0.08 * per_metre, 0.08 * per_metre), rng)
    speck = clouds(shape, (0.003 * per_metre, 0.003 * per_metre), rng)
    cut = shifted(np.float32(0.03) * glaze + np.float32(0.012) * speck, units, rng)
    rim = np.exp(-np.maximum(units.edge - pattern.joint / 2, 0) / np.float32(0.004))
    each = rng.normal(0, pattern.variety, units.count).astype(np.float32)[units.number]
    shade = each + np.float32(pattern.contrast) * (cut - np.float32(0.05) * rim)
    return Made(tinted(shade, (0.9, 1.0, 1.1)), units.metres, joints(units, pattern.joint))


def brick(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Bricks in running bond: burnt unevenly, rough, with sanded joints and worn edges."""
    units = courses(pattern.unit, per_metre, 0.5, across=8)
    shape = units.edge.shape
    burn = clouds(shape, (0.03 * per_metre, 0.07 * per_metre), rng)
    rough = clouds(shape, (0.004 * per_metre, 0.006 * per_metre), rng)
    pits = np.clip(clouds(shape, (0.006 * per_metre, 0.008 * per_metre), rng) - np.float32(1.9), 0, 1)
    cut = shifted(np.float32(0.09) * burn + np.float32(0.07) * rough - np.float32(0.3) * pits, units, rng)
    each = rng.normal(0, pattern.variety, units.count).astype(np.float32)[units.number]
    relative = tinted(each + np.float32(pattern.contrast) * cut, (0.75, 1.0, 1.15))
    joint = joints(units, pattern.joint)
    if joint is not None:
        wear = np.float32(0.0016) * clouds(shape, (0.012 * per_metre, 0.012 * per_metre), rng)
        pixel = units.metres[0] / shape[0]
        joint = np.clip((pattern.joint / 2 + wear - units.edge) / pixel + 0.5, 0, 1).astype(np.float32)
    return Made(relative, units.metres, joint)
