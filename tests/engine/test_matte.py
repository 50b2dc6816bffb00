"""Soft mattes: bounded reach, exact protection, the right share of mixed pixels."""

import cv2
import numpy as np
import pytest
from skimage import data

from engine.colour import to_bytes, to_linear
from engine.matte import reach, soft_matte
from engine.types import Mask, Rgb


def disc(size: tuple[int, int], radius: float, soft: float = 1.0) -> np.ndarray:
    """(H, W) float coverage of a centred disc, its edge `soft` px wide."""
    y, x = np.indices(size)
    distance = np.hypot(y - (size[0] - 1) / 2, x - (size[1] - 1) / 2)
    return np.clip((radius - distance) / soft + 0.5, 0, 1)


def mixed(cover: np.ndarray, front: tuple[int, ...], back: tuple[int, ...]) -> Rgb:
    share = cover[..., None].astype(np.float32)
    ends = [to_linear(np.array(c, np.uint8)) for c in (front, back)]
    return to_bytes(share * ends[0] + (1 - share) * ends[1])


def mask_of(cover: np.ndarray) -> Mask:
    return np.where(cover >= 0.5, 255, 0).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "pixels"), [((1, 1), 2), ((499, 100), 2), ((750, 10), 3), ((3000, 4000), 16), ((4000, 3000), 16)]
)
def test_reach(size: tuple[int, int], pixels: int) -> None:
    assert reach(size) == pixels


@pytest.mark.parametrize("photo", ["coffee", "chelsea", "noise"])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_the_matte_ends_at_its_reach(photo: str, scale: float) -> None:
    rng = np.random.default_rng(0)
    source = rng.integers(0, 256, (400, 600, 3), dtype=np.uint8) if photo == "noise" else getattr(data, photo)()
    rgb = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    blobs = cv2.GaussianBlur(rng.normal(size=rgb.shape[:2]), (0, 0), 9)
    mask = np.where(blobs > 0.01, 255, 0).astype(np.uint8)
    matte = soft_matte(rgb, mask)
    away = cv2.distanceTransform(255 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    limit = max(2, int(0.004 * max(mask.shape)))
    assert not matte[away > limit].any()
    assert (matte[deep > limit + 1] == 255).all()
    assert ((matte > 0) & (matte < 255)).any()


def test_protected_pixels_are_zero_exactly() -> None:
    rgb = data.chelsea()
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[80:220, 100:330] = 255
    protected = np.zeros_like(mask)
    protected[120:180, 200:400] = 255
    matte = soft_matte(rgb, np.where(protected > 0, 0, mask).astype(np.uint8), protected)
    assert not matte[protected > 0].any()
    assert matte[100, 150] == 255


@pytest.mark.parametrize("soft", [1.0, 2.0, 3.0])
@pytest.mark.parametrize(
    ("front", "back"),
    [((200, 30, 30), (250, 250, 250)), ((20, 20, 22), (240, 240, 240)), ((230, 230, 225), (40, 60, 90))],
)
def test_mixed_pixels_get_their_share(front: tuple[int, ...], back: tuple[int, ...], soft: float) -> None:
    cover = disc((240, 700), 80, soft)
    matte = soft_matte(mixed(cover, front, back), mask_of(cover))
    error = np.abs(matte / 255 - cover)
    assert error.max() < 0.2
    assert error[(cover > 0) & (cover < 1)].mean() < 0.06


@pytest.mark.parametrize("width", [1.3, 2.0, 3.2])
@pytest.mark.parametrize(("ink", "coat"), [((244, 242, 234), (54, 92, 146)), ((20, 20, 22), (200, 180, 60))])
def test_a_coat_has_its_share_of_the_pixels_beside_thin_print(
    width: float, ink: tuple[int, ...], coat: tuple[int, ...]
) -> None:
    """Hardly a pixel of such a stroke shows the ink alone, and the coat's pixel beside it is a mixture too."""
    y, x = np.indices((60 * 6, 400 * 6)) / 6
    strokes = (np.abs((x - 0.25 * y) % 12.37 - 6) < width / 2) | (np.abs(y - 30) < width / 2)
    cover = strokes.reshape(60, 6, 400, 6).mean(axis=(1, 3))
    protected = mask_of(cover)
    matte = soft_matte(mixed(cover, ink, coat), 255 - protected, protected)
    beside = (cover > 0) & (protected == 0)
    assert np.abs(matte / 255 - (1 - cover))[beside].mean() < 0.05


def test_what_lies_behind_may_change_along_the_edge() -> None:
    """Stripes, dark and light, hardly wider than the reach."""
    x = np.arange(700)[None, :].repeat(240, axis=0)
    cover = np.clip(np.arange(240)[:, None].repeat(700, axis=1) - 119.7, 0, 1)
    back = np.where((x // 8 % 2)[..., None] > 0, to_linear(np.uint8([[230]])), to_linear(np.uint8([[60]])))
    thing = to_linear(np.array((200, 30, 30), np.uint8))
    rgb = to_bytes((cover[..., None] * thing + (1 - cover[..., None]) * back).astype(np.float32))
    matte = soft_matte(rgb, mask_of(cover))
    assert np.abs(matte / 255 - cover)[116:124].mean() < 0.03


@pytest.mark.parametrize("size", [600, 1600])
def test_where_colours_do_not_tell_the_edge_is_no_wider_than_a_lens_makes_it(size: int) -> None:
    mask = np.zeros((size // 2, size), np.uint8)
    mask[size // 4 :] = 255
    matte = soft_matte(np.full((*mask.shape, 3), 120, np.uint8), mask).astype(int)[:, size // 2]
    assert ((matte > 12) & (matte < 243)).sum() <= 4
    assert np.abs(np.diff(matte)).max() < 160


def test_where_colours_do_not_tell_the_edge_is_still_smooth() -> None:
    cover = disc((240, 700), 80)
    matte = soft_matte(np.full((240, 700, 3), 120, np.uint8), mask_of(cover)).astype(int)
    assert np.abs(np.diff(matte, axis=0)).max() < 160
    assert np.abs(np.diff(matte, axis=1)).max() < 160


def test_no_texture_is_cut_out_of_the_inside() -> None:
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (300, 900, 3), dtype=np.uint8)
    mask = np.zeros((300, 900), np.uint8)
    mask[50:250, 100:800] = 255
    matte = soft_matte(rgb, mask)
    assert (matte[54:246, 104:796] == 255).all()


def test_tiles_leave_no_seam() -> None:
    cover = disc((700, 700), 230, 2)
    rgb = mixed(cover, (180, 40, 40), (220, 220, 230))
    matte = soft_matte(rgb, mask_of(cover))
    assert np.array_equal(matte, matte[::-1])
    assert np.array_equal(matte, matte[:, ::-1])


def test_full_and_empty_masks() -> None:
    rgb = data.coffee()
    for value in (0, 255):
        mask = np.full(rgb.shape[:2], value, np.uint8)
        assert np.array_equal(soft_matte(rgb, mask), mask)
    assert soft_matte(np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 255, np.uint8)).tolist() == [[255]]
