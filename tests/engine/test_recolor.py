"""Repainting: the median becomes the target, light and texture stay, edges keep no rim of the old colour."""

import cv2
import numpy as np
import pytest
from skimage import data

from engine.apply import Region, claim, composite, fit, fit_recolor, median_colour
from engine.apply._shoulder import soft_shoulder
from engine.colour import linear_of, srgb_of, to_bytes, to_linear
from engine.matte import Matte, soft_matte
from engine.types import Mask, Recolor, Rgb

TARGETS = [(244, 241, 234), (28, 28, 28), (31, 58, 95), (179, 0, 27), (217, 199, 168), (255, 255, 255), (0, 0, 0)]


def recoloured(rgb: Rgb, mask: Mask, target: tuple[int, int, int]) -> Rgb:
    out = rgb.copy()
    lay(out, rgb, mask, soft_matte(rgb, mask), target)
    return out


def lay(out: Rgb, rgb: Rgb, mask: Mask, matte: Matte, target: tuple[int, int, int]) -> None:
    """Recolour the whole of a photo's mask."""
    region = Region(rgb, (slice(0, rgb.shape[0]), slice(0, rgb.shape[1])), mask, matte)
    paint = fit(Recolor(target), region)
    assert paint is not None
    composite(out, region, paint)


def disc_cover(size: tuple[int, int], radius: float, soft: float) -> np.ndarray:
    y, x = np.indices(size)
    distance = np.hypot(y - (size[0] - 1) / 2, x - (size[1] - 1) / 2)
    return np.clip((radius - distance) / soft + 0.5, 0, 1)[..., None]


def lit_ball(albedo: tuple[int, ...], behind: tuple[int, ...], soft: float = 2.0) -> tuple[Rgb, Mask]:
    """A shaded disc before a plain ground: (photo, mask). Albedo and ground are sRGB."""
    size = (300, 400)
    cover = disc_cover(size, 110, soft)
    y, x = np.indices(size)
    light = np.clip(0.75 - 0.0022 * (x - 200) - 0.0014 * (y - 150), 0.15, 1.2)[..., None]
    front = linear_of(np.array(albedo) / 255) * light
    back = linear_of(np.array(behind) / 255)
    rgb = np.rint(srgb_of(cover * front + (1 - cover) * back) * 255).astype(np.uint8)
    return rgb, np.where(cover[..., 0] >= 0.5, 255, 0).astype(np.uint8)


def cup() -> Mask:
    """A rough outline of the cup in skimage's coffee: it holds a surface, shadows, highlights and coffee."""
    mask = np.zeros((400, 600), np.uint8)
    cv2.ellipse(mask, (318, 170), (150, 118), 0, 0, 360, 255, -1)
    return mask


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("photo", ["coffee", "chelsea", "astronaut", "pure black", "black", "white", "noise"])
def test_the_median_becomes_the_target(photo: str, target: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    mask = cup()
    rgb = {
        "pure black": lambda: np.zeros((400, 600, 3), np.uint8),
        "black": lambda: np.clip(rng.normal(4, 3, (400, 600, 3)), 0, 255).astype(np.uint8),
        "white": lambda: np.clip(rng.normal(240, 6, (400, 600, 3)), 0, 255).astype(np.uint8),
        "noise": lambda: rng.integers(0, 256, (400, 600, 3), dtype=np.uint8),
    }.get(photo, lambda: cv2.resize(getattr(data, photo)(), (600, 400), interpolation=cv2.INTER_AREA))()
    out = recoloured(rgb, mask, target)
    median = np.median(out[mask > 0], axis=0)
    assert np.abs(median - target).max() <= 2


@pytest.mark.parametrize(
    ("albedo", "target"),
    [
        (albedo, target)
        for albedo in [(180, 170, 150), (120, 60, 40), (230, 228, 220)]
        for target in TARGETS[:5]
        if sum(target) < 1.3 * sum(albedo)  # where a dark thing becomes a light one contrast is meant to shrink
    ],
)
def test_light_stays_as_on_a_repainted_surface(albedo: tuple[int, ...], target: tuple[int, int, int]) -> None:
    rgb, mask = lit_ball(albedo, (128, 128, 128))
    deep = cv2.erode(mask, np.ones((13, 13), np.uint8)) > 0
    out = to_linear(recoloured(rgb, mask, target))[deep]
    before = to_linear(rgb)[deep]
    scale = to_linear(np.array(target, np.uint8)) / np.median(before, axis=0)
    truth = np.minimum(before * scale, 1)
    visible = truth.max(axis=1) < 0.75  # above it the shoulder is meant to bend
    error = np.abs(srgb_of(out) - srgb_of(truth))[visible] * 255
    assert error.max() <= 5
    assert error.mean() <= 1


@pytest.mark.parametrize("albedo", [(120, 60, 40), (40, 44, 60)])
def test_a_dark_thing_made_light_keeps_its_form_with_less_contrast(albedo: tuple[int, ...]) -> None:
    rgb, mask = lit_ball(albedo, (128, 128, 128))
    deep = cv2.erode(mask, np.ones((13, 13), np.uint8)) > 0
    before, after = rgb[deep].sum(axis=1), recoloured(rgb, mask, (244, 241, 234))[deep].astype(int).sum(axis=1)
    middle = np.median(before)
    shade, lit = before < 0.8 * middle, before > 1.1 * middle
    assert after[shade].mean() < after[lit].mean()
    assert after[shade].mean() / np.median(after) > before[shade].mean() / middle


def test_no_light_makes_a_wall_green() -> None:
    """What a camera's curve does to ochre must not show on white, what a lamp does must."""

    def kept(tint: tuple[float, float, float]) -> float:
        light = np.full((240, 320, 3), 0.8)
        light[80:160, 100:200] *= tint
        rgb = np.rint(srgb_of(np.array((0.55, 0.28, 0.02)) * light) * 255).astype(np.uint8)
        walls = np.full((240, 320), 255, np.uint8)
        walls[220:] = 0  # a floor
        out = to_linear(recoloured(rgb, walls, (190, 190, 186)))
        change = np.log(out[120, 150] / out[20, 20])
        expected = np.log(tint) - np.log(tint).mean()
        return float((change - change.mean()) @ expected / (expected @ expected))

    assert abs(kept((0.88, 1.12, 0.92))) < 0.15
    assert kept((1.2, 1.03, 0.8)) > 0.15  # of which a third was in blue, which ochre swallows


def glossy_ball(albedo: tuple[float, float, float]) -> tuple[Rgb, Mask]:
    """A ball in linear paint `albedo` under grey light: a window's reflection, and haze that thickens downwards."""
    size = (300, 400)
    y, x = np.indices(size)
    light = np.clip(0.75 - 0.0022 * (x - 200) - 0.0014 * (y - 150), 0.15, 1.2)[..., None]
    window = 0.55 * np.clip((18 - np.maximum(np.abs(x - 160), np.abs(y - 100))) / 6, 0, 1)[..., None]
    haze = np.clip(0.0002 * (y - 60), 0, 0.04)[..., None]
    rgb = np.rint(srgb_of(np.array(albedo) * light + window + haze) * 255).astype(np.uint8)
    return rgb, np.where(np.hypot(y - 150, x - 200) < 110, 255, 0).astype(np.uint8)


@pytest.mark.parametrize(
    "new", [(0.75, 0.72, 0.66), (0.03, 0.05, 0.06), (0.05, 0.12, 0.4)], ids=["light", "dark", "blue"]
)
@pytest.mark.parametrize("old", [(0.45, 0.04, 0.03), (0.02, 0.08, 0.05)], ids=["red", "green"])
def test_gloss_is_not_painted(old: tuple[float, float, float], new: tuple[float, float, float]) -> None:
    rgb, mask = glossy_ball(old)
    truth = glossy_ball(new)[0].astype(int)
    inside = mask > 0
    target = tuple(int(level) for level in np.median(truth[inside], axis=0))
    out = recoloured(rgb, mask, target)
    median = to_linear(np.median(rgb[inside], axis=0).astype(np.uint8))
    ratio = to_bytes(to_linear(rgb) / median * to_linear(np.array(target, np.uint8)))
    deep = cv2.erode(mask, np.ones((7, 7), np.uint8)) > 0
    ours, naive = (np.abs(picture.astype(int) - truth)[deep].mean() for picture in (out, ratio))
    assert ours < 0.6 * naive
    reflection = out[95:105, 155:165].reshape(-1, 3).astype(int)
    assert np.ptp(reflection.mean(axis=0)) < 0.35 * np.ptp(target) + 25


def test_black_gloss_made_white_does_not_turn_into_chrome() -> None:
    rgb, mask = glossy_ball((0.004, 0.004, 0.004))
    out = recoloured(rgb, mask, (236, 232, 224))[mask > 0].astype(int)
    assert np.percentile(out.min(axis=1), 5) > 130


@pytest.mark.parametrize("target", [(51, 65, 74), (181, 65, 47), (150, 140, 110)])
def test_coloured_light_on_a_matte_surface_is_no_gloss(target: tuple[int, int, int]) -> None:
    y, x = np.indices((240, 320))
    warm, cool = np.exp(-((x / 160.0) ** 2)), np.exp(-(((320 - x) / 200.0) ** 2))
    light = warm[..., None] * (1.0, 0.8, 0.55) + cool[..., None] * (0.5, 0.6, 0.8) + 0.05 + 0.0004 * y[..., None]

    def photo(paint: tuple[float, float, float]) -> Rgb:
        return np.rint(srgb_of(np.array(paint) * light) * 255).astype(np.uint8)

    rgb, whole = photo((0.4, 0.25, 0.16)), np.full((240, 320), 255, np.uint8)
    paint = fit_recolor(rgb, whole, whole, Recolor(target))
    assert paint is not None
    assert paint.surface.hue_gloss == 0
    new = linear_of(np.array(target) / 255) / np.median(light.reshape(-1, 3), axis=0)
    error = np.abs(paint.opaque(rgb, (slice(0, 240), slice(0, 320))).astype(int) - photo(tuple(new)))
    assert error.max() <= 10  # the blue that the old paint swallows is read from the other channels in part
    assert error.mean() <= 1.5


@pytest.mark.parametrize("soft", [1.0, 2.0, 3.0])
@pytest.mark.parametrize(
    ("old", "new", "behind"),
    [
        ((30, 30, 32), (217, 199, 168), (250, 250, 250)),
        ((190, 30, 30), (31, 58, 95), (250, 250, 250)),
        ((235, 232, 225), (40, 60, 40), (90, 70, 60)),
        ((120, 80, 60), (244, 241, 234), (20, 20, 20)),
    ],
)
def test_no_rim_of_the_old_colour_is_left(
    old: tuple[int, int, int], new: tuple[int, int, int], behind: tuple[int, int, int], soft: float
) -> None:
    size = (300, 400)
    cover = disc_cover(size, 110, soft)

    def photo(front: tuple[int, int, int]) -> Rgb:
        ends = [linear_of(np.array(c) / 255) for c in (front, behind)]
        return np.rint(srgb_of(cover * ends[0] + (1 - cover) * ends[1]) * 255).astype(np.uint8)

    mask = np.where(cover[..., 0] >= 0.5, 255, 0).astype(np.uint8)
    before, truth = photo(old).astype(int), photo(new).astype(int)
    rim = (cover[..., 0] > 0) & (cover[..., 0] < 1)
    error = np.abs(recoloured(photo(old), mask, new).astype(int) - truth)[rim].mean()
    assert error < 0.15 * np.abs(before - truth)[rim].mean() + 2


def test_a_dark_gradient_comes_out_without_bands() -> None:
    smooth = np.broadcast_to(np.linspace(14, 30, 600)[None, :, None], (80, 600, 3))
    rgb = np.floor(smooth + np.random.default_rng(0).random(smooth.shape)).astype(np.uint8)
    mask = np.full((80, 600), 255, np.uint8)
    mask[:, [0, -1]] = 0  # no walls, whose contrast would shrink
    out = recoloured(rgb, mask, (220, 215, 205))
    coarse = cv2.LUT(rgb, cv2.LUT(np.arange(256, dtype=np.uint8)[None], np.arange(256, dtype=np.uint8)))
    levels_in, levels_out = len(np.unique(coarse[..., 0])), len(np.unique(out[..., 0]))
    assert levels_out > 2.5 * levels_in


def test_noise_in_the_dark_is_not_blown_up() -> None:
    rng = np.random.default_rng(1)
    rgb = np.clip(np.rint(rng.normal(2.0, 1.2, (200, 200, 3))), 0, 255).astype(np.uint8)
    out = recoloured(rgb, np.full((200, 200), 255, np.uint8), (230, 225, 215))
    assert out.std(axis=(0, 1)).max() < 12
    assert out.min() > 150


def test_a_bright_target_clips_to_no_flat_patch() -> None:
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (64, 256, 3)).copy()
    mask = np.full((64, 256), 255, np.uint8)
    out = recoloured(ramp, mask, (230, 225, 215))[32, :, 0].astype(int)
    assert (np.diff(out) >= 0).all()
    assert (out == 255).sum() <= 20  # a plain ratio clips over a hundred
    assert out[255] == 255


def test_recolouring_to_its_own_colour_changes_next_to_nothing() -> None:
    rgb = data.coffee()
    own = tuple(int(level) for level in median_colour(rgb, cup()))
    out = recoloured(rgb, cup(), own)
    change = np.abs(out.astype(int) - rgb)[cup() > 0].max(axis=1)
    assert np.median(change) <= 1
    assert np.percentile(change, 95) <= 5  # inside and outside of the cup are no one surface


def test_highlights_do_not_count_as_the_surface() -> None:
    rgb = np.full((10, 10, 3), 90, np.uint8)
    rgb[:4] = 255
    rgb[4, :5] = 120
    whole = np.full((10, 10), 255, np.uint8)
    paint = fit_recolor(rgb, whole, whole, Recolor((90, 90, 90)))
    assert paint is not None
    assert np.allclose(srgb_of(paint.surface.median) * 255, 90, atol=0.01)


def test_a_blown_out_region_still_has_a_median() -> None:
    white, mask = np.full((80, 80, 3), 255, np.uint8), np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    assert (recoloured(white, mask, (20, 40, 60))[30:50, 30:50] == (20, 40, 60)).all()


def test_an_empty_region_has_no_fit() -> None:
    empty = np.zeros((4, 4), np.uint8)
    assert fit_recolor(np.zeros((4, 4, 3), np.uint8), empty, empty, Recolor((1, 2, 3))) is None
    with pytest.raises(ValueError, match="empty"):
        median_colour(np.zeros((4, 4, 3), np.uint8), empty)


def test_outside_the_matte_bytes_are_copied() -> None:
    rgb = data.coffee()
    mask = cup()
    matte = soft_matte(rgb, mask)
    out = recoloured(rgb, mask, (10, 200, 40))
    assert np.array_equal(out[matte == 0], rgb[matte == 0])
    assert (out[matte == 255] != rgb[matte == 255]).any()


def test_two_layers_that_meet_leave_no_seam() -> None:
    cover = np.clip((150.5 - np.arange(300)) / 3 + 0.5, 0, 1)[None, :, None] * np.ones((80, 1, 1))
    old = [linear_of(np.array(c) / 255) for c in ((200, 60, 60), (60, 60, 200))]
    new = [(40, 120, 60), (220, 210, 190)]
    rgb = np.rint(srgb_of(cover * old[0] + (1 - cover) * old[1]) * 255).astype(np.uint8)
    ends = [linear_of(np.array(c) / 255) for c in new]
    truth = srgb_of(cover * ends[0] + (1 - cover) * ends[1]) * 255
    left = np.where(cover[..., 0] >= 0.5, 255, 0).astype(np.uint8)
    out, free = rgb.copy(), np.full((80, 300), 255, np.uint8)
    for mask, target in ((255 - left, new[1]), (left, new[0])):
        lay(out, rgb, mask, claim(soft_matte(rgb, mask), free), target)
    assert np.abs(out - truth)[:, 140:160].max() < 25


def test_claims_never_sum_past_one() -> None:
    rng = np.random.default_rng(0)
    free = np.full((9, 9), 255, np.uint8)
    mattes = [rng.integers(0, 256, (9, 9), dtype=np.uint8) for _ in range(5)]
    own = [claim(matte, free).astype(int) for matte in mattes]
    assert np.array_equal(own[0], mattes[0])
    assert np.array_equal(sum(own) + free, np.full((9, 9), 255))


@pytest.mark.parametrize(("knee", "top"), [(0.8, 1.0), (0.8, 1.01), (0.3, 20.0), (0.99, 5.0), (1.0, 3.0)])
def test_the_shoulder(knee: float, top: float) -> None:
    value = np.linspace(0, top, 2001)
    bent = soft_shoulder(value, knee, top)
    assert (np.diff(bent) >= 0).all()
    assert bent[-1] == pytest.approx(1)
    assert np.allclose(bent[value <= knee], value[value <= knee])


def test_bytes_survive_linear_light() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_bytes(to_linear(every)), every)
    assert to_linear(every[0, :4]).shape == (4, 3)
    assert np.allclose(srgb_of(linear_of(np.linspace(0, 1, 99))), np.linspace(0, 1, 99))


def test_what_is_greyer_by_its_light_and_no_brighter_by_it_is_no_gloss() -> None:
    """Sun through bars on a wooden thing, blue sky on one side of it; then the same with lamps mirrored in it."""
    y, x = np.indices((240, 320))
    sky, sun = np.clip((x - 200) / 60, 0, 1)[..., None], ((x + y) // 20 % 2)[..., None]
    light = 0.4 + sky * (0.42, 0.7, 1.12) + sun * (0.56, 0.28, 0.04)
    rgb = np.rint(srgb_of(np.minimum(np.array((0.5, 0.38, 0.26)) * light, 1)) * 255).astype(np.uint8)
    whole = np.full((240, 320), 255, np.uint8)
    lamps = 0.35 * ((y % 60 < 20) & (x % 60 < 20))[..., None]
    shiny = np.rint(srgb_of(np.minimum(linear_of(rgb / 255) + lamps, 1)) * 255).astype(np.uint8)
    plain, glossy = (fit_recolor(photo, whole, whole, Recolor((90, 60, 60))) for photo in (rgb, shiny))
    assert plain is not None
    assert glossy is not None
    assert plain.surface.hue_gloss < 0.1 < 0.5 < glossy.surface.hue_gloss


def test_a_blown_out_face_of_a_pale_box_is_no_gloss() -> None:
    """A cream box in lamp light, its left side before a window: blown out there, and greyer beside that."""
    x = np.arange(320)[None, :, None]
    window = np.clip((150 - x) / 60, 0, 1) * (1.1, 1.3, 1.7)
    y = np.arange(240)[:, None, None]
    light = (0.7 + window) * (1 + 0.25 * np.sin(y / 9.0))
    rgb = np.rint(srgb_of(np.minimum(np.array((0.7, 0.55, 0.4)) * light, 1)) * 255).astype(np.uint8)
    whole = np.full((240, 320), 255, np.uint8)
    paint = fit_recolor(rgb, whole, whole, Recolor((51, 65, 74)))
    assert paint is not None
    out = paint.opaque(rgb, (slice(0, 240), slice(0, 320)))
    assert out[:, 20].max() < 150


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 0.0, 0.1), (0.45, 0.5, 1.0)], ids=["pale", "deep"])
def test_what_tints_a_pale_thing_is_no_gloss(share: float, least: float, most: float) -> None:
    """A green thing with a pink wall's light and a lamp on its upper side: on the deep one it may as well be gloss."""
    y = np.arange(240)[:, None, None]
    light = 0.75 + np.clip((60 - y) / 40, 0, 1) * (0.55, 0.3, 0.5) + 0.1 * np.sin(np.arange(320) / 9.0)[None, :, None]
    rgb = np.rint(srgb_of(np.minimum(share * np.array((0.55, 0.75, 0.45)) * light, 1)) * 255).astype(np.uint8)
    whole = np.full((240, 320), 255, np.uint8)
    paint = fit_recolor(rgb, whole, whole, Recolor((60, 90, 70)))
    assert paint is not None
    assert least <= paint.surface.hue_gloss <= most
