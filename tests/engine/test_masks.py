"""From coarse instance maps to label maps: faithful to the segmenter, sharp where the photo is."""

import cv2
import numpy as np
import pytest

from engine._tiles import strips, tiles
from engine.masks import _enlarged, _places, binary, label_map
from engine.protect import protected_mask, without
from engine.types import Instance, Photo, Rgb


def instance(mask: np.ndarray, score: float = 1.0) -> Instance:
    return Instance(score, (0, 0, 1, 1), mask.astype(np.float32))


def two_tone(height: int, width: int, edge: int, noise: float = 0.0) -> Rgb:
    """Dark left of column `edge`, light right of it."""
    rgb = np.full((height, width, 3), 190.0)
    rgb[:, :edge] = 90
    rgb += np.random.default_rng(0).normal(0, noise, rgb.shape) if noise else 0
    return np.clip(rgb, 0, 255).astype(np.uint8)


def flat(height: int, width: int) -> Photo:
    return Photo(np.full((height, width, 3), 128, np.uint8))


def test_a_mask_of_photo_size_is_used_as_it_is() -> None:
    mask = np.random.default_rng(1).random((60, 80)).astype(np.float32)
    labels = label_map(Photo(two_tone(60, 80, 40, 20)), [instance(mask)])
    assert labels.dtype == np.uint16
    assert np.array_equal(labels > 0, mask >= 0.5)


@pytest.mark.parametrize("shift", [-9, -5, 0, 4, 9])
def test_the_edge_moves_to_the_photos_edge_within_one_coarse_pixel(shift: int) -> None:
    size, step, edge = 480, 12, 240
    coarse = np.zeros((size // step, size // step), np.float32)
    coarse[:, : edge // step] = 1
    photo = Photo(two_tone(size, size, edge + shift, noise=3))
    labels = label_map(photo, [instance(coarse)])
    found = (labels > 0).sum(axis=1)
    assert np.abs(found - (edge + shift)).max() <= (1 if abs(shift) <= 5 else step / 2)


@pytest.mark.parametrize("noise", [0, 10, 40])
def test_nothing_changes_further_than_one_coarse_pixel_from_the_edge(noise: float) -> None:
    step, size = 10, 400
    coarse = np.zeros((40, 40), np.float32)
    cv2.circle(coarse, (20, 20), 12, 1.0, -1)
    rgb = np.clip(128 + np.random.default_rng(2).normal(0, noise, (size, size, 3)), 0, 255).astype(np.uint8)
    rgb[:, 190:] //= 2
    labels = label_map(Photo(rgb), [instance(coarse)]) > 0
    plain = (cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR) >= 0.5).astype(np.uint8)
    window = np.ones((2 * step + 3, 2 * step + 3), np.uint8)
    assert labels[cv2.erode(plain, window) > 0].all()
    assert not labels[cv2.dilate(plain, window) == 0].any()


@pytest.mark.parametrize("width", [1, 2])
def test_thin_parts_survive(width: int) -> None:
    step = 8
    coarse = np.zeros((50, 50), np.float32)
    coarse[10:40, 20 : 20 + width] = 1
    rgb = np.clip(128 + np.random.default_rng(2).normal(0, 50, (400, 400, 3)), 0, 255).astype(np.uint8)
    labels = label_map(Photo(rgb), [instance(coarse)]) > 0
    assert (labels[12 * step : 38 * step].sum(axis=1) >= step * width - 1).all()


def test_a_textured_surface_gets_no_holes() -> None:
    checks = (np.indices((400, 600)) // 3).sum(axis=0) % 2
    rgb = np.repeat((60 + 140 * checks).astype(np.uint8)[..., None], 3, axis=2)
    coarse = np.zeros((40, 60), np.float32)
    coarse[8:32, 10:50] = 1
    labels = (label_map(Photo(rgb), [instance(coarse)]) > 0).astype(np.uint8)
    assert labels[100:300, 120:480].all()
    parts, _ = cv2.connectedComponents(1 - labels)
    assert parts == 2  # the background of the count, and one outside


def test_the_higher_score_has_the_overlap() -> None:
    left, right = np.zeros((40, 40)), np.zeros((40, 40))
    left[:, :25], right[:, 15:] = 1, 1
    for scores, winner in (((0.9, 0.8), 1), ((0.8, 0.9), 2), ((0.8, 0.8), 1)):
        labels = label_map(flat(40, 40), [instance(m, s) for m, s in zip((left, right), scores, strict=True)])
        assert (labels[:, 15:25] == winner).all()
        assert (labels[:, :15] == 1).all()
        assert (labels[:, 25:] == 2).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (7, 3), (300, 5)])
def test_tiny_photos(size: tuple[int, int]) -> None:
    labels = label_map(flat(*size), [instance(np.ones((288, 288)))])
    assert labels.shape == size
    assert labels.all()


def test_an_empty_mask_gives_an_empty_map() -> None:
    assert not label_map(flat(50, 50), [instance(np.full((10, 10), 0.4))]).any()
    assert not label_map(flat(50, 50), []).any()


@pytest.mark.parametrize("shape", [(0, 5), (4, 4, 1), (9,)])
def test_masks_of_no_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        label_map(flat(8, 8), [instance(np.ones(shape))])


@pytest.mark.parametrize(
    ("size", "at"), [((100, 130), (0, 0)), ((97, 311), (31, 50)), ((58, 58), (20, 17)), ((13, 29), (0, 3))]
)
def test_a_part_is_that_of_a_whole_enlargement(size: tuple[int, int], at: tuple[int, int]) -> None:
    small = np.random.default_rng(4).random((13, 29)).astype(np.float32)
    whole = cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR)
    rows, columns = (_places(np.arange(at[k], size[k]), size[k] / small.shape[k], small.shape[k]) for k in (0, 1))
    assert np.allclose(_enlarged(small, rows, columns), whole[at[0] :, at[1] :], atol=1e-5)


def test_a_small_instance_is_the_same_wherever_its_photo_ends() -> None:
    """The work is cut to the instance's surroundings: pixels far away must not matter."""
    rgb = np.random.default_rng(5).integers(0, 255, (288, 576, 3), np.uint8)
    mask = np.zeros((72, 144), np.float32)
    cv2.circle(mask, (30, 30), 9, 1, -1)
    mask = cv2.GaussianBlur(mask, (5, 5), 1.0)
    whole = label_map(Photo(rgb), [instance(mask)])
    left = label_map(Photo(np.ascontiguousarray(rgb[:, :288])), [instance(mask[:, :72])])
    assert whole.any()
    assert np.array_equal(whole[:, :288], left)


def test_strips_and_tiles_cover_everything_once() -> None:
    assert [row for a, b in strips(3, 1000) for row in range(a, b)] == list(range(3, 1000))
    for size in ((1, 1), (256, 256), (257, 700)):
        seen = np.zeros(size, int)
        for tile in tiles(size):
            seen[tile.window] += 1
            outer, inner = tile.grown(9)
            whole = np.arange(seen.size).reshape(size)
            assert np.array_equal(whole[outer][inner], whole[tile.window])
        assert (seen == 1).all()


def test_protection_is_the_union_of_its_masks() -> None:
    a, b = np.zeros((4, 5), np.uint16), np.zeros((4, 5), np.uint16)
    a[0], b[:, 0] = 300, 1
    union = protected_mask((4, 5), map(binary, [a, b]))
    assert union.dtype == np.uint8
    assert np.array_equal(union > 0, (a > 0) | (b > 0))
    assert set(np.unique(union)) == {0, 255}
    assert not protected_mask((4, 5), []).any()
    assert np.array_equal(without(binary(a), union), np.zeros((4, 5), np.uint8))
    assert np.array_equal(without(np.full((4, 5), 77, np.uint8), binary(b)) == 77, b == 0)
