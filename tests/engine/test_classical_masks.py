"""The classical segmenter against the exact masks of the rendered demo photos."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from engine.types import Segmentation

from ._classical_truth import VARIATIONS, ask, overlap, photo, target, thin_score, union

FINDERS = ("floor", "ceiling", "wall", "product", "body", "background", "text", "highlight", "grout")


@cache
def answers(name: str) -> dict[str, Segmentation]:
    """All finders on one demo photo, once a session."""
    return ask(photo(name), *FINDERS)


def found(name: str, finder: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(H, W) the union of a finder's instances on a demo photo."""
    instances = answers(name)[finder].instances
    assert instances, f"{finder} was not found on {name}"
    return union(instances, photo(name).shape[:2])


@pytest.mark.parametrize(("name", "finder", "least"), [
    ("kitchen", "floor", 0.90),
    ("kitchen", "ceiling", 0.96),
    ("kitchen", "wall", 0.93),
    ("living", "floor", 0.70),
    ("living", "ceiling", 0.94),
    ("living", "wall", 0.82),
    ("bedroom", "ceiling", 0.97),
    ("bedroom", "wall", 0.93),
    ("bedroom", "floor", 0.95),
    ("bottle", "product", 0.96),
    ("bag_burgundy", "product", 0.98),
    ("mug_teal_daylight", "product", 0.98),
    ("mug_terracotta_tungsten", "product", 0.985),
    ("mug_mustard_cool", "product", 0.99),
    ("bottle", "background", 0.98),
    ("mug_teal_daylight", "background", 0.985),
    ("mug_teal_daylight", "text", 0.9),
    ("mug_terracotta_tungsten", "text", 0.85),
    ("mug_mustard_cool", "text", 0.9),
])  # fmt: skip
def test_masks_reach_their_floor(name: str, finder: str, least: float) -> None:
    assert overlap(found(name, finder), *target(name, finder)) >= least


@pytest.mark.parametrize(("name", "finder"), [
    *((name, finder) for name in ("mug_teal_daylight", "mug_terracotta_tungsten", "bottle", "coffee")
      for finder in ("floor", "ceiling", "wall", "grout")),
    *((name, finder) for name in ("living", "bedroom", "kitchen") for finder in ("product", "background", "text")),
    ("living", "grout"), ("bedroom", "grout"), ("coffee", "text"),
])  # fmt: skip
def test_what_is_not_there_is_absent(name: str, finder: str) -> None:
    assert answers(name)[finder].status == "absent"


@pytest.mark.parametrize("name", ["mug_teal_daylight", "bottle", "living"])
def test_answers_are_well_formed(name: str) -> None:
    for finder, answer in answers(name).items():
        assert answer.source == "classical"
        assert answer.prompt.concept == finder
        assert 0.0 <= answer.presence <= 1.0
        assert (answer.status == "found") == bool(answer.instances)
        scores = [i.score for i in answer.instances]
        assert scores == sorted(scores, reverse=True)
        for instance in answer.instances:
            assert instance.mask.dtype == np.float32
            assert instance.mask.size <= (1_200_000 if finder == "text" else 300_000)
            assert 0.0 <= instance.mask.min() <= instance.mask.max() <= 1.0
            assert instance.score >= 0.35


def test_product_and_background_share_the_photo() -> None:
    bottle = answers("bottle")
    both = bottle["product"].instances[0].mask + bottle["background"].instances[0].mask
    assert np.allclose(both, 1.0, atol=1e-5)


@pytest.mark.parametrize(("name", "inside", "outside"), [
    ("mug_teal_daylight", [(350, 700), (600, 400), (932, 450)], [(520, 170), (520, 219), (850, 450), (520, 800)]),
    ("mug_terracotta_tungsten", [(350, 700), (600, 400), (932, 450)], [(520, 170), (520, 219), (850, 450), (320, 790)]),
    ("mug_mustard_cool", [(350, 700), (600, 400), (932, 450)], [(520, 170), (520, 219), (850, 450), (850, 700)]),
    ("bottle", [(600, 420), (600, 780), (550, 330)], [(600, 130), (600, 520), (600, 640)]),
    ("bag_burgundy", [(400, 330), (400, 620), (560, 40)], [(548, 547), (610, 150), (395, 243), (1000, 850)]),
    ("coffee", [(110, 150), (440, 220), (230, 250)], [(280, 130), (290, 40), (365, 270), (560, 350)]),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_the_body_is_one_surface(name: str, inside: list[tuple[int, int]], outside: list[tuple[int, int]]) -> None:
    """Points x, y on the glaze, leather or glass; on the lining, label, cap, lock, spoon, shadow and ground."""
    body = found(name, "body")
    assert [point for point in inside if not body[point[1], point[0]]] == []
    assert [point for point in outside if body[point[1], point[0]]] == []


def test_mirrored_lamps_are_kept_and_pale_things_are_not() -> None:
    bottle, mug = found("bottle", "highlight"), found("mug_terracotta_tungsten", "highlight")
    assert bottle[344, 668]  # a dim lamp on the shady side
    assert not bottle[420:720].any()  # the paper label
    assert not mug[:225].any()  # the cream inside
    assert not (mug & target("mug_terracotta_tungsten", "text")[0]).any()
    assert max(bottle.mean(), mug.mean()) < 0.005


def test_a_body_lies_within_its_product() -> None:
    for name in ("mug_teal_daylight", "bottle", "bag_burgundy", "coffee"):
        assert not (found(name, "body") & ~found(name, "product")).any()


def test_a_paper_label_is_protected_whole_and_print_on_the_product_by_its_strokes() -> None:
    blocks = cv2.morphologyEx(target("bottle", "text")[0].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 25), np.uint8))
    label = found("bottle", "text")
    assert (label & (blocks > 0)).sum() > 0.99 * (blocks > 0).sum()
    assert len(answers("bottle")["text"].instances) == 1
    assert not (label & found("bottle", "body")).sum() > 0.02 * label.sum()
    assert found("mug_teal_daylight", "text").mean() < 0.012


@pytest.mark.parametrize(("name", "finder", "change", "least"), [
    ("mug_teal_daylight", "product", "flipped", 0.98),
    ("mug_teal_daylight", "product", "darker", 0.90),
    ("mug_teal_daylight", "text", "half", 0.75),
    ("mug_terracotta_tungsten", "product", "warmer", 0.98),
    ("mug_terracotta_tungsten", "product", "noisy", 0.98),
    ("mug_mustard_cool", "product", "half", 0.98),
    ("mug_mustard_cool", "text", "jpeg60", 0.90),
    ("bag_burgundy", "product", "brighter", 0.98),
    ("bottle", "product", "noisy", 0.95),
])  # fmt: skip
def test_a_changed_photo_keeps_its_masks(name: str, finder: str, change: str, least: float) -> None:
    alter, follow = VARIATIONS[change]
    rgb = alter(photo(name))
    theirs, decided = target(name, finder)
    mine = union(ask(rgb, finder)[finder].instances, rgb.shape[:2])
    assert overlap(mine, follow(theirs), follow(decided)) >= least


def test_joints_between_tiles_are_as_thin_as_in_the_photo() -> None:
    mine, (theirs, everywhere) = found("kitchen", "grout"), target("kitchen", "grout")
    assert overlap(mine, theirs, everywhere) >= 0.6
    assert thin_score(mine, theirs, 1) >= 0.8
    assert mine.sum() < 1.2 * theirs.sum()
