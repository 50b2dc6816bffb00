"""Masks a person made: used to the pixel, checked against the photo, the rest found as ever."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from skimage import data

from engine import BadMask, ClassicalSegmenter, decode, process
from engine.image_io import encode_png
from engine.segment.given import GivenMasks
from engine.segment.replay import ReplaySegmenter
from engine.types import LabelMap, Layer, Photo, Prompt, Recipe, Recolor, Refinement

COFFEE = data.coffee()
SIZE = COFFEE.shape[:2]
GREEN = Recolor((40, 160, 60))


def speckled() -> LabelMap:
    """Two instances of thin stripes and single pixels: nothing that a filter would leave alone."""
    labels = np.zeros(SIZE, np.uint16)
    labels[20:380:3, 20:300] = 1
    labels[20:380, 320:580:5] = 2
    return labels


def recipe(*concepts: str, refinement: Refinement | None = None) -> Recipe:
    prompts = tuple(Prompt(concept, concept.lower()) for concept in concepts)
    return Recipe(prompts, tuple(Layer(concept, GREEN) for concept in concepts), (), refinement or Refinement())


def test_a_given_mask_is_used_to_the_pixel() -> None:
    labels = speckled()
    result = process(encode_png(COFFEE), recipe("Wall"), GivenMasks({"Wall": labels}, ClassicalSegmenter()))
    back = cv2.imdecode(np.frombuffer(result.masks["Wall"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back, labels)
    (one, two) = json.loads(result.instances)["concepts"]["Wall"]["instances"]
    assert (one["area_px"], two["area_px"]) == ((labels == 1).sum(), (labels == 2).sum())
    assert two["box"] == [320.0, 20.0, 576.0, 380.0]


def test_its_instances_can_be_locked() -> None:
    labels = speckled()
    refined = recipe("Wall", refinement=Refinement({"Wall": {1: "locked"}}))
    result = process(encode_png(COFFEE), refined, GivenMasks({"Wall": labels}, ClassicalSegmenter()))
    out = decode(result.png).rgb
    assert np.array_equal(out[labels == 1], COFFEE[labels == 1])
    assert (out != COFFEE).any(axis=2)[labels == 2].mean() > 0.9


def test_the_rest_is_asked_for_what_is_not_given() -> None:
    cup = np.zeros(SIZE, np.uint16)
    cup[60:260, 180:460] = 1
    rest = ReplaySegmenter([(Photo(COFFEE), {"Cup": cup, "Wall": cup})])
    result = process(encode_png(COFFEE), recipe("Wall", "Cup", "Door"), GivenMasks({"Wall": speckled()}, rest))
    assert list(result.masks) == ["Cup", "Wall"]
    assert result.warnings == ("Door is not in this photo; nothing was changed for it.",)
    assert json.loads(result.instances)["source"] == "replay"


def test_where_all_is_given_nobody_is_asked() -> None:
    nothing_recorded = ReplaySegmenter([])
    result = process(encode_png(COFFEE), recipe("Wall"), GivenMasks({"Wall": speckled()}, nothing_recorded))
    assert set(result.masks) == {"Wall"}


def test_a_mask_of_zeros_says_absent() -> None:
    empty = np.zeros(SIZE, np.uint16)
    result = process(encode_png(COFFEE), recipe("Wall"), GivenMasks({"Wall": empty}, ClassicalSegmenter()))
    assert result.warnings == ("Wall is not in this photo; nothing was changed for it.",)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(BadMask, match="Wall is 600x399 pixels, the photo, upright, is 600x400"):
        process(encode_png(COFFEE), recipe("Wall"), GivenMasks({"Wall": speckled()[:-1]}, ClassicalSegmenter()))


def test_gaps_in_the_numbers_are_refused() -> None:
    with pytest.raises(BadMask, match="instance #255 but no #2"):
        GivenMasks({"Wall": np.where(speckled() == 2, 255, speckled()).astype(np.uint16)}, ClassicalSegmenter())
