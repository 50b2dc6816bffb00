"""Noise is told from what a surface shows, a JPEG's blocks too, and does not grow with a dark thing's lightness."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.apply import Region, composite
from engine.apply._noise import OPPONENT, noise_level
from engine.apply._seen import seen_of
from engine.apply.recolor import fit_recolor
from engine.types import Recolor, Rgb

SIDE = 240
WHITE = (236, 233, 226)


def worn(strength: float, seed: int = 1) -> NDArray[np.float64]:
    """(SIDE, SIDE) levels of a dark, worn surface: contrast `strength`, as much in every octave."""
    rng = np.random.default_rng(seed)
    octaves = [cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)), (0, 0), blur) for blur in (1, 2, 4, 8, 16)]
    wear = sum(octave / octave.std() for octave in octaves)
    return 34 + strength * wear / wear.std() + np.linspace(-4, 4, SIDE)[None]


def photo(levels: NDArray[np.float64], noise: float = 0.0) -> Rgb:
    """Brown, with noise of that standard deviation that a camera has softened."""
    grain = cv2.GaussianBlur(np.random.default_rng(2).normal(size=(SIDE, SIDE, 3)), (0, 0), 0.6)
    rgb = levels[..., None] * np.array([1.1, 1.0, 0.9]) + noise * grain / grain.std()
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def compressed(rgb: Rgb, quality: int) -> Rgb:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.array(Image.open(file))


def found(rgb: Rgb) -> NDArray[np.float64]:
    """(3,) standard deviation of a channel's noise, read off each plane as if the channels' were independent."""
    whole = np.full(rgb.shape[:2], 255, np.uint8)
    seen = seen_of(rgb, whole, whole)
    assert seen is not None
    return np.sqrt(noise_level(rgb, whole, seen.at) / np.square(OPPONENT.astype(float)).sum(axis=1))


def whitened(rgb: Rgb, filtered: bool = True) -> NDArray[np.float64]:
    """(SIDE, SIDE) mean level of the picture when the whole of it is made white."""
    whole = np.full(rgb.shape[:2], 255, np.uint8)
    region, out = Region(rgb, (slice(0, SIDE), slice(0, SIDE)), whole, whole), rgb.copy()
    paint = fit_recolor(rgb, whole, whole, Recolor(WHITE))
    assert paint is not None
    composite(out, region, paint if filtered else replace(paint, noise=None))
    return out.mean(axis=2)


def steps(levels: NDArray[np.float64]) -> tuple[float, float]:
    """Mean step across the borders of 8 px blocks, and between."""
    step, border = np.abs(np.diff(levels, axis=1)).mean(axis=0), np.arange(1, SIDE) % 8 == 0
    return float(step[border].mean()), float(step[~border].mean())


@pytest.mark.parametrize("strength", [0.0, 1.0, 3.0, 8.0])
def test_what_a_surface_shows_is_no_noise(strength: float) -> None:
    assert (found(photo(worn(strength))) < 0.7).all()


@pytest.mark.parametrize("strength", [0.0, 1.5])
@pytest.mark.parametrize("noise", [1.0, 2.5])
def test_noise_is_found_though_a_camera_softened_it(strength: float, noise: float) -> None:
    np.testing.assert_allclose(found(photo(worn(strength), noise)), noise, rtol=0.3)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_a_jpegs_rounding_is_found_wherever_its_blocks_lie(quality: int) -> None:
    rgb = photo(worn(1.5))
    file = compressed(rgb, quality)
    error = float((file.astype(float) - rgb).mean(axis=2).std())
    for turned in (file, file[3:, 5:], np.ascontiguousarray(np.rot90(file[:, 3:]))):
        level = found(turned)[0] / np.sqrt(3)  # a JPEG's error is alike in all channels
        assert 0.5 * error < level < 1.2 * error
    resized = cv2.resize(file, (200, 200), interpolation=cv2.INTER_AREA)
    assert found(resized)[0] < 0.5


@pytest.mark.parametrize("period", [12, 16, 24])
def test_what_repeats_as_blocks_do_but_in_stripes_is_no_jpeg(period: int) -> None:
    stripes = worn(0.5) + 6 * (np.arange(SIDE)[None] % period < period // 2)
    assert (found(photo(stripes)) < 0.7).all()


def test_blocks_do_not_show_on_what_was_dark() -> None:
    file = compressed(photo(worn(1.5)), 75)
    for levels, shown in ((file.mean(axis=2), True), (whitened(file, filtered=False), True), (whitened(file), False)):
        border, between = steps(levels)
        assert (border > 3 * between) is shown


def test_grain_stays_that_of_the_photo_when_dark_becomes_light() -> None:
    clean, noisy = photo(worn(1.5)), photo(worn(1.5), 2.0)
    grain = (noisy.astype(float) - clean).mean(axis=2).std()
    assert (whitened(noisy, filtered=False) - whitened(clean)).std() > 3 * grain
    assert (whitened(noisy) - whitened(clean)).std() < 2 * grain


@pytest.mark.parametrize("period", [3, 4, 5, 7, 9])
@pytest.mark.parametrize("kind", ["knit", "ribs", "twill"])
def test_cloth_keeps_its_weave(kind: str, period: int) -> None:
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE)) * np.array(2 * np.pi / period) + 0.3
    weave = {"knit": np.sin(across) * np.sin(down), "ribs": np.sin(across), "twill": np.sin((across + down) / 1.4)}[
        kind
    ]
    rgb = photo(worn(1.0) + 5 * weave)
    kept, whole = ((levels * weave).mean() for levels in (whitened(rgb), whitened(rgb, filtered=False)))
    assert kept > 0.75 * whole
