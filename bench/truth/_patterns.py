"""Seamless floor patterns, and plain surfaces made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from _demo_parts import Floats, Image8

__all__ = ["PATTERNS", "PATTERN_SIDE", "boards", "concrete", "spread", "squares"]

PATTERN_SIDE = 1.2
"""Side of a pattern in metres."""
_PER_METRE = 400


def _cloud(side: int, scale: float, seed: int, stretch: float = 1.0) -> Floats:
    """(side, side) noise with blobs of about `scale` px, zero mean, unit variance; it repeats without a seam."""
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(side, side)))
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    smooth = np.fft.irfft2(
        noise * np.exp(-2 * np.pi**2 * ((scale * stretch * y) ** 2 + (scale * x) ** 2) / 4), (side,) * 2
    )
    return (smooth - smooth.mean()) / smooth.std()


def squares(tone: Sequence[int] = (172, 178, 176), joint: Sequence[int] = (112, 114, 112), seed: int = 71) -> Image8:
    """Stone tiles of 0.4 m with joints of 6 mm."""
    side = round(PATTERN_SIDE * _PER_METRE)
    at = (np.arange(side) + 0.5) / _PER_METRE
    line = np.mod(at, 0.4) < 0.006
    row = (at / 0.4).astype(int)
    each = np.random.default_rng(seed).normal(1, 0.035, (3, 3))[row][:, row]
    face = each * (1 + 0.035 * _cloud(side, 26, seed) + 0.02 * _cloud(side, 4, seed + 1))
    joints = (line[:, None] | line[None])[..., None]
    pattern = np.where(joints, np.asarray(joint), np.asarray(tone) * face[..., None])
    return np.clip(pattern, 0, 255).astype(np.uint8)


def boards(tone: Sequence[int] = (196, 158, 112), seed: int = 72) -> Image8:
    """Boards of 0.15 m along the second axis of the floor, each 1.2 m long, joints staggered."""
    side, wide = round(PATTERN_SIDE * _PER_METRE), round(0.15 * _PER_METRE)
    rng = np.random.default_rng(seed)
    grain = 0.6 * _cloud(side, 3, seed, 40) + 0.4 * _cloud(side, 1.5, seed + 1, 20)
    pattern = np.empty((side, side, 3))
    for k in range(side // wide):
        columns = slice(k * wide, (k + 1) * wide)
        shade = rng.normal(1, 0.06) * (1 + 0.045 * np.roll(grain[:, columns], int(rng.integers(side)), 0))
        pattern[:, columns] = np.asarray(tone) * (1 + rng.normal(0, 0.01, 3)) * shade[..., None]
        pattern[:, columns][:, :2] *= 0.6
        end = int(rng.integers(side - 2))
        pattern[end : end + 2, columns] *= 0.6
    return np.clip(pattern, 0, 255).astype(np.uint8)


def concrete(tone: Sequence[int], seed: int) -> Image8:
    """Trowelled concrete: slow clouds, few specks."""
    side = round(PATTERN_SIDE * _PER_METRE)
    shade = 1 + 0.04 * _cloud(side, 60, seed) + 0.02 * _cloud(side, 9, seed + 1) + 0.01 * _cloud(side, 1, seed + 2)
    return np.clip(np.asarray(tone) * shade[..., None], 0, 255).astype(np.uint8)


def spread(pattern: Image8, size: tuple[float, float]) -> Image8:
    """The pattern over size = (x, y) metres, from the corner (0, 0) on; the first row is the one at y = size[1]."""
    per_metre = len(pattern) / PATTERN_SIDE
    rows, columns = round(size[1] * per_metre), round(size[0] * per_metre)
    laid = np.take(np.take(pattern, np.arange(rows), 0, mode="wrap"), np.arange(columns), 1, mode="wrap")
    return np.ascontiguousarray(laid[::-1])


PATTERNS = {"squares": squares, "boards": boards}
