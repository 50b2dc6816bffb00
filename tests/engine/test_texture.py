"""Texture: the pattern lies in the photo's light, has the colour that was asked for, and the old pattern is gone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Layer, Pattern, Photo, Prompt, Quad, Recipe, ReplaySegmenter, Texture
from engine.apply._light import fit_light
from engine.apply.recolor import median_colour
from engine.colour import to_bytes, to_linear
from engine.pipeline import Rendered, render, segment
from engine.types import LabelMap, PatternKind, Refinement, Rgb, Surface

SIZE = (300, 400)
PLAIN = Pattern("concrete", (180, 150, 120), (1.2, 1.2), contrast=0.0)
TILES = Pattern("tile", (190, 190, 190), (0.3, 0.3), 0.02, (20, 20, 20), contrast=0.0, variety=0.0)


def floor(colour: tuple[int, int, int] = (140, 110, 90)) -> Rgb:
    """A floor of dark-jointed boards in light that falls off to the right, half of it in shadow below."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    light = 1.0 - 0.5 * x / SIZE[1]
    light *= np.where(y < 150, 1.0, 0.45)
    boards = np.where(x % 25 < 2, 0.5, 1.0) * (1 + 0.06 * np.sin(x * 2.1))
    return to_bytes(to_linear(np.array(colour, np.uint8)) * (light * boards)[..., None].astype(np.float32))


def run(
    rgb: Rgb, pattern: Pattern, labels: LabelMap | None = None, surface: Surface = "front", quad: Quad | None = None
) -> Rendered:
    photo = Photo(rgb)
    labels = np.ones(photo.size, np.uint16) if labels is None else labels
    prompt = Prompt("Floor", "floor", surface=surface, metres=4.0)
    recipe = Recipe((prompt,), (Layer("Floor", Texture(pattern)),))
    if quad is not None:
        recipe = replace(recipe, refinement=Refinement(planes=(quad,)))
    segmenter = ReplaySegmenter([(photo, {"Floor": labels})])
    (found,) = segment([photo], recipe.prompts, segmenter)
    return render(photo, found, recipe, source="replay")


@pytest.mark.parametrize(
    ("kind", "unit", "colour"),
    [
        ("boards", (0.14, 1.5), (180, 150, 120)),
        ("slate", (0.6, 0.3), (60, 50, 45)),
        ("concrete", (1.2, 1.2), (225, 222, 215)),
    ],
)
def test_the_median_is_the_materials_colour(
    kind: PatternKind, unit: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    out = run(floor(), Pattern(kind, colour, unit)).photo.rgb
    assert np.abs(np.array(median_colour(out, np.full(SIZE, 255, np.uint8))) - colour).max() <= 3


@pytest.mark.parametrize("pixels", [32_767, 39_999])
def test_a_mask_of_any_size_gets_its_pattern(pixels: int) -> None:
    labels = np.zeros(SIZE[0] * SIZE[1], np.uint16)
    labels[:pixels] = 1
    out = run(floor(), TILES, labels.reshape(SIZE)).photo.rgb
    assert (out != floor()).any(axis=2)[: pixels // SIZE[1] - 5].mean() > 0.9


def test_shadows_stay_and_the_old_boards_go() -> None:
    rgb, paint = floor(), replace(PLAIN, colour=(90, 72, 58))  # no lighter than it was: contrast stays too
    before, after = to_linear(rgb).mean(axis=2), to_linear(run(rgb, paint).photo.rgb).mean(axis=2)
    lit, dark = after[20:130].mean(), after[170:280].mean()
    assert dark / lit == pytest.approx(0.45, abs=0.05)
    left, right = after[20:130, 10:60].mean(), after[20:130, 340:390].mean()
    assert right / left == pytest.approx(before[20:130, 340:390].mean() / before[20:130, 10:60].mean(), rel=0.1)

    def grain(light: NDArray[np.float32]) -> float:
        row = light[40:110].mean(axis=0)
        return float(np.abs(row - cv2.GaussianBlur(row[None], (0, 0), 12)[0])[20:-20].mean() / row.mean())

    assert grain(before) > 0.05
    assert grain(after) < 0.012


def test_a_shadows_edge_stays_sharp() -> None:
    paint = replace(PLAIN, colour=(140, 110, 90))  # as light as it was
    light = to_linear(run(floor(), paint).photo.rgb).mean(axis=(1, 2))
    assert light[154:160].mean() / light[140:146].mean() == pytest.approx(0.45, abs=0.09)


def test_white_stays_within_white_on_a_dark_floor_in_the_sun() -> None:
    rgb = floor((60, 40, 30))
    rgb[60:140, 150:250] = 250
    out = run(rgb, replace(PLAIN, colour=(235, 232, 225))).photo.rgb
    assert np.percentile(out[10:50], 90) < 255
    assert out[90:110, 190:210].min() > 235


def test_a_small_bright_reflection_is_kept() -> None:
    rgb = floor()
    cv2.circle(rgb, (200, 80), 3, (255, 255, 255), -1)
    out = run(rgb, PLAIN).photo.rgb.astype(int)
    assert out[80, 200].min() > out[80, 230].max() + 30


def test_only_the_mask_changes_and_the_second_run_is_the_first() -> None:
    rgb = floor()
    labels = np.zeros(SIZE, np.uint16)
    labels[100:, 50:350] = 1
    out = run(rgb, TILES, labels).photo.rgb
    outside = np.ones(SIZE, bool)
    outside[98:, 48:352] = False
    assert np.array_equal(out[outside], rgb[outside])
    assert (out[150:250, 100:300] != rgb[150:250, 100:300]).any(axis=2).mean() > 0.95
    assert np.array_equal(run(rgb, TILES, labels).photo.rgb, out)


def joints(rgb: Rgb, row: int) -> NDArray[np.intp]:
    """Columns where a row shows the middle of a dark joint."""
    line = rgb[row].astype(float).mean(axis=1)
    dark = line < 0.75 * cv2.dilate(line[None], np.ones((1, 41)))[0]
    return np.flatnonzero(dark & ~np.roll(dark, 1))


def test_a_marked_rectangle_says_how_large_a_tile_is() -> None:
    """1.2 m over 300 px: a tile of 0.3 m is 75 px wide."""
    quad = Quad("Floor", ((0.125, 0.0), (0.875, 0.0), (0.875, 1.0), (0.125, 1.0)), (1.2, 1.2))
    out = run(np.full((*SIZE, 3), 150, np.uint8), TILES, quad=quad).photo.rgb
    assert np.diff(joints(out, 130)) == pytest.approx(75, abs=2)


def test_a_floor_gets_smaller_tiles_further_away() -> None:
    out = run(np.full((*SIZE, 3), 150, np.uint8), TILES, surface="floor").photo.rgb
    # 60 degrees of view and an eye at 1.5 m: a tile of 0.3 m is 0.2 times the rows under the horizon wide.
    assert np.diff(joints(out, 290)) == pytest.approx(28, abs=2)
    assert np.diff(joints(out, 220)) == pytest.approx(14, abs=2)


def test_light_looks_at_nothing_outside_the_mask() -> None:
    rgb, mask = floor(), np.zeros(SIZE, np.uint8)
    mask[50:250, 50:350] = 255
    other = np.where(mask[..., None] > 0, rgb, np.uint8(255))
    one, two = fit_light(rgb, mask), fit_light(other, mask)
    assert np.array_equal(one.a, two.a)
    assert np.array_equal(one.b, two.b)
