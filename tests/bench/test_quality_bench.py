"""The figures of bench/quality.py: right on published data, right at the ends, and printed by one command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from _figures import difference, figures
from _masks_used import given
from _truth import PAINTS, SCENES, varied

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("one", "other", "expected"), [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
])  # fmt: skip
def test_colour_difference_of_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    """Pairs of Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula" (2005), table 1."""
    assert difference(np.array(one, np.float64), np.array(other, np.float64)) == pytest.approx(expected, abs=1e-4)


def test_the_truth_itself_is_perfect_and_the_photo_is_not() -> None:
    scene = SCENES["tin"]
    base, truth, inside = scene.base(), scene.truth("body-light"), scene.mask("body")
    nothing = np.zeros_like(inside)
    best = figures(np.where(inside[..., None], truth, base), truth, base, base, inside, nothing)
    assert (best.median, best.p95, best.halo, best.over, best.outside) == (0, 0, 0, 0, 0)
    assert best.gradients == pytest.approx(1, abs=1e-6)
    assert figures(truth, truth, base, base, inside, nothing).ssim == pytest.approx(1, abs=1e-6)
    untouched = figures(base, truth, base, base, inside, nothing)
    assert untouched.median > 20
    assert untouched.outside == 0
    everywhere = figures(truth[::-1], truth, base, base, inside, scene.mask("text"))
    assert everywhere.outside > inside.sum()


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_complete(name: str) -> None:
    scene = SCENES[name]
    base = scene.base()
    assert base.shape == (600, 800, 3)
    for surface in scene.surfaces:
        inside = scene.mask(surface)
        assert inside.mean() > 0.03
        colours = [np.median(scene.truth(f"{surface}-{paint}")[inside], axis=0) for paint in PAINTS]
        assert all(np.abs(a - b).max() > 12 for k, a in enumerate(colours) for b in colours[:k])
    assert np.abs(scene.truth("removed").astype(int) - base)[scene.mask("extra")].mean() > 8
    if scene.kind == "room":
        assert np.abs(scene.truth("texture").astype(int) - base)[scene.mask("floor")].mean() > 8
        assert 100 < scene.floor().quad.mean() < 700


def test_both_halves_have_rooms_and_products() -> None:
    kinds = [(scene.half, scene.kind) for scene in SCENES.values()]
    assert all(kinds.count((half, kind)) == 2 for half in ("tune", "held_out") for kind in ("room", "product"))


@pytest.mark.parametrize(("name", "surface"), [("study", "wall"), ("jug", "body")])
def test_a_matted_mask_is_soft_and_a_little_off(name: str, surface: str) -> None:
    scene = SCENES[name]
    answer, _ = given(scene, "clean", surface, "matted")
    mask, exact = answer.instances[0].mask, scene.mask(surface)
    assert mask.shape == (288, 288)
    assert 0.01 < ((mask > 0.05) & (mask < 0.95)).mean() < 0.2
    full = cv2.resize(mask, exact.shape[::-1]) >= 0.5
    assert 0.93 < (full & exact).sum() / (full | exact).sum() < 0.995


def test_noise_has_the_strength_it_says() -> None:
    """At middle grey, 0.5 of white in light, shot noise of 2,500 electrons at white is 1.4 % of white."""
    grey = np.full((200, 200, 3), 188, np.uint8)
    noisy = varied(grey, "noise")
    light = ((noisy / 255 + 0.055) / 1.055) ** 2.4
    assert 0.011 < light.std() < 0.017
    np.testing.assert_array_equal(noisy, varied(grey, "noise"))


def test_a_phone_keeps_a_part_of_the_noise() -> None:
    grey = np.full((200, 200, 3), 90, np.uint8)
    fine = [float(np.abs(np.diff(varied(grey, kind).mean(axis=2))).mean()) for kind in ("jpeg", "phone", "noise")]
    assert fine[0] < 0.01 < 0.5 * fine[2] < fine[1] < fine[2]


def run(folder: Path, *arguments: str) -> tuple[str, list[dict[str, Any]]]:
    """What the command prints, and the rows that it writes."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "quality.py"), *arguments, "--json", str(folder / "rows.json")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "rows.json").read_text())


def test_the_command_prints_and_writes_the_table(tmp_path: Path) -> None:
    methods = ("--method", "ours", "--method", "flat")
    printed, rows = run(tmp_path, "--scene", "vase", *methods, "--pictures", str(tmp_path / "sheets"))
    assert "worst of ours" in printed
    assert len(rows) == 2 * len(PAINTS)
    assert all(row["outside"] == 0 for row in rows)
    assert len(list((tmp_path / "sheets").glob("*.jpg"))) == len(PAINTS)
    ours, flat = ([row["median"] for row in rows if row["method"] == method] for method in ("ours", "flat"))
    assert all(a < b for a, b in zip(ours, flat, strict=True))


def test_a_lit_plane_is_nearer_to_the_true_floor_than_a_flat_paste(tmp_path: Path) -> None:
    """The corners that are stored are where the floor really lies: only then does structure agree."""
    _, rows = run(tmp_path, "--action", "texture", "--scene", "galley", "--scene", "hall")
    likeness = {(row["scene"], row["method"]): row["ssim"] for row in rows}
    for scene in ("galley", "hall"):
        assert likeness[scene, "plane_light"] > likeness[scene, "tiles"] + 0.2
        assert likeness[scene, "plane_light"] > 0.85
        assert likeness[scene, "ours"] > max(0.94, likeness[scene, "plane"])


def test_an_album_has_less_spread_after_one_rule(tmp_path: Path) -> None:
    _, (fixed, *led) = run(tmp_path, "--action", "album")
    assert fixed["before_max"] > 8
    assert fixed["after_max"] < 1.5
    assert [row["reference"] for row in led] == ["tin", "tin_tungsten", "tin_shade"]
    for row in led:
        assert row["after_max"] < 1.5
        assert row["from_target"] < 1
        assert row["shading_after"] > 0.5 * row["shading_before"]
