"""Work spread over threads: complete, in order, free of deadlocks, and the same however many there are."""

import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from skimage import data

from engine._threads import set_threads, spread, threads, usable_cores
from engine.pipeline import render
from engine.types import Instance, Layer, Photo, Prompt, Recipe, Recolor, Segmentation


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = threads()
    yield
    set_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("items", [0, 1, 2, 40])
def test_results_come_in_the_items_order(count: int, items: int) -> None:
    set_threads(count)
    assert spread(lambda x: x * x, range(items)) == [x * x for x in range(items)]


def test_as_many_threads_work_as_were_set() -> None:
    set_threads(3)
    together = threading.Barrier(3)  # nobody gets past it alone
    assert sorted(spread(lambda _: together.wait(timeout=30), range(3))) == [0, 1, 2]


def test_one_thread_is_the_callers_own() -> None:
    set_threads(1)
    assert set(spread(lambda _: threading.get_ident(), range(5))) == {threading.get_ident()}


def test_calls_within_calls_end_when_every_helper_is_busy() -> None:
    set_threads(2)
    assert spread(lambda x: sum(spread(lambda y: x * y, range(10))), range(20)) == [45 * x for x in range(20)]


@pytest.mark.parametrize("count", [1, 2])
def test_an_exception_ends_the_call_and_nothing_else(count: int) -> None:
    set_threads(count)
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise KeyError(item)

    with pytest.raises(KeyError, match="3"):
        spread(work, range(200_000))
    assert len(begun) < 200_000
    assert spread(str, range(3)) == ["0", "1", "2"]


def test_a_helpers_exception_is_the_callers() -> None:
    set_threads(2)
    together, caller = threading.Barrier(2), threading.get_ident()

    def work(_: int) -> None:
        together.wait(timeout=30)
        if threading.get_ident() != caller:
            raise LookupError

    with pytest.raises(LookupError):
        spread(work, range(2))


def test_no_threads_cannot_work() -> None:
    with pytest.raises(ValueError, match="0 threads"):
        set_threads(0)
    assert threads() >= 1
    assert usable_cores() >= 1


@pytest.mark.parametrize("target", [(143, 167, 143), (240, 236, 228)], ids=["ratio", "denoised"])
def test_a_photo_has_the_same_bytes_whatever_the_number_of_threads(target: tuple[int, int, int]) -> None:
    photo = Photo(cv2.resize(data.coffee(), (1000, 667)) // 2)
    coarse = np.zeros((48, 72), np.float32)
    cv2.ellipse(coarse, (38, 20), (18, 14), 0, 0, 360, 1.0, -1)
    prompt = Prompt("Cup", "cup")
    found = [Segmentation(prompt, "found", 1.0, (Instance(1.0, (0, 0, 1, 1), coarse),))]
    recipe = Recipe((prompt,), (Layer("Cup", Recolor(target)),))
    pictures = []
    for count in (1, 2, 3, 1):
        set_threads(count)
        pictures.append(render(photo, found, recipe, source="replay").photo.rgb)
    assert (pictures[0] != photo.rgb).any()
    for other in pictures[1:]:
        assert np.array_equal(pictures[0], other)
