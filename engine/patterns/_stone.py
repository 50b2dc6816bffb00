"""Stone and concrete, whole surfaces and slabs."""

from __future__ import annotations

import numpy as np

from engine.patterns._made import Made, joints, shifted, tinted
from engine.patterns._noise import Field, Shape, cells, clouds
from engine.patterns._units import courses
from engine.types import Pattern

__all__ = ["concrete", "marble", "slate", "terrazzo"]

_CHIPS = 9
"""Share in sixteenths of a terrazzo's cells that are chips."""


def marble(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Veins along the zero lines of warped noise, on slow clouds: grey on white stone, white on black."""
    side = 2 * pattern.unit[0]
    shape = (round(side * per_metre),) * 2
    dark = sum(pattern.colour) < 3 * 110
    shade = np.zeros(shape, np.float32)
    strong = pattern.contrast * (1.5 if dark else -0.5)
    for scale, width, weight in ((0.50, 0.020, 1.0), (0.26, 0.018, 0.55), (0.12, 0.02, 0.25)):
        blob = scale * pattern.unit[0] * per_metre
        field = _slanted(_warped(shape, blob, per_metre, rng))
        strength = np.clip(0.6 + 0.6 * clouds(shape, (blob, blob), rng), 0, 1.6)
        shade += (
            np.float32(strong * weight)
            * strength
            * (
                np.exp(-np.abs(field) / np.float32(width))
                + np.float32(0.25) * np.exp(-np.abs(field) / np.float32(5 * width))
            )
        )
    blob = 0.3 * pattern.unit[0] * per_metre
    shade += np.float32(0.035 * pattern.contrast) * clouds(shape, (blob, blob), rng)
    # Veins of white marble lean to blue-grey, those of black marble to cream.
    return Made(tinted(shade, (1.0, 0.98, 0.86) if dark else (1.06, 1.0, 0.92)), (side, side))


def _slanted(field: Field) -> Field:
    """The field on a diagonal: veins of one block run one way. Periodic, as every row is rolled by its own number."""
    height, width = field.shape
    columns = (np.arange(width)[None] + np.arange(height)[:, None] * width // height) % width
    return np.take_along_axis(field, columns, axis=1)


def _warped(shape: Shape, blob: float, per_metre: float, rng: np.random.Generator) -> Field:
    """Noise looked up at places that are moved by other noise, which crumples its lines."""
    field = clouds(shape, (2.2 * blob, 0.8 * blob), rng)
    move = 0.22 * blob
    dy = move * clouds(shape, (blob / 3, blob / 3), rng) + 0.25 * move * clouds(shape, (blob / 12, blob / 12), rng)
    dx = move * clouds(shape, (blob / 3, blob / 3), rng) + 0.25 * move * clouds(shape, (blob / 12, blob / 12), rng)
    rows = (np.arange(shape[0])[:, None] + np.rint(dy).astype(int)) % shape[0]
    columns = (np.arange(shape[1])[None] + np.rint(dx).astype(int)) % shape[1]
    moved: Field = field[rows, columns]
    return moved


def terrazzo(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Chips of stone of three sizes, largest last, ground flat in cement."""
    side = 0.8
    shape = (round(side * per_metre),) * 2
    relative = tinted(np.float32(0.02) * clouds(shape, (0.01 * per_metre,) * 2, rng))
    tones = np.array([[0.55, 0.54, 0.53], [0.80, 0.70, 0.60], [1.10, 1.09, 1.07], [0.72, 0.76, 0.78]], np.float32)
    for scale in (0.25, 0.5, 1.0):
        which, border = cells(shape, max(2.0, 2.2 * scale * pattern.unit[0] * per_metre), rng)
        kind = rng.integers(0, 16, int(which.max()) + 1)
        chip = (kind[which] < _CHIPS) & (border > rng.uniform(0.22, 0.5, kind.size)[which])
        tone = 1 + (tones[kind % len(tones)] - 1) * np.float32(pattern.contrast)
        tone *= np.exp(rng.normal(0, 0.06, (kind.size, 1))).astype(np.float32)
        relative = np.where(chip[..., None], tone[which], relative)
    return Made(relative.astype(np.float32), (side, side))


def concrete(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Trowelled concrete: slow clouds, fine sand, few pores."""
    side = 2 * pattern.unit[0]
    shape = (round(side * per_metre),) * 2
    shade = np.zeros(shape, np.float32)
    for blob, weight in ((0.5, 0.05), (0.15, 0.03), (0.04, 0.015), (0.004, 0.012)):
        shade += np.float32(weight) * clouds(shape, (blob * side * per_metre, blob * side * per_metre), rng)
    size = max(1.0, 0.004 * per_metre)
    pores = np.clip(clouds(shape, (size, size), rng) - np.float32(3.1), 0, 0.4)
    return Made(tinted(np.float32(pattern.contrast) * (shade - pores)), (side, side))


def slate(pattern: Pattern, per_metre: float, rng: np.random.Generator) -> Made:
    """Split stone tiles: steps of thin layers, streaked."""
    units = courses(pattern.unit, per_metre, 0.5)
    shape = units.edge.shape
    layers = clouds(shape, (0.05 * per_metre, 0.16 * per_metre), rng) + np.float32(0.4) * clouds(
        shape, (0.012 * per_metre, 0.03 * per_metre), rng
    )
    slope = np.gradient(np.floor(3 * layers) + np.float32(0.4) * layers, axis=0).astype(np.float32)
    streak = clouds(shape, (0.006 * per_metre, 0.05 * per_metre), rng)
    fine = clouds(shape, (0.002 * per_metre, 0.002 * per_metre), rng)
    face = np.float32(0.05) * layers + np.float32(0.10) * np.clip(slope, -1, 1) + np.float32(0.05) * streak
    cut = shifted(face + np.float32(0.03) * fine, units, rng)
    each = rng.normal(0, pattern.variety, units.count).astype(np.float32)[units.number]
    shade = each + np.float32(pattern.contrast) * cut
    return Made(tinted(shade, (1.1, 1.0, 0.9)), units.metres, joints(units, pattern.joint))
