"""One photo's own wishes: actions of single instances, what is left out, what is locked, boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from engine import ClassicalSegmenter, decode, process
from engine.image_io import encode_png
from engine.segment.replay import ReplaySegmenter
from engine.types import (
    Action,
    Exemplar,
    LabelMap,
    Layer,
    Photo,
    PhotoResult,
    Prompt,
    Recipe,
    Recolor,
    Refinement,
    State,
    Tone,
)

COFFEE = data.coffee()
SIZE = (400, 600)
GREEN, BLUE, RED = Recolor((40, 160, 60)), Recolor((30, 50, 200)), Recolor((180, 30, 40))


def block(*boxes: tuple[int, int, int, int]) -> LabelMap:
    labels = np.zeros(SIZE, np.uint16)
    for k, (y0, y1, x0, x1) in enumerate(boxes, start=1):
        labels[y0:y1, x0:x1] = k
    return labels


# #1 and #2 meet along x = 250, #3 stands alone.
WINDOWS = block((60, 200, 100, 250), (60, 200, 250, 400), (260, 360, 420, 560))
WALL = block((0, 400, 0, 600))
HANDLE = block((120, 150, 330, 480))


def run(
    masks: Mapping[str, LabelMap],
    layers: Mapping[str, Action],
    *,
    protect: Sequence[str] = (),
    own: Mapping[int, Action] | None = None,
    states: Mapping[str, Mapping[int, State]] | None = None,
) -> PhotoResult:
    """`own` are the windows' actions of their own."""
    recipe = Recipe(
        tuple(Prompt(name, name.lower()) for name in (*layers, *protect)),
        tuple(Layer(name, action, (own or {}) if name == "Window" else {}) for name, action in layers.items()),
        tuple(protect),
        Refinement(states or {}),
    )
    return process(encode_png(COFFEE), recipe, ReplaySegmenter([(Photo(COFFEE), masks)]))


def pixels(result: PhotoResult) -> np.ndarray:
    return decode(result.png).rgb


def inner(labels: LabelMap, number: int, margin: int = 4) -> np.ndarray:
    """Well inside one instance."""
    return cv2.erode((labels == number).astype(np.uint8), np.ones((2 * margin + 1,) * 2, np.uint8)) > 0


def states_of(result: PhotoResult, concept: str = "Window") -> list[str]:
    return [instance["state"] for instance in json.loads(result.instances)["concepts"][concept]["instances"]]


def test_an_instance_gets_its_own_paint_fitted_to_its_own_pixels() -> None:
    together = pixels(run({"Window": WINDOWS}, {"Window": GREEN}, own={2: BLUE, 3: GREEN}))
    for number, action in ((1, GREEN), (2, BLUE), (3, GREEN)):
        alone = pixels(run({"Window": np.where(number == WINDOWS, 1, 0).astype(np.uint16)}, {"Window": action}))
        own = inner(WINDOWS, number)
        assert np.abs(together[own].astype(int) - alone[own]).max() <= 1
        assert np.median(together[number == WINDOWS], axis=0) == pytest.approx(action.target, abs=3)
    fitted_together = pixels(run({"Window": WINDOWS}, {"Window": GREEN}))
    assert np.abs(together[inner(WINDOWS, 3)].astype(int) - fitted_together[inner(WINDOWS, 3)]).max() > 5


def test_neighbours_of_two_paints_leave_no_rim_between_them() -> None:
    grey = np.full((*SIZE, 3), 128, np.uint8)
    recipe = Recipe((Prompt("Window", "window"),), (Layer("Window", GREEN, {2: BLUE}),))
    out = pixels(process(encode_png(grey), recipe, ReplaySegmenter([(Photo(grey), {"Window": WINDOWS})])))
    row = out[130, 240:260].astype(int)
    assert (row[0] == GREEN.target).all()
    assert (row[-1] == BLUE.target).all()
    low, high = np.minimum(row[0], row[-1]), np.maximum(row[0], row[-1])
    assert (row >= low - 2).all()
    assert (row <= high + 2).all()


def test_every_order_of_the_overrides_gives_the_same_bytes() -> None:
    own = {1: RED, 2: BLUE, 3: Tone(exposure=1)}
    one, other = (run({"Window": WINDOWS}, {"Window": GREEN}, own=each) for each in (own, dict(reversed(own.items()))))
    assert one.png == other.png
    assert one.instances == other.instances


def test_where_the_photo_is_cut_changes_nothing() -> None:
    """A small instance is worked on in a window of the photo: the same as in the whole of it."""
    shifted = block((61, 201, 101, 251), (61, 201, 251, 401), (261, 361, 421, 561))
    moved = np.roll(COFFEE, (1, 1), (0, 1))
    recipe = Recipe((Prompt("Window", "window"),), (Layer("Window", GREEN, {3: BLUE}),))
    here, there = (
        pixels(process(encode_png(rgb), recipe, ReplaySegmenter([(Photo(rgb), {"Window": labels})])))
        for rgb, labels in ((COFFEE, WINDOWS), (moved, shifted))
    )
    assert np.abs(np.roll(here, (1, 1), (0, 1)).astype(int) - there)[2:-2, 2:-2].max() <= 1


@pytest.mark.parametrize("state", ["excluded", "locked"])
def test_an_instance_that_is_left_out_keeps_every_byte(state: State) -> None:
    result = run({"Window": WINDOWS, "Wall": WALL}, {"Wall": RED, "Window": GREEN}, states={"Window": {2: state}})
    out = pixels(result)
    assert np.array_equal(out[WINDOWS == 2], COFFEE[WINDOWS == 2])
    for number in (1, 3):
        assert (out != COFFEE).any(axis=2)[number == WINDOWS].mean() > 0.9
    assert (out != COFFEE).any(axis=2)[(WINDOWS == 0) & (WALL > 0)].mean() > 0.9
    assert states_of(result) == ["included", state, "included"]
    assert result.warnings == ()


def test_a_later_layer_lies_on_what_is_excluded_and_not_on_what_is_locked() -> None:
    masks, layers = {"Window": WINDOWS, "Handle": HANDLE}, {"Window": GREEN, "Handle": RED}
    both = (HANDLE > 0) & (WINDOWS == 2)
    excluded = pixels(run(masks, layers, states={"Window": {2: "excluded"}}))
    assert (excluded != COFFEE).any(axis=2)[both].mean() > 0.9
    locked = pixels(run(masks, layers, states={"Window": {2: "locked"}}))
    assert np.array_equal(locked[WINDOWS == 2], COFFEE[WINDOWS == 2])
    assert (locked != COFFEE).any(axis=2)[(HANDLE > 0) & (WINDOWS == 0)].mean() > 0.5


def test_the_others_are_fitted_without_what_is_left_out() -> None:
    alone = np.where(WINDOWS == 2, 0, WINDOWS).astype(np.uint16)
    out = pixels(run({"Window": WINDOWS}, {"Window": GREEN}, states={"Window": {2: "excluded"}}))
    without = pixels(run({"Window": np.where(alone == 3, 2, alone).astype(np.uint16)}, {"Window": GREEN}))
    assert np.array_equal(out[inner(WINDOWS, 1)], without[inner(WINDOWS, 1)])


def test_an_action_of_its_own_does_not_reach_an_instance_that_is_left_out() -> None:
    result = run({"Window": WINDOWS}, {"Window": GREEN}, own={2: BLUE}, states={"Window": {2: "locked"}})
    assert np.array_equal(pixels(result)[WINDOWS == 2], COFFEE[WINDOWS == 2])
    assert result.warnings == ()


def test_where_all_are_left_out_nothing_changes_and_nothing_is_said() -> None:
    result = run({"Window": WINDOWS}, {"Window": GREEN}, states={"Window": {1: "locked", 2: "excluded", 3: "locked"}})
    assert np.array_equal(pixels(result), COFFEE)
    assert result.warnings == ()


def test_protection_beats_an_action_of_its_own() -> None:
    result = run({"Window": WINDOWS, "Logo": HANDLE}, {"Window": GREEN}, protect=["Logo"], own={2: BLUE})
    assert np.array_equal(pixels(result)[HANDLE > 0], COFFEE[HANDLE > 0])


def test_boxes_and_locks_of_a_protected_concept_are_no_contradiction() -> None:
    result = run({"Window": WINDOWS, "Wall": WALL}, {"Wall": RED}, protect=["Window"], states={"Window": {1: "locked"}})
    assert np.array_equal(pixels(result)[WINDOWS > 0], COFFEE[WINDOWS > 0])
    assert states_of(result) == ["locked", "included", "included"]


@pytest.mark.parametrize(
    ("own", "states", "said"),
    [
        ({4: BLUE}, {}, "Window #4 is not in this photo, which shows 3."),
        ({9: BLUE, 2: BLUE}, {4: "locked"}, "Window #4 and #9 are not in this photo, which shows 3."),
        ({}, {7: "excluded", 8: "locked", 9: "locked"}, "Window #7, #8 and #9 are not in this photo, which shows 3."),
    ],
)
def test_instances_that_the_photo_does_not_show_are_named(own: Any, states: Any, said: str) -> None:
    result = run({"Window": WINDOWS}, {"Window": GREEN}, own=own, states={"Window": states})
    assert result.warnings == (said,)
    plain = run({"Window": WINDOWS}, {"Window": GREEN}, own={k: v for k, v in own.items() if k < 4})
    assert np.array_equal(pixels(result), pixels(plain))


def test_an_absent_concept_says_so_once() -> None:
    result = run({}, {"Window": GREEN}, own={2: BLUE}, states={"Window": {1: "locked"}})
    assert result.warnings == ("Window is not in this photo; nothing was changed for it.",)


def test_many_single_instances() -> None:
    labels = np.zeros(SIZE, np.uint16)
    labels[: 19 * 20, : 20 * 20] = np.arange(1, 381).reshape(19, 20).repeat(20, 0).repeat(20, 1)
    own = {number: Recolor((number % 251, 99, 60)) for number in range(1, 381, 2)}
    grey = np.full((*SIZE, 3), 128, np.uint8)
    recipe = Recipe((Prompt("Window", "window"),), (Layer("Window", GREEN, own),))
    out = pixels(process(encode_png(grey), recipe, ReplaySegmenter([(Photo(grey), {"Window": labels})])))
    for number in range(1, 381):
        expected = (number % 251, 99, 60) if number % 2 else GREEN.target
        assert (out[inner(labels, number)] == expected).all()


def test_boxes_reach_the_segmenter_of_their_photo() -> None:
    """A cup is nothing the classical engine knows: the box shows it."""
    cup = Prompt("Cup", "cup")
    box = Exemplar("Cup", (0.26, 0.1, 0.8, 0.68))
    result = process(
        encode_png(COFFEE), Recipe((cup,), (Layer("Cup", BLUE),), (), Refinement({}, (box,))), ClassicalSegmenter()
    )
    changed = (pixels(result) != COFFEE).any(axis=2)
    assert changed[100:200, 250:400].mean() > 0.5
    assert not changed[:, :120].any()
    assert not changed[300:].any()
