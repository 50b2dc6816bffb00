"""Tone: the four sliders, each on its own and together."""

import cv2
import numpy as np
import pytest
from skimage import data

from engine.apply import Region, composite, fit, fit_tone
from engine.apply._white import white_gains
from engine.colour import LUMA, linear_of, to_bytes, to_linear
from engine.types import Rgb, Tone

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def toned(rgb: Rgb, tone: Tone) -> Rgb:
    paint = fit_tone(tone)
    assert paint is not None
    return paint.opaque(rgb)


def luma(rgb: Rgb) -> np.ndarray:
    return to_linear(rgb) @ LUMA


def test_zero_tone_is_no_paint_at_all() -> None:
    assert fit_tone(Tone()) is None


def test_next_to_zero_changes_nothing_visible() -> None:
    rgb = data.chelsea()
    assert np.array_equal(toned(rgb, Tone(exposure=1e-9, temperature=1e-9, contrast=1e-9, saturation=1e-9)), rgb)


@pytest.mark.parametrize("stops", [-2, -1, -0.5, 0.5, 1])
def test_exposure_counts_in_stops_of_light(stops: float) -> None:
    level = 100
    out = toned(np.full((2, 2, 3), level, np.uint8), Tone(exposure=stops))
    assert to_linear(out)[0, 0, 0] == pytest.approx(linear_of(level / 255) * 2**stops, rel=0.03)


def test_exposure_rolls_off_before_white() -> None:
    out = toned(GREYS, Tone(exposure=2))[0, :, 0].astype(int)
    assert (np.diff(out) >= 0).all()
    assert (out == 255).sum() < 20
    assert out[255] == 255


@pytest.mark.parametrize("colour", [(230, 150, 60), (90, 140, 235), (240, 90, 120), (150, 220, 100)])
@pytest.mark.parametrize("stops", [0.5, 1, 2])
def test_highlights_keep_their_hue(colour: tuple[int, int, int], stops: float) -> None:
    """Orange that is exposed past white turns paler, not yellow: hue as in HSV, in linear light."""
    before = to_linear(np.array([[colour]], np.uint8))
    paint = fit_tone(Tone(exposure=stops))
    assert paint is not None
    hues = [
        cv2.cvtColor(light.astype(np.float32), cv2.COLOR_RGB2HSV)[0, 0, 0] for light in (before, paint.linear(before))
    ]
    assert abs(hues[1] - hues[0]) < 0.5


@pytest.mark.parametrize(("amount", "sign"), [(-100, -1), (-30, -1), (30, 1), (100, 1)])
def test_temperature_warms_and_cools_grey_and_keeps_its_light(amount: float, sign: int) -> None:
    grey = np.full((2, 2, 3), 120, np.uint8)
    out = toned(grey, Tone(temperature=amount))
    red, _, blue = out[0, 0].astype(int)
    assert sign * (red - blue) > 5
    assert luma(out)[0, 0] == pytest.approx(luma(grey)[0, 0], rel=0.02)


def test_daylight_of_d65_is_white() -> None:
    assert np.allclose(white_gains(0), 1)
    warm, cool = white_gains(60), white_gains(-60)
    assert warm[0] > 1 > warm[2]
    assert cool[2] > 1 > cool[0]


@pytest.mark.parametrize("amount", [-100, -40, 40, 100])
def test_contrast_turns_around_mid_grey(amount: float) -> None:
    out = toned(GREYS, Tone(contrast=amount))[0, :, 0].astype(int)
    assert (np.diff(out) >= 0).all()
    assert abs(out[118] - 118) <= 1
    assert out[0] == 0
    assert out[255] == 255
    assert np.sign(out[60] - 60) == -np.sign(amount)
    assert np.sign(out[200] - 200) == np.sign(amount)


def test_saturation() -> None:
    rgb = data.coffee()
    grey = toned(rgb, Tone(saturation=-100)).astype(int)
    assert np.ptp(grey, axis=2).max() <= 1
    assert np.abs(luma(grey.astype(np.uint8)) - luma(rgb)).max() < 0.01
    more = toned(rgb, Tone(saturation=60))
    assert np.ptp(more.astype(int), axis=2).mean() > np.ptp(rgb.astype(int), axis=2).mean()
    assert np.abs(luma(more) - luma(rgb)).mean() < 0.01


def test_colours_that_can_hardly_be_more_saturated_stay_apart() -> None:
    """A ramp of ever purer orange at one luminance, up to the purest there is."""
    luma = np.float32(0.3)
    chroma = np.array([0.5, -0.06, -0.9], np.float32)
    chroma -= chroma @ LUMA
    purest = luma / -chroma.min()
    ramp = (luma + np.linspace(0.5, 0.97, 40, dtype=np.float32)[:, None] * purest * chroma)[None]
    paint = fit_tone(Tone(saturation=60))
    assert paint is not None
    out = paint.linear(ramp)
    assert (np.diff(out[0, :, 0]) > 1e-4).all()
    assert out.min() > 0.0001
    np.testing.assert_allclose(out @ LUMA, ramp @ LUMA, atol=1e-5)


def lit(rgb: Rgb, mireds: float) -> Rgb:
    """The same scene by other daylight, the camera left as it was."""
    return to_bytes((to_linear(rgb) * 0.7 * white_gains(mireds)).astype(np.float32))


def whole(photo: Rgb, mask: np.ndarray) -> Region:
    rows, columns = photo.shape[:2]
    return Region(photo, (slice(0, rows), slice(0, columns)), mask, mask)


def room() -> Rgb:
    """A grey wall over a clay floor, with some grain."""
    grain = np.random.default_rng(2).normal(0, 3, (120, 160, 1))
    photo = np.where(np.arange(120)[:, None, None] < 80, (190, 189, 191), (150, 92, 66)) + grain
    return np.rint(photo).astype(np.uint8)


@pytest.mark.parametrize("mireds", [-70, 40, 120, 190])
def test_balance_makes_a_grey_wall_grey_in_any_light(mireds: float) -> None:
    photo = lit(room(), mireds)
    wall = np.where(np.arange(120)[:, None] < 80, 255, 0).repeat(160, axis=1).astype(np.uint8)
    assert np.ptp(np.median(photo[:80], axis=(0, 1))) > 12
    paint = fit(Tone(balance=100), whole(photo, wall))
    assert paint is not None
    grey = np.median(paint.opaque(photo, np.s_[:120, :160])[:80], axis=(0, 1))
    assert np.ptp(grey) <= 4
    half = fit(Tone(balance=50), whole(photo, wall))
    assert half is not None
    between = np.median(half.opaque(photo, np.s_[:120, :160])[:80], axis=(0, 1))
    assert 4 < np.ptp(between) < np.ptp(np.median(photo[:80], axis=(0, 1)))


def test_balance_takes_no_colour_from_what_is_coloured_itself() -> None:
    """By daylight a clay floor is warm because it is clay: the wall beside it says so."""
    photo = room()
    floor = np.where(np.arange(120)[:, None] >= 80, 255, 0).repeat(160, axis=1).astype(np.uint8)
    paint = fit(Tone(balance=100), whole(photo, floor))
    assert paint is not None
    after = paint.opaque(photo, np.s_[:120, :160])[80:].astype(int)
    assert np.abs(after - photo[80:]).max() <= 6


def test_extremes_together_stay_in_range() -> None:
    corners = np.array(np.meshgrid([0, 1, 128, 255], [0, 1, 128, 255], [0, 1, 128, 255]), np.uint8).reshape(3, 8, 8)
    rgb = np.ascontiguousarray(corners.transpose(1, 2, 0))
    for sign in (-1, 1):
        paint = fit_tone(Tone(2.0 * sign, 100 * sign, 100 * sign, 100 * sign))
        assert paint is not None
        out = paint.linear(to_linear(rgb))
        assert out.dtype == np.float32
        assert out.min() >= -1e-5
        assert out.max() <= 1 + 1e-5
        assert np.isfinite(out).all()


def test_a_tone_goes_on_through_the_matte() -> None:
    rgb = data.chelsea()
    matte = np.zeros(rgb.shape[:2], np.uint8)
    matte[100:200, 100:300] = 255
    matte[99, 100:300] = 128
    out = rgb.copy()
    region = Region(rgb, (slice(0, rgb.shape[0]), slice(0, rgb.shape[1])), matte, matte)
    paint = fit(Tone(exposure=1), region)
    assert paint is not None
    composite(out, region, paint)
    assert np.array_equal(out[matte == 0], rgb[matte == 0])
    assert luma(out)[150, 200] > luma(rgb)[150, 200]
    assert luma(rgb)[99].sum() < luma(out)[99].sum() < luma(toned(rgb, Tone(exposure=1)))[99].sum()
