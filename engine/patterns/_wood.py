"""Wood and bamboo: boards with grain along their length."""

from __future__ import annotations

import numpy as np

from engine.patterns._made import Made, joints, shifted, tinted
from engine.patterns._noise import Field, Shape, clouds
from engine.patterns._units import Units, boards, herringbone
from engine.types import Pattern

__all__ = ["bamboo", "blocks", "planks"]

_TINT = (0.8, 1.0, 1.3)
"""Darker wood is redder: its blue falls most."""


def planks(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Boards side by side."""
    return _wooden(boards(pattern.unit, per_metre, rng), pattern, per_metre, rng)


def blocks(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Herringbone parquet."""
    return _wooden(herringbone(pattern.unit, per_metre), pattern, per_metre, rng)


def bamboo(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Glued strips of unit width, with a darker knot about every 0.3 m."""
    units = boards(pattern.unit, per_metre, rng, count=24)
    shape = units.edge.shape
    fibre = clouds(shape, (0.12 * per_metre, 0.0012 * per_metre), rng)
    y = (np.arange(shape[0], dtype=np.float32) / per_metre)[:, None]
    phase = rng.random(units.count).astype(np.float32)[units.number]
    knots = round(units.metres[0] / 0.3)
    turn = (y / np.float32(units.metres[0]) * knots + phase) % 1
    knot = np.exp(-(((turn - 0.5) * 0.3 / 0.005) ** 2)).astype(np.float32)
    each = rng.normal(0, pattern.variety, units.count).astype(np.float32)[units.number]
    shade = each + np.float32(pattern.contrast) * (0.035 * fibre - 0.22 * knot)
    return Made(tinted(shade, _TINT), units.metres, joints(units, pattern.joint))


def _wooden(units: Units, pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    lying = bool(units.across.any())
    grain = _grain(units.edge.shape, per_metre, rng)
    cut = shifted(grain, units, rng, turned=np.ascontiguousarray(grain.T) if lying else None)
    each = rng.normal(0, pattern.variety, units.count).astype(np.float32)[units.number]
    shade = each + np.float32(pattern.contrast) * cut
    relative = tinted(shade, _TINT)
    # Boards differ a little in hue too: one is redder, one is greyer.
    hue = np.exp(rng.normal(0, pattern.variety / 4, (units.count, 3))).astype(np.float32)
    relative *= hue[units.number]
    return Made(relative, units.metres, joints(units, pattern.joint))


def _grain(shape: Shape, per_metre: float, rng: np.random.Generator) -> Field:
    """Log reflectance of wood sawn along its trunk: growth rings drawn out lengthwise, fibres, dark pores."""
    bend = clouds(shape, (0.45 * per_metre, 0.05 * per_metre), rng)
    wide = clouds(shape, (0.9 * per_metre, 0.018 * per_metre), rng)
    ring = (2.1 * bend + 0.9 * wide) % 1
    # A ring grows pale in spring and ends dark in autumn.
    growth = (ring**3 - np.float32(0.25)) * np.clip((1 - ring) * 12, 0, 1)
    fibre = clouds(shape, (0.10 * per_metre, 0.0014 * per_metre), rng)
    pores = np.maximum(clouds(shape, (0.012 * per_metre, 0.0007 * per_metre), rng) - np.float32(1.4), 0)
    cloud = clouds(shape, (0.25 * per_metre, 0.03 * per_metre), rng)
    shade: Field = (-0.13 * growth + 0.03 * fibre - 0.10 * pores + 0.025 * cloud).astype(np.float32)
    return shade
