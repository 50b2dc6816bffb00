"""A watershed that leaves out what is settled gives what the whole one gives."""

import cv2
import numpy as np
import pytest
from skimage.segmentation import watershed

from engine.segment.classical._flood import flood


def relief(seed: int, shape: tuple[int, int]) -> np.ndarray:
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.5) + np.float32(0.01) * noise


def blobs(seed: int, shape: tuple[int, int], count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    markers = np.zeros(shape, np.int32)
    for _ in range(count):
        centre = int(rng.integers(shape[1])), int(rng.integers(shape[0]))
        cv2.circle(markers, centre, int(rng.integers(1, 25)), int(rng.integers(1, 4)), -1)
    return markers


@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_watershed_of_the_whole(seed: int, count: int) -> None:
    heights, markers = relief(seed, (90, 130)), blobs(seed, (90, 130), count)
    before = markers.copy()
    assert np.array_equal(flood(heights, markers), watershed(heights, markers))
    assert np.array_equal(markers, before)


def test_nothing_is_flooded_where_all_is_settled_or_nothing_marked() -> None:
    heights = relief(1, (20, 30))
    settled = np.full((20, 30), 2, np.int32)
    assert np.array_equal(flood(heights, settled), settled)
    assert not flood(heights, np.zeros((20, 30), np.int32)).any()
