"""Removal: a hole is filled so that nobody sees it was there, and nothing else changes."""

import cv2
import numpy as np
import pytest
from skimage import data

from engine.apply import fill_hole
from engine.apply._membrane import membrane
from engine.types import Mask, Rgb


def hole_in(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Mask:
    """A mask of boxes given as top, left, bottom, right."""
    mask = np.zeros(size, np.uint8)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = 255
    return mask


def boards() -> Rgb:
    """Boards with grain and dark joints under light that falls off to one side: texture, structure and shading."""
    rng = np.random.default_rng(1)
    x = np.indices((200, 260))[1]
    board = rng.uniform(120, 170, 30)[x // 20]
    grain = cv2.GaussianBlur(rng.normal(0, 30, x.shape).astype(np.float32), (0, 0), 1, sigmaY=6)
    value = (board + grain) * (1.05 - 0.0015 * x)
    value[:, np.arange(260) % 20 < 2] = 45
    return np.clip(np.stack([value, value * 0.8, value * 0.6], axis=2), 0, 255).astype(np.uint8)


def error(result: Rgb, truth: Rgb, hole: Mask) -> float:
    return float(np.abs(result.astype(int) - truth)[hole > 0].mean())


def test_nothing_but_the_hole_changes() -> None:
    photo = data.coffee()[:300, :400]
    hole = hole_in(photo.shape[:2], (40, 250, 110, 330), (0, 0, 25, 30), (290, 380, 300, 400))
    result = photo.copy()
    assert fill_hole(result, hole)
    assert np.array_equal(result[hole == 0], photo[hole == 0])
    assert not np.array_equal(result[hole > 0], photo[hole > 0])


def test_what_was_in_the_hole_leaves_no_trace() -> None:
    photo, hole = boards(), hole_in((200, 260), (70, 90, 130, 160))
    loud = photo.copy()
    loud[hole > 0] = (255, 0, 255)
    fill_hole(photo, hole)
    fill_hole(loud, hole)
    assert np.array_equal(photo, loud)


def test_structure_runs_on_through_the_hole() -> None:
    truth, hole = boards(), hole_in((200, 260), (70, 90, 130, 160))
    result = truth.copy()
    assert fill_hole(result, hole)
    smeared = cv2.inpaint(truth, hole, 5, cv2.INPAINT_TELEA)
    assert error(result, truth, hole) < 0.7 * error(smeared, truth, hole)
    joints = truth[..., 0] < 60
    assert (result[..., 0] < 80)[(hole > 0) & joints].mean() > 0.9
    assert (result[..., 0] < 80)[(hole > 0) & ~joints].mean() < 0.03


def test_light_runs_on_through_the_hole() -> None:
    y, x = np.indices((160, 200))
    truth = np.clip(np.stack([200 - 0.5 * x, 190 - 0.4 * x - 0.2 * y, 150 - 0.3 * y], axis=2), 0, 255).astype(np.uint8)
    hole = hole_in((160, 200), (50, 60, 110, 140))
    result = truth.copy()
    result[hole > 0] = 0
    assert fill_hole(result, hole)
    assert np.abs(result.astype(int) - truth).max() <= 14  # of 52 that lie between one side of the hole and the other
    assert error(result, truth, hole) <= 5


def test_nothing_is_copied_from_what_is_to_be_avoided() -> None:
    photo, hole = boards(), hole_in((200, 260), (80, 110, 120, 150))
    avoid = hole_in((200, 260), (40, 60, 78, 200))
    photo[avoid > 0] = (0, 255, 0)
    assert fill_hole(photo, hole, avoid)
    filled = photo[hole > 0].astype(int)
    assert (filled[:, 1] - filled[:, 0]).max() < 40


def test_what_is_kept_within_a_hole_leaves_no_mark_around_it() -> None:
    """A plate with a letter O that stays: the plate goes, around the letter and within it."""
    y, x = np.indices((200, 260))
    truth = np.stack([180 - 0.2 * x, 170 - 0.2 * y, 150 - 0.1 * x], axis=2).astype(np.uint8)
    plate = hole_in((200, 260), (60, 70, 140, 190))
    letter = hole_in((200, 260), (85, 115, 115, 145)) - hole_in((200, 260), (93, 123, 107, 137))
    photo = truth.copy()
    photo[plate > 0] = (20, 60, 70)
    photo[letter > 0] = (250, 250, 240)
    hole = np.where(letter > 0, np.uint8(0), plate)
    assert fill_hole(photo, hole, plate)
    assert (photo[letter > 0] == (250, 250, 240)).all()
    assert np.abs(photo.astype(int) - truth)[hole > 0].max() <= 12


def test_a_part_with_nothing_known_near_it_is_filled_from_afar() -> None:
    photo = boards()
    hole, avoid = hole_in((200, 260), (95, 20, 105, 30)), hole_in((200, 260), (0, 0, 200, 100))
    photo[avoid > 0] = (255, 0, 255)
    assert fill_hole(photo, hole, avoid)
    filled = photo[hole > 0].astype(int)
    assert (filled[:, 1] > filled[:, 2] - 20).all()


@pytest.mark.parametrize(
    "box",
    [(0, 0, 30, 40), (170, 0, 200, 260), (100, 100, 101, 101), (20, 100, 180, 102), (0, 250, 200, 260)],
    ids=["corner", "whole width", "one pixel", "hair", "border"],
)
def test_any_hole_that_has_surroundings_is_filled(box: tuple[int, int, int, int]) -> None:
    photo, hole = boards(), hole_in((200, 260), box)
    photo[hole > 0] = (255, 0, 255)
    assert fill_hole(photo, hole)
    filled = photo[hole > 0].astype(int)
    assert (filled[:, 1] > filled[:, 2] - 20).all()  # no magenta is left


def test_a_hair_across_a_large_picture_is_filled() -> None:
    """Matches are searched in a smaller picture, in which it is thinner than a pixel."""
    photo, hole = np.tile(boards(), (4, 4, 1)), hole_in((800, 1040), (50, 500, 750, 501))
    photo[hole > 0] = (255, 0, 255)
    assert fill_hole(photo, hole)
    filled = photo[hole > 0].astype(int)
    assert (filled[:, 1] > filled[:, 2] - 20).all()


def test_a_hole_without_surroundings_stays() -> None:
    photo = boards()
    before = photo.copy()
    assert not fill_hole(photo, np.full((200, 260), 255, np.uint8))
    assert np.array_equal(photo, before)
    assert fill_hole(photo, np.zeros((200, 260), np.uint8))
    assert np.array_equal(photo, before)


def test_a_membrane_keeps_what_is_known_and_stays_within_it() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (37, 53, 3)).astype(np.float32)
    known = rng.random((37, 53)) < 0.05
    sheet = membrane(values, known)
    assert np.array_equal(sheet[known], values[known])
    assert (sheet <= values[known].max(axis=0) + 1e-5).all()
    assert (sheet >= values[known].min(axis=0) - 1e-5).all()
