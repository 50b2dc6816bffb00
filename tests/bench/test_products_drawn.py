"""Random products as numbers: the same for the same seed, of every make, and wholly in their photo."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from _products_drawn import FINISHES, FORMS, Drawn, draw

PRODUCTS = [draw(seed) for seed in range(200)]


def seen(drawn: Drawn) -> np.ndarray:
    """(8, 2) where the camera sees the corners of a product's box: right and down of the middle, in half widths."""
    width, depth, height = drawn.size
    corners = np.array(list(product((-width / 2, width / 2), (-depth / 2, depth / 2), (0, height))))
    c, s = np.cos(np.radians(drawn.turn)), np.sin(np.radians(drawn.turn))
    corners = corners @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) - drawn.eye
    ahead = np.subtract(drawn.target, drawn.eye) / np.linalg.norm(np.subtract(drawn.target, drawn.eye))
    right = np.cross(ahead, (0, 0, 1))
    right /= np.linalg.norm(right)
    plane = corners @ np.stack([right, np.cross(ahead, right)], axis=1) / (corners @ ahead)[:, None]
    return np.asarray(plane / np.tan(np.radians(drawn.angle) / 2))


def test_a_number_is_one_product() -> None:
    assert [draw(seed) for seed in range(200)] == PRODUCTS
    assert len(set(PRODUCTS)) == len(PRODUCTS)


def test_all_makes_come_up() -> None:
    assert {(drawn.form, drawn.finish) for drawn in PRODUCTS} == set(product(FORMS, FINISHES))
    assert {drawn.curve for drawn in PRODUCTS} == {"srgb", "film"}
    prints = [drawn.label for drawn in PRODUCTS]
    assert sum(label is None for label in prints) > 20
    assert sum(label is not None and label.paper is None for label in prints) > 50
    assert sum(label is not None and label.paper is not None for label in prints) > 30


@pytest.mark.parametrize("wanted", [
    lambda drawn: min(*drawn.tone, *drawn.grounds[0]) > 215,
    lambda drawn: max(drawn.tone) < 50,
    lambda drawn: np.abs(np.subtract(drawn.tone, drawn.grounds[0])).max() <= 16,
    lambda drawn: len(drawn.grounds) == 2,
    lambda drawn: max(drawn.grounds[0]) < 110,
], ids=["white on white", "black", "as the ground", "table and wall", "dark ground"])  # fmt: skip
def test_hard_cases_come_up(wanted: Callable[[Drawn], bool]) -> None:
    assert sum(wanted(drawn) for drawn in PRODUCTS) > 10


def test_a_product_is_wholly_in_its_photo_and_no_speck_of_it() -> None:
    for drawn in PRODUCTS:
        points = seen(drawn)
        assert (np.abs(points) < (1, 0.75)).all()
        assert max(np.ptp(points, axis=0) / (2, 1.5)) > 0.4
