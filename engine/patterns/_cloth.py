"""Cloth and leather."""

from __future__ import annotations

import numpy as np

from engine.patterns._made import Made, tinted
from engine.patterns._noise import Field, cells, clouds
from engine.types import Pattern

__all__ = ["denim", "knit", "leather", "linen"]

_THREADS = 96


def _threads(pattern: Pattern, per_metre: float) -> tuple[Field, Field, tuple[float, float]]:
    """Position in threads, downwards (h, 1) and to the right (1, w), over a period of `_THREADS`, and its metres."""
    metres = _THREADS * pattern.unit[1], _THREADS * pattern.unit[0]
    y, x = (
        ((np.arange(max(8, round(size * per_metre))) + 0.5) * _THREADS / max(8, round(size * per_metre))).astype(
            np.float32
        )
        for size in metres
    )
    return y[:, None], x[None], metres


def _slubs(shape: tuple[int, int], rng: np.random.Generator, long: float, thick: float) -> tuple[Field, Field]:
    """Unevenness of the threads that run along the columns and of those along the rows."""
    return clouds(shape, (long, thick), rng), clouds(shape, (thick, long), rng)


def linen(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Plain weave: every thread over one, under one; natural yarn is thick here and thin there."""
    y, x, metres = _threads(pattern, per_metre)
    shape, pitch = (y.shape[0], x.shape[1]), pattern.unit[0] * per_metre
    warp, weft = _slubs(shape, rng, 18 * pitch, 0.9 * pitch)
    over = (np.floor(x) + np.floor(y)) % 2 < 1
    round_x, round_y = np.sin(np.pi * (x % 1)), np.sin(np.pi * (y % 1))
    top = np.where(over, np.sqrt(round_x) * (0.7 + 0.3 * round_y), np.sqrt(round_y) * (0.7 + 0.3 * round_x))
    yarn = np.where(over, warp, weft)
    shade = 0.30 * (top - np.float32(0.75)) + 0.07 * yarn + 0.02 * clouds(shape, (6 * pitch, 6 * pitch), rng)
    return Made(tinted((pattern.contrast * shade).astype(np.float32), (0.95, 1.0, 1.1)), metres)


def denim(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Twill, three over one: blue warp, and white weft that shows on every fourth crossing, on a diagonal."""
    y, x, metres = _threads(pattern, per_metre)
    shape, pitch = (y.shape[0], x.shape[1]), pattern.unit[0] * per_metre
    warp, weft = _slubs(shape, rng, 24 * pitch, 0.9 * pitch)
    shows = (np.floor(x) + np.floor(y)) % 4 < 1
    top = np.where(shows, np.sin(np.pi * (y % 1)), np.sin(np.pi * (x % 1)))
    faded = clouds(shape, (20 * pitch, 8 * pitch), rng)
    shade = 0.35 * (top - np.float32(0.6)) + np.where(shows, 0.55 + 0.1 * weft, 0.12 * warp) + 0.05 * faded
    return Made(tinted((pattern.contrast * shade).astype(np.float32), (1.25, 1.0, 0.7)), metres)


def knit(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Stocking stitch: columns of V, two slanted legs to a stitch."""
    y, x, metres = _threads(pattern, per_metre)
    shape, pitch = (y.shape[0], x.shape[1]), pattern.unit[0] * per_metre
    across = x % 1
    leg = np.abs(across - np.float32(0.5)) * 2  # 0 in the middle of the V, 1 between columns
    along = (y + np.float32(0.8) * leg) % 1
    body = np.sin(np.pi * along) * np.sqrt(np.sin(np.pi * np.clip(leg * 0.9 + 0.05, 0, 1)))
    fibre = clouds(shape, (0.25 * pitch, 0.25 * pitch), rng)
    shade = 0.55 * (body - np.float32(0.55)) + 0.05 * fibre
    shade = shade + 0.03 * clouds(shape, (9 * pitch, 4 * pitch), rng)
    return Made(tinted((pattern.contrast * shade).astype(np.float32), (0.95, 1.0, 1.05)), metres)


def leather(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Full grain: small scales with dark creases between them, pores, a patina in clouds."""
    side = 60 * pattern.unit[0]
    shape = (round(side * per_metre),) * 2
    pitch = pattern.unit[0] * per_metre
    which, border = cells(shape, pitch, rng)
    crease = np.exp(-border / np.float32(0.13))
    each = rng.normal(0, pattern.variety / 2, int(which.max()) + 1).astype(np.float32)[which]
    swell = clouds(shape, (0.5 * pitch, 0.5 * pitch), rng)
    patina = clouds(shape, (16 * pitch, 16 * pitch), rng)
    shade = each - 0.26 * crease + 0.035 * swell + 0.05 * patina
    return Made(tinted((pattern.contrast * shade).astype(np.float32), (0.85, 1.0, 1.15)), (side, side))
