"""Compiled loops give what the plain formulas give, wherever a part was cut and whether code can be kept or not."""

import runpy
from pathlib import Path

import cv2
import numba
import numpy as np
import pytest
from skimage import data

import engine
from engine._kernel import kernel
from engine.apply import Region, composite, fit
from engine.apply._denoise import REACH, SUBSTEPS, _filter, denoised
from engine.apply._formula import Formula, paint_bytes, paint_light, three
from engine.apply._seen import _around
from engine.apply._shoulder import soft_shoulder
from engine.colour import LUMA, TO_BYTE, TO_LINEAR, to_bytes, to_linear
from engine.types import Recolor


def formula(seed: int, hue_gloss: float = 0.0, black_gloss: float = 0.0) -> Formula:
    rng = np.random.default_rng(seed)
    body = rng.uniform(0.02, 0.6, 3)
    knee, end = rng.uniform(0.3, 0.9, 3), rng.uniform(1.5, 9, 3)
    green = rng.normal(size=3)
    green *= np.sqrt(rng.uniform()) / np.linalg.norm(green)
    return Formula(
        weights=three(1 / (3 * body)),
        log_body=three(np.log2(body)),
        trust=three(rng.uniform(0.4, 1, 3)),
        green=three(green),
        log_paint=three(np.log2(rng.uniform(0.02, 0.9, 3))),
        scale=three(rng.uniform(0.9, 1.1, 3)),
        contrast=three(rng.uniform(0.3, 1, 3)),
        rise=three(rng.uniform(-0.5, 0.5, 3)),
        grey=three(np.linalg.pinv(np.stack([body, np.ones(3)], axis=1))[1]),
        hue_gloss=np.float32(hue_gloss),
        black_gloss=np.float32(black_gloss),
        spot=np.float32(0.05),
        knee=three(knee),
        span=three(1 - knee),
        inverse=three(1 / (1 - knee)),
        curve=three(1 / end**2),
    )


def plain(light: np.ndarray, above: np.ndarray, f: Formula) -> np.ndarray:
    """The formula of `engine.apply.recolor` in float64 numpy, without bounds."""
    grey = np.clip(light @ np.array(f.grey, np.float64), 0, light.min(axis=1)) * f.hue_gloss
    over = np.maximum(1 - f.spot / np.maximum(light @ LUMA.astype(np.float64), 1e-6), 0) * f.black_gloss
    gloss = grey[:, None] + light * over[:, None]
    rest = np.maximum(light - gloss, 1e-6)
    shading = (rest @ np.array(f.weights, np.float64))[:, None]
    tint = np.clip(rest / shading / np.exp2(np.array(f.log_body, np.float64)), 0.1, 10)
    green = np.array(f.green, np.float64)
    believed = np.log2(tint) * np.array(f.trust, np.float64)
    believed -= (believed @ green)[:, None] * green
    painted = np.exp2(believed) * shading ** np.array(f.contrast, np.float64)
    painted *= np.exp2(above[:, None] * np.array(f.rise, np.float64))
    return (painted * np.exp2(np.array(f.log_paint, np.float64)) + gloss) * np.array(f.scale, np.float64)


@pytest.mark.parametrize(
    ("hue_gloss", "black_gloss"), [(0, 0), (1, 0), (0.4, 0), (0, 1), (0, 0.6)], ids=lambda share: f"{share}"
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_repaint_is_its_formula(seed: int, hue_gloss: float, black_gloss: float) -> None:
    f = formula(seed, hue_gloss, black_gloss)
    levels = TO_LINEAR[np.random.default_rng(seed).integers(0, 256, (5000, 3))]
    levels[:3] = [(0, 0, 0), (1, 1, 1), (1, 0, 0)]
    above = np.random.default_rng(seed).uniform(-0.5, 0.5, 5000).astype(np.float32)
    expected = plain(levels.astype(np.float64), above, f)
    assert np.allclose(paint_light(levels, above, f, False), expected, rtol=1e-4, atol=1e-6)
    bent = np.stack(
        [soft_shoulder(expected[:, c], f.knee[c], f.knee[c] + f.span[c] / f.curve[c] ** 0.5) for c in range(3)]
    )
    assert np.allclose(paint_light(levels, above, f, True), np.minimum(bent.T, 1), rtol=1e-4, atol=1e-6)


def test_bytes_are_those_of_the_light() -> None:
    f, rgb = formula(4, 0.5, 0.3), data.coffee()[:200, :301]
    above = np.linspace(0.5, -0.5, 200, dtype=np.float32)
    shown = paint_bytes(rgb.copy(), TO_LINEAR, above, f, TO_BYTE)
    light = paint_light(to_linear(rgb).reshape(-1, 3), above.repeat(301), f, True)
    assert np.array_equal(shown, to_bytes(light).reshape(rgb.shape))


def lee(rgb: np.ndarray, within: np.ndarray, noise: np.ndarray, keep: float) -> np.ndarray:
    """The filter in float64, with OpenCV's means; right where these do not see the photo's border."""
    opponent = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]], np.float64)
    weight, clean = (within > 0).astype(np.float64), []
    for c, side in enumerate((5, 9, 9)):
        plane = rgb @ opponent[c]

        def near(values: np.ndarray, side: int = side) -> np.ndarray:
            total = np.maximum(cv2.blur(weight, (side, side)), 1e-6)
            return cv2.blur(values * weight, (side, side)) / total

        level = 1.3**2 * noise[c]
        mean = near(plane)
        variance = np.maximum(near(plane * plane) - mean * mean, 1e-5)
        signal = np.maximum(variance - level, 0) / variance
        calm = near(signal) * plane + near((1 - signal) * mean)
        clean.append(calm + keep * (plane - calm))
    return np.clip(np.stack(clean, axis=-1) @ np.linalg.inv(opponent).T, 0, 255)


@pytest.mark.parametrize("shade", [1, 5])
def test_denoising_is_its_formula(shade: int) -> None:
    rgb = data.coffee()[100:260, 150:370] // shade
    within = np.zeros(rgb.shape[:2], np.uint8)
    cv2.ellipse(within, (110, 80), (100, 70), 0, 0, 360, 255, -1)
    noise = np.array([3.7, 3.2, 5.2])
    found = denoised(rgb, within, noise, 0.1) / SUBSTEPS
    error = np.abs(found - lee(rgb, within, noise, 0.1))[within > 0]
    assert error.max() < 0.6 / SUBSTEPS


def test_a_pixel_comes_out_the_same_wherever_the_part_around_it_was_cut() -> None:
    rgb = data.coffee() // 6
    within = np.full(rgb.shape[:2], 255, np.uint8)
    noise = np.array([3.0, 2.0, 6.0])
    whole = denoised(rgb, within, noise, 0.05)
    part = denoised(rgb[57:201, 33:300], within[57:201, 33:300], noise, 0.05)
    assert np.array_equal(part[REACH:-REACH, REACH:-REACH], whole[57:201, 33:300][REACH:-REACH, REACH:-REACH])


def test_where_code_cannot_be_kept_it_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def double(x):\n    return 2 * x\n", names)  # a function without a file has no place for it
    double = kernel(names["double"])
    assert double(21) == 42


@pytest.mark.parametrize("broken", ["*.nbc", "*.nbi"])
def test_a_broken_file_of_kept_code_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "twice.py"
    source.write_text("def double(x):\n    return 2 * x\n")
    for _ in range(3):
        double = kernel(runpy.run_path(str(source))["double"])
        assert double(21) == 42
        kept = list((tmp_path / "cache").rglob(broken))
        assert all(file.stat().st_size > 0 for file in kept)
        for file in kept:
            file.write_bytes(b"")
        assert kept


def test_a_recolour_compiles_nothing_after_warming_up() -> None:
    engine.warm_up()
    kernels = (paint_bytes, paint_light, _filter, _around)
    before = [len(each.signatures) for each in kernels]
    dark, whole = np.full((40, 60, 3), (9, 12, 8), np.uint8), np.full((40, 60), 255, np.uint8)
    part = (slice(5, 35), slice(10, 50))
    for at in ((slice(0, 40), slice(0, 60)), part):
        region = Region(dark, at, whole[at], whole[at])
        for target in ((240, 230, 210), (5, 5, 90)):
            paint = fit(Recolor(target), region)
            assert paint is not None
            composite(dark.copy(), region, paint)
    assert [len(each.signatures) for each in kernels] == before
