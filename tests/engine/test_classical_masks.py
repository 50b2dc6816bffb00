"""The classical segmenter against the exact masks of the rendered demo photos."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.segment.classical import ClassicalSegmenter
from engine.types import Photo, Prompt, Segmentation

ROOT = Path(__file__).resolve().parents[2]
PHOTOS, TRUTH = ROOT / "s3palette" / "demo" / "photos", Path(__file__).parent / "truth"
FINDERS = ("floor", "ceiling", "wall", "product", "background", "text", "highlight", "grout")
LABELS = (
    "none", "wall", "floor", "ceiling", "window", "door", "molding", "cabinet", "tile", "tilegrout", "floorgrout",
    "other", "product", "text", "background",
)  # fmt: skip
CLASSES = {
    "floor": ("floor", "floorgrout"), "ceiling": ("ceiling",), "wall": ("wall",), "product": ("product", "text"),
    "background": ("background",), "text": ("text",),
}  # fmt: skip
UNDECIDED = ("none", "tile", "tilegrout")  # a tiled wall is a wall to some and a backsplash to others


@cache
def answers(name: str) -> dict[str, Segmentation]:
    """All finders on one demo photo, once a session."""
    photo = Photo(np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB")))
    segmenter = ClassicalSegmenter()
    prompts = [Prompt(finder, finder, finder) for finder in FINDERS]
    features = segmenter.encode_images([photo])[0]
    found = segmenter.segment(features, prompts, segmenter.encode_text(prompts))
    return dict(zip(FINDERS, found, strict=True))


def overlap(name: str, finder: str) -> float:
    """Intersection over union at photo size, where the truth is decided."""
    truth = np.asarray(Image.open(TRUTH / f"{name}.png"))
    masks = [i.mask for i in answers(name)[finder].instances]
    assert masks, f"{finder} was not found on {name}"
    mine = cv2.resize(np.max(masks, axis=0), truth.shape[::-1]) >= 0.5
    theirs = np.isin(truth, [LABELS.index(c) for c in CLASSES[finder]])
    decided = ~np.isin(truth, [LABELS.index(c) for c in UNDECIDED])
    return float((mine & theirs & decided).sum() / ((mine | theirs) & decided).sum())


@pytest.mark.parametrize(("name", "finder", "least"), [
    ("kitchen", "floor", 0.90),
    ("kitchen", "ceiling", 0.97),
    ("kitchen", "wall", 0.90),
    ("living", "floor", 0.75),
    ("living", "ceiling", 0.88),
    ("living", "wall", 0.70),
    ("bedroom", "ceiling", 0.75),
    ("bottle", "product", 0.96),
    ("bag_burgundy", "product", 0.96),
    ("mug_teal_daylight", "product", 0.95),
    ("mug_terracotta_tungsten", "product", 0.93),
    ("mug_mustard_cool", "product", 0.93),
    ("bottle", "background", 0.97),
    ("mug_teal_daylight", "background", 0.97),
    ("bottle", "text", 0.70),
    ("mug_teal_daylight", "text", 0.70),
    ("mug_terracotta_tungsten", "text", 0.70),
    ("mug_mustard_cool", "text", 0.70),
])  # fmt: skip
def test_masks_reach_their_floor(name: str, finder: str, least: float) -> None:
    assert overlap(name, finder) >= least


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
        for found in answer.instances:
            assert found.mask.dtype == np.float32
            assert found.mask.size <= 300_000
            assert 0.0 <= found.mask.min() <= found.mask.max() <= 1.0
            assert found.score >= 0.35


def test_product_and_background_share_the_photo() -> None:
    found = answers("bottle")
    both = found["product"].instances[0].mask + found["background"].instances[0].mask
    assert np.allclose(both, 1.0, atol=1e-5)
