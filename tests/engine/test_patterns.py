"""Patterns: every material's sheet has its colour, its size and no seam, and is the same on every run."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.colour import linear_of, to_bytes
from engine.patterns import Footprint, Mipmap, Sheet, sheet_of
from engine.types import Pattern, PatternKind
from s3palette.domain.materials import load_materials
from s3palette.recipes import material_pattern

MATERIALS = [material for material in load_materials().materials.values() if material.texture]
PIXELS = 40_000


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.id)
def test_the_mean_is_the_materials_colour(material) -> None:
    pattern = material_pattern(material)
    mean = to_bytes(sheet_of(pattern, PIXELS).albedo.mean(axis=(0, 1)))
    assert np.abs(mean.astype(int) - pattern.colour).max() <= 1


@pytest.mark.parametrize("material", MATERIALS, ids=lambda material: material.id)
def test_it_repeats_without_a_seam(material) -> None:
    albedo = sheet_of(material_pattern(material), PIXELS).albedo.mean(axis=2)
    for axis in (0, 1):
        steps = np.abs(np.diff(albedo, axis=axis)).mean(axis=1 - axis)
        seam = np.abs(albedo.take(-1, axis) - albedo.take(0, axis)).mean()
        # A joint may lie on the seam: no step of the inside is smaller for it.
        assert seam <= 1.5 * steps.max()


def test_every_kind_is_drawn_and_seen() -> None:
    for kind in get_args(PatternKind):
        sheet = sheet_of(
            Pattern(kind, (150, 120, 90), (0.1, 0.2) if kind in ("boards", "herringbone") else (0.01, 0.01)), PIXELS
        )
        assert sheet.albedo.std() > 0.003, kind
        assert 0 <= sheet.albedo.min() <= sheet.albedo.max() <= 1, kind


def test_the_same_numbers_draw_the_same_bytes_and_another_seed_others() -> None:
    pattern = Pattern("boards", (200, 162, 122), (0.14, 1.5))
    once = sheet_of(pattern, PIXELS).albedo.copy()
    sheet_of.cache_clear()
    assert np.array_equal(sheet_of(pattern, PIXELS).albedo, once)
    assert not np.array_equal(sheet_of(replace(pattern, seed=2), PIXELS).albedo, once)


@pytest.mark.parametrize(
    ("kind", "across", "joints"), [("boards", 1, 12), ("tile", 1, 8), ("tile", 0, 8), ("brick", 0, 8)]
)
def test_units_have_their_size(kind: PatternKind, across: int, joints: int) -> None:
    """Dark joints are counted along a line, and they divide the sheet's metres into units."""
    pattern = Pattern(kind, (200, 200, 200), (0.3, 0.3), 0.02, (0, 0, 0), contrast=0, variety=0)
    sheet = sheet_of(pattern, 200_000)
    line = sheet.albedo.mean(axis=2).mean(axis=1 - across)
    dark = line < 0.6 * line.max()
    begins = np.count_nonzero(dark & ~np.roll(dark, 1))
    assert begins == joints
    assert sheet.metres[across] == pytest.approx(joints * 0.3)


def test_herringbone_lies_both_ways_in_equal_parts() -> None:
    pattern = Pattern("herringbone", (200, 160, 120), (0.1, 0.4), 0.004, (0, 0, 0), contrast=0, variety=0)
    sheet = sheet_of(pattern, 250_000)
    dark = sheet.albedo.mean(axis=2) < 0.2
    down, right = (np.count_nonzero(dark & np.roll(dark, 3, axis)) for axis in (0, 1))
    assert down == pytest.approx(right, rel=0.05)


@pytest.mark.parametrize(("unit", "joint"), [((0.0, 1.0), 0.0), ((0.1, 20.0), 0.0), ((0.1, 0.1), 0.06)])
def test_what_is_no_size_is_refused(unit: tuple[float, float], joint: float) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        sheet_of(Pattern("tile", (9, 9, 9), unit, joint))


def stripes(side: int = 64) -> Sheet:
    """A metre of black and white stripes, two pixels each."""
    line = np.repeat(np.tile(np.float32([0, 1]), side // 4), 2)
    return Sheet(np.broadcast_to(line[None, :, None], (side, side, 3)).astype(np.float32).copy(), (1.0, 1.0))


def grid(size: int, step: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    at = ((np.arange(size) + 0.5) * step).astype(np.float32)
    u, v = np.meshgrid(at, at)
    return u, v


def footprint(u: NDArray[np.float32], du: float, dv: float) -> Footprint:
    flat = np.zeros_like(u)
    return flat + np.float32(du), flat, flat, flat + np.float32(dv)


def test_a_look_up_at_the_sheets_own_scale_is_the_sheet() -> None:
    sheet = stripes()
    u, v = grid(64, 1 / 64)
    seen = Mipmap(sheet).look(u, v, footprint(u, 1 / 256, 1 / 256))
    assert np.allclose(seen, sheet.albedo, atol=0.02)


@pytest.mark.parametrize("scale", [1 / 16, 1 / 7, 0.9])
def test_far_away_there_is_the_mean_and_no_moire(scale: float) -> None:
    u, v = grid(64, scale)
    seen = Mipmap(stripes()).look(u, v, footprint(u, scale, scale))
    assert np.abs(seen - 0.5).max() < 0.06


def test_a_pixel_at_the_horizon_sees_the_mean() -> None:
    """A footprint has no upper end there; its square is more than a float holds."""
    u, v = (np.zeros((1, 1), np.float32) for _ in range(2))
    vast = np.full((1, 1), 1e30, np.float32)
    seen = Mipmap(stripes()).look(u, v, (vast, -vast, vast, vast))
    np.testing.assert_allclose(seen, Mipmap(stripes()).look(u, v, footprint(u, 1e3, 1e3)), rtol=1e-4)


def test_a_slanted_look_keeps_what_runs_along_it() -> None:
    """A footprint long along the stripes and narrow across them blurs nothing."""
    sheet = stripes()
    u, v = grid(64, 1 / 64)
    keep = Mipmap(sheet).look(u, v, footprint(u, 1 / 128, 8 / 128))
    assert np.allclose(keep, sheet.albedo, atol=0.02)


def test_sheets_repeat() -> None:
    u, v = grid(32, 1 / 32)
    mipmap = Mipmap(stripes())
    here, beside, far = (mipmap.look(u + np.float32(by), v, footprint(u, 0.01, 0.01)) for by in (0, 1, -2))
    assert np.allclose(here, beside, atol=0.04)
    assert np.allclose(here, far, atol=0.04)


def test_colours_are_linear() -> None:
    pattern = Pattern("concrete", (188, 188, 188), (1.0, 1.0), contrast=0.0)
    assert sheet_of(pattern, PIXELS).albedo == pytest.approx(float(linear_of(188 / 255)), rel=1e-4)
