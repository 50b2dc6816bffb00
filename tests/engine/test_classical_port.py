"""The classical segmenter as the port describes it: odd photos, unknown concepts, boxes, determinism."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.segment.classical import ClassicalSegmenter
from engine.segment.port import Segmenter
from engine.types import Exemplar, Photo, Prompt, Rgb, Segmentation

FINDERS = ("floor", "ceiling", "wall", "product", "body", "background", "text", "logo", "highlight", "grout")


def ask(photo: Photo, *finders: str | None, boxes: tuple[Exemplar, ...] = ()) -> list[Segmentation]:
    segmenter: Segmenter = ClassicalSegmenter()
    prompts = [Prompt(f"c{k}", finder, finder) for k, finder in enumerate(finders)]
    features = segmenter.encode_images([photo])[0]
    return segmenter.segment(features, prompts, segmenter.encode_text(prompts), boxes)


def flat(height: int, width: int, level: int = 200) -> Rgb:
    return np.full((height, width, 3), level, np.uint8)


def noise(height: int = 240, width: int = 320) -> Rgb:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def disc(height: int = 300, width: int = 400) -> Rgb:
    """A red disc of radius 80 in the middle of grey paper."""
    y, x = np.mgrid[:height, :width]
    photo = np.full((height, width, 3), 205, np.uint8)
    photo[(y - height // 2) ** 2 + (x - width // 2) ** 2 < 80**2] = (180, 40, 40)
    return photo


@pytest.mark.parametrize("rgb", [
    flat(1, 1), flat(1, 400), flat(400, 1), flat(23, 23), flat(300, 400), flat(300, 400, 0), flat(300, 400, 255),
    noise(), noise(30, 900), noise(900, 30),
], ids=["1x1", "1x400", "400x1", "23x23", "grey", "black", "white", "noise", "wide", "tall"])  # fmt: skip
def test_nothing_is_found_where_nothing_is(rgb: Rgb) -> None:
    for answer in ask(Photo(rgb), *FINDERS):
        if answer.prompt.finder == "background" and answer.status == "found":
            assert answer.presence <= 0.5  # an empty sheet may be all background
        else:
            unseen = "needs_model" if answer.prompt.finder == "logo" and min(rgb.shape[:2]) >= 24 else "absent"
            assert answer.status == unseen, answer.prompt.finder


@pytest.mark.parametrize("finder", [None, "hair", "Window", ""])
def test_other_concepts_need_a_model(finder: str | None) -> None:
    (answer,) = ask(Photo(disc()), finder)
    assert (answer.status, answer.presence, answer.instances) == ("needs_model", 0.0, ())


def test_answers_keep_the_order_of_the_prompts() -> None:
    found = ask(Photo(disc()), "text", "product", None, "background")
    assert [a.status for a in found] == ["absent", "found", "needs_model", "found"]
    assert [a.prompt.concept for a in found] == ["c0", "c1", "c2", "c3"]


def test_the_disc_is_the_product() -> None:
    (answer,) = ask(Photo(disc()), "product")
    y, x = np.mgrid[:300, :400]
    truth = (y - 150) ** 2 + (x - 200) ** 2 < 80**2
    mine = answer.instances[0].mask >= 0.5
    assert (mine & truth).sum() / (mine | truth).sum() > 0.95
    assert np.allclose(answer.instances[0].box, (120, 70, 280, 230), atol=6)


def test_the_same_photo_gives_the_same_masks() -> None:
    first, second = ask(Photo(disc()), *FINDERS), ask(Photo(disc()), *FINDERS)
    for a, b in zip(first, second, strict=True):
        assert (a.status, a.presence) == (b.status, b.presence)
        assert all(np.array_equal(i.mask, j.mask) for i, j in zip(a.instances, b.instances, strict=True))


def test_threads_and_their_order_change_nothing() -> None:
    shots = [Photo(disc()), Photo(disc(260, 360)), Photo(disc()[:, ::-1].copy()), Photo(disc())] * 2
    alone = [ask(shot, *FINDERS) for shot in shots]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda shot: ask(shot, *reversed(FINDERS)), shots))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, reversed(other), strict=True):
            assert (a.status, a.presence) == (b.status, b.presence)
            assert all(np.array_equal(i.mask, j.mask) for i, j in zip(a.instances, b.instances, strict=True))


def test_a_cut_out_photo_says_where_its_product_is() -> None:
    alpha = np.zeros((300, 400), np.uint8)
    alpha[100:200, 100:300] = 255
    (answer,) = ask(Photo(flat(300, 400), alpha=alpha), "product")
    assert answer.status == "found"
    assert np.array_equal(answer.instances[0].mask >= 0.5, alpha > 0)


def test_a_box_finds_what_no_finder_can() -> None:
    box = Exemplar("c0", (0.25, 0.18, 0.75, 0.82))
    (answer,) = ask(Photo(disc()), None, boxes=(box,))
    y, x = np.mgrid[:300, :400]
    truth = (y - 150) ** 2 + (x - 200) ** 2 < 80**2
    mine = answer.instances[0].mask >= 0.5
    assert answer.status == "found"
    assert (mine & truth).sum() / (mine | truth).sum() > 0.9


def test_a_box_of_another_concept_changes_nothing() -> None:
    (answer,) = ask(Photo(disc()), None, boxes=(Exemplar("other", (0.25, 0.18, 0.75, 0.82)),))
    assert answer.status == "needs_model"


def test_negative_boxes_are_left_out() -> None:
    half = Exemplar("c0", (0.5, 0, 1, 1), positive=False)
    (answer,) = ask(Photo(disc()), "product", boxes=(half,))
    assert answer.instances[0].mask[:, 200:].max() == 0
    whole = Exemplar("c0", (0, 0, 1, 1), positive=False)
    (answer,) = ask(Photo(disc()), "product", boxes=(whole,))
    assert answer.status == "absent"


@pytest.mark.parametrize(
    "box", [(-0.2, -0.2, -0.1, -0.1), (0.98, 0.97, 2, 2), (0.1, 0.1, 0.1, 0.1), (0.75, 0.82, 0.25, 0.18)]
)
def test_odd_boxes_do_no_harm(box: tuple[float, float, float, float]) -> None:
    for answer in ask(Photo(disc()), "product", None, boxes=(Exemplar("c0", box), Exemplar("c1", box))):
        assert answer.status in ("found", "absent", "needs_model")
