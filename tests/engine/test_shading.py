"""Shading after a repaint: walls that light each other, a floor that does not, cameras that bend light."""

import numpy as np
import pytest

from engine.apply import Region, fit_recolor
from engine.apply._surroundings import Surroundings, blackness
from engine.colour import srgb_of, to_linear
from engine.types import Recolor, Rgb

EVERYWHERE = slice(0, 240), slice(0, 320)
WHOLE = np.full((240, 320), 255, np.uint8)


def hollow(paint: tuple[float, float, float]) -> Rgb:
    """Inside a sphere, two thirds of it in linear `paint`: a lamp at the left, and what all of it throws back."""
    x = np.indices((240, 320))[1]
    lamp = (0.1 + 0.5 * np.exp(-x / 90.0))[..., None] * np.ones(3)
    share = np.array(paint) * 2 / 3
    return np.rint(srgb_of(np.array(paint) * (lamp + share * lamp.mean() / (1 - share - 0.1))) * 255).astype(np.uint8)


@pytest.mark.parametrize(
    "new", [(0.75, 0.72, 0.66), (0.05, 0.06, 0.07), (0.1, 0.3, 0.5)], ids=["light", "dark", "blue"]
)
def test_walls_light_each_other(new: tuple[float, float, float]) -> None:
    rgb, truth, whole = hollow((0.35, 0.25, 0.2)), hollow(new).astype(int), np.full((240, 320), 255, np.uint8)
    action = Recolor(tuple(int(level) for level in np.median(truth, axis=(0, 1))))  # type: ignore[arg-type]
    everywhere = slice(0, 240), slice(0, 320)
    errors = []
    for enclosing in (1.0, 0.0):
        paint = fit_recolor(rgb, whole, whole, action, Surroundings(enclosing))
        assert paint is not None
        errors.append(np.abs(paint.opaque(rgb, everywhere).astype(int) - truth).mean())
    assert errors[0] < 0.85 * errors[1]


@pytest.mark.parametrize(
    ("window", "enclosing"),
    [
        ((slice(0, 170), slice(0, 300)), 1.0),  # all around, above a floor
        ((slice(0, 200), slice(0, 300)), 0.0),  # a backdrop
        ((slice(40, 110), slice(0, 100)), 1.0),  # a wall at the left, beyond the horizon
        ((slice(60, 80), slice(40, 300)), 0.4),  # 20 of 200 px
        ((slice(150, 200), slice(0, 300)), 0.0),  # a floor
        ((slice(0, 50), slice(0, 300)), 0.0),  # a ceiling
        ((slice(20, 180), slice(20, 280)), 0.0),  # a thing
    ],
)
def test_walls_leave_the_photo_at_the_horizon(window: tuple[slice, slice], enclosing: float) -> None:
    photo = np.full((200, 300, 3), 128, np.uint8)
    mask = np.full((200, 300), 255, np.uint8)[window]
    assert Region(photo, window, mask, mask).surroundings.enclosing == pytest.approx(enclosing)


@pytest.mark.parametrize("window", [(slice(0, 200), slice(0, 300)), (slice(40, 110), slice(0, 100))])
def test_the_horizon_is_in_the_middle_of_the_photo(window: tuple[slice, slice]) -> None:
    photo = np.full((200, 300, 3), 128, np.uint8)
    mask = np.full((200, 300), 255, np.uint8)[window]
    above = Region(photo, window, mask, mask).surroundings.above(np.arange(200)[window[0]] - window[0].start)
    assert above[100 - window[0].start] == 0
    assert above[0] == pytest.approx((100 - window[0].start) / 200)


def painted(rgb: Rgb, target: tuple[int, int, int], place: Surroundings) -> Rgb:
    paint = fit_recolor(rgb, WHOLE, WHOLE, Recolor(target), place)
    assert paint is not None
    return paint.opaque(rgb, EVERYWHERE)


@pytest.mark.parametrize(("level", "target"), [(90, 220), (220, 90), (150, 150)])
def test_a_floor_keeps_its_light_whatever_the_walls_become(level: int, target: int) -> None:
    rgb = np.full((240, 320, 3), level, np.uint8)
    thing, walls = (painted(rgb, (target,) * 3, Surroundings(e, 0.0, 120, 240))[:, 0, 0] for e in (0.0, 1.0))
    assert (thing == target).all()
    assert walls[120] == target
    steps = np.diff(walls.astype(int)) * np.sign(level - target)
    assert (steps >= 0).all()
    assert (steps.sum() > 2) == (level != target)


def developed(light: np.ndarray, filmic: bool) -> Rgb:
    """Bytes of plain sRGB, or of Hejl and Burgess-Dawson's film curve ("Filmic Tonemapping Operators", 2010)."""
    x = np.maximum(light - 0.004, 0)
    film = (x * (6.2 * x + 0.5)) / (x * (6.2 * x + 1.7) + 0.06)
    return np.rint((film if filmic else srgb_of(light)) * 255).astype(np.uint8)


def room(paint: float, filmic: bool) -> Rgb:
    """A wall from lit to dim beside a black thing in its shade."""
    light = np.geomspace(1.4, 0.25, 320)[None, :, None] * np.full((240, 1, 3), paint)
    light[200:, 280:] = 0.008
    return developed(light, filmic)


def test_deep_blacks_tell_of_a_filmic_camera() -> None:
    plain, filmic = room(0.3, False), room(0.3, True)
    assert blackness(plain) == 0
    assert blackness(filmic) == 1
    without = plain.copy()
    without[:100] = 0  # a black border is no part of the scene
    assert blackness(without) == 0
    assert blackness(np.zeros_like(plain)) == 0


@pytest.mark.parametrize("new", [0.7, 0.06])
def test_a_filmic_camera_is_told_of_in_the_shading(new: float) -> None:
    rgb, truth = room(0.15, True), room(new, True)[:180].astype(int)
    target = (int(np.median(truth)),) * 3
    errors = [
        np.abs(painted(rgb, target, Surroundings(blackness=share))[:180].astype(int) - truth).mean()
        for share in (blackness(rgb), 0.0)
    ]
    assert errors[0] < 0.85 * errors[1]


def test_what_greys_a_wall_is_the_window_and_no_gloss() -> None:
    x = np.linspace(0, 1, 320)[None, :, None]
    lamp, window = np.array((1.0, 0.75, 0.45)) * (1 - x) * 0.7, np.array((0.8, 1.0, 1.3)) * np.maximum(x - 0.6, 0) * 5
    light = (lamp + window + 0.1) * np.ones((240, 1, 1))
    rgb = np.rint(srgb_of(np.clip(np.array((0.32, 0.2, 0.12)) * light, 0, 1)) * 255).astype(np.uint8)
    glossy, wall = (fit_recolor(rgb, WHOLE, WHOLE, Recolor((60, 70, 90)), Surroundings(e)) for e in (0.0, 1.0))
    assert glossy is not None
    assert wall is not None
    assert glossy.surface.hue_gloss > 0.5  # nothing else tells them apart
    assert wall.surface.hue_gloss == 0


@pytest.mark.parametrize(
    ("light", "target"),
    [((0.15, 0.8), (60, 90, 150)), ((0.15, 0.8), (20, 24, 30)), ((0.02, 0.12), (240, 238, 232))],
    ids=["blue", "black", "white"],
)
def test_a_curve_that_is_guessed_turns_no_hue_and_crushes_no_shade(
    light: tuple[float, float], target: tuple[int, int, int]
) -> None:
    """The photo of a plain camera may have deep blacks too."""
    grey = np.geomspace(*light, 320)[None, :, None] * np.ones((240, 1, 3))
    rgb = np.rint(srgb_of(grey) * 255).astype(np.uint8)
    out, plain = (to_linear(painted(rgb, target, Surroundings(blackness=b)))[0, 20:300] for b in (1.0, 0.0))
    shares = out / out.sum(axis=1, keepdims=True)
    assert np.ptp(shares, axis=0).max() < 0.03
    assert (out / plain).min() > 0.85
    assert (out / plain).max() < 1.45


def test_walls_do_not_clip_at_the_top_where_they_gain_light() -> None:
    rgb = np.full((240, 320, 3), 120, np.uint8)
    paint = fit_recolor(rgb, WHOLE, WHOLE, Recolor((225, 225, 225)), Surroundings(1.0, 0.0, 120, 240))
    assert paint is not None
    light = np.linspace(0.5, 1, 51, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    out = paint.linear(light, (np.zeros(51, np.intp), np.zeros(51, np.intp)))[:, 0]
    assert (np.diff(out) > 1e-5).all()
    assert out[-1] <= 1
