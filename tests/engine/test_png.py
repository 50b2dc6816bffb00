"""PNG files: what is written is read back by others, whatever the samples, the size and the number of threads."""

import io
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from PIL import Image

from engine import set_threads
from engine._png import png_of
from engine._threads import threads

LONG = 1_400_000  # bytes: more than one strip


@pytest.fixture(autouse=True)
def as_many_threads() -> Iterator[None]:
    before = threads()
    yield
    set_threads(before)


def samples(shape: tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def read_by_opencv(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 1), np.uint8),
        ((5, 7), np.uint16),
        ((800, 900), np.uint16),
        ((1, 1, 3), np.uint8),
        ((31, 1, 3), np.uint8),
        ((500, 935, 3), np.uint8),
        ((2, 900_000), np.uint8),
        ((3, 400, 4), np.uint8),
        ((600, 600, 4), np.uint8),
    ],
)
def test_what_is_written_is_read_back(shape: tuple[int, ...], dtype: type) -> None:
    pixels = samples(shape, dtype)
    back = read_by_opencv(png_of(pixels))
    assert back.dtype == dtype
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize(
    "pixels", [samples((40, 50, 3)), samples((700, 667, 3)), samples((40, 50, 4)), samples((9, 9))]
)
def test_pillow_finds_nothing_wrong_with_it(pixels: np.ndarray) -> None:
    with Image.open(io.BytesIO(png_of(pixels))) as image:
        image.verify()
    with Image.open(io.BytesIO(png_of(pixels))) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_a_part_of_a_picture_is_written_as_it_is() -> None:
    pixels = samples((90, 80, 3))
    assert png_of(pixels[10:60, 5:70]) == png_of(pixels[10:60, 5:70].copy())


def test_the_bytes_do_not_depend_on_the_threads() -> None:
    pixels = samples((LONG // 300, 300, 3))
    files = []
    for count in (1, 2, 5):
        set_threads(count)
        files.append(png_of(pixels))
    assert files[0] == files[1] == files[2]


def test_what_is_smooth_takes_little_room() -> None:
    slope = np.linspace(0, 255, 600).astype(np.uint8)
    assert len(png_of(np.broadcast_to(slope[:, None, None], (600, 800, 3)))) < 20_000


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0), (4, 4, 2)])
def test_what_no_png_can_hold_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no PNG"):
        png_of(np.zeros(shape, np.uint8))
