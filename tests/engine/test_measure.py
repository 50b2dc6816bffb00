"""A photo that sets a colour: it keeps its thing as it is and tells what it looks like, and others take that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import NeedsModel, decode, measure, process
from engine.apply import measured_colour, median_colour
from engine.image_io import encode_png
from engine.segment.replay import ReplaySegmenter
from engine.types import Action, Keep, LabelMap, Layer, Prompt, Recipe, Recolor, Refinement, Remove, Rgb, Tone

SIZE = (120, 160)
GROUND, TOP, LOGO = (200, 198, 190), (60, 110, 160), (230, 220, 40)
GREEN = Recolor((40, 160, 60))


def box(*sides: int) -> LabelMap:
    """Label map with the rectangle y0, y1, x0, x1 as instance #1, and the next four numbers as #2."""
    labels = np.zeros(SIZE, np.uint16)
    for number, k in enumerate(range(0, len(sides), 4), start=1):
        y0, y1, x0, x1 = sides[k : k + 4]
        labels[y0:y1, x0:x1] = number
    return labels


SHIRT = box(20, 100, 30, 130)
PRINT = box(40, 60, 60, 100)
EVERYWHERE = box(0, 120, 0, 160)


@pytest.fixture(scope="module")
def photo() -> Rgb:
    """A shirt with a print on a pale ground; noise, and a blown highlight on a fifth of the shirt."""
    rgb = np.empty((*SIZE, 3), np.uint8)
    rgb[...] = GROUND
    rgb[SHIRT > 0] = TOP
    rgb[PRINT > 0] = LOGO
    noise = np.random.default_rng(3).integers(-3, 4, rgb.shape)
    noisy: Rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
    noisy[80:98, 32:128] = 255
    return noisy


def recipe(
    layers: Mapping[str, Action], protect: Sequence[str] = (), own: Mapping[int, Action] | None = None
) -> Recipe:
    return Recipe(
        tuple(Prompt(name, name.lower()) for name in (*layers, *protect)),
        tuple(Layer(name, action, (own or {}) if name == "Top" else {}) for name, action in layers.items()),
        tuple(protect),
    )


def found(photo: Rgb, needs_model: Sequence[str] = (), **masks: LabelMap) -> ReplaySegmenter:
    return ReplaySegmenter([(decode(encode_png(photo)), masks or {"Top": SHIRT})], needs_model)


def near(colour: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 1


def test_what_is_kept_keeps_every_byte_and_tells_its_colour(photo: Rgb) -> None:
    result = process(encode_png(photo), recipe({"Top": Keep()}), found(photo))
    assert np.array_equal(decode(result.png).rgb, photo)
    assert near(result.colours["Top"], TOP)
    assert result.warnings == ()
    assert result.masks.keys() == {"Top"}


def test_what_is_blown_out_or_soft_is_not_measured(photo: Rgb) -> None:
    region = np.where(SHIRT > 0, np.uint8(255), np.uint8(0))
    soft = np.where(np.arange(SIZE[1])[None] < 80, region, np.uint8(128))
    half = region.copy()
    half[:, 80:] = 0
    blown = (photo == 255).all(axis=2)
    assert blown.sum() > 0.1 * (region > 0).sum()
    exact = median_colour(photo, np.where(blown, np.uint8(0), half))
    assert measured_colour(photo, region, soft) == tuple(int(level) for level in exact)
    assert measured_colour(photo, region, np.zeros(SIZE, np.uint8)) is None


def test_where_most_is_blown_out_it_is_what_the_thing_looks_like() -> None:
    white = np.full((*SIZE, 3), 255, np.uint8)
    white[:10] = 100
    everything = np.full(SIZE, 255, np.uint8)
    assert measured_colour(white, everything, everything) == (255, 255, 255)


@pytest.mark.parametrize(("layers", "protect"), [
    ({"Top": Keep(), "Logo": GREEN}, ()),
    ({"Top": Keep()}, ("Logo",)),
])  # fmt: skip
def test_what_lies_on_it_is_not_measured(photo: Rgb, layers: dict[str, Action], protect: Sequence[str]) -> None:
    large = box(20, 100, 30, 100)
    printed = photo.copy()
    printed[large > 0] = LOGO
    assert (large > 0).sum() > 0.6 * (SHIRT > 0).sum()
    result = process(encode_png(printed), recipe(layers, protect), found(printed, Top=SHIRT, Logo=large))
    assert near(result.colours["Top"], TOP)


def test_an_earlier_layer_does_not_paint_over_it(photo: Rgb) -> None:
    layers = {"Person": GREEN, "Top": Keep()}
    result = process(encode_png(photo), recipe(layers), found(photo, Person=EVERYWHERE, Top=SHIRT))
    out, inside = decode(result.png).rgb, SHIRT > 0
    core = np.zeros_like(inside)
    core[26:94, 36:124] = True
    assert np.array_equal(out[core], photo[core])
    assert (out[~inside] != photo[~inside]).any(axis=1).mean() > 0.9
    assert result.colours.keys() == {"Top"}


def test_instances_with_their_own_action_are_painted_and_not_measured(photo: Rgb) -> None:
    two = box(20, 100, 30, 70, 20, 78, 90, 130)
    bright = photo.copy()
    bright[two == 2] = (250, 10, 10)
    given = recipe({"Top": Keep()}, own={2: GREEN})
    result = process(encode_png(bright), given, found(bright, Top=two))
    out = decode(result.png).rgb
    assert np.abs(np.median(out[30:70, 100:120].reshape(-1, 3), axis=0) - GREEN.target).max() <= 1
    assert result.colours["Top"][0] < 100


@pytest.mark.parametrize(("state", "colour"), [("locked", TOP), ("excluded", TOP)])
def test_instances_left_out_are_not_measured(photo: Rgb, state: Any, colour: tuple[int, int, int]) -> None:
    two = box(20, 78, 30, 70, 20, 78, 90, 130)
    bright = photo.copy()
    bright[two == 2] = (250, 10, 10)
    given = Recipe((Prompt("Top", "top"),), (Layer("Top", Keep()),), refinement=Refinement({"Top": {2: state}}))
    assert near(process(encode_png(bright), given, found(bright, Top=two)).colours["Top"], colour)


def test_what_is_not_there_has_no_colour(photo: Rgb) -> None:
    data, given = encode_png(photo), recipe({"Top": Keep(), "Bag": Keep()})
    result = process(data, given, found(photo, needs_model=["Bag"]))
    assert result.colours.keys() == {"Top"}
    assert any(warning.startswith("Bag cannot be found") for warning in result.warnings)
    hidden = process(data, recipe({"Top": Keep()}, ["Logo"]), found(photo, Top=SHIRT, Logo=EVERYWHERE))
    assert hidden.colours == {}
    assert hidden.warnings == ("Top lies wholly within what is protected; nothing was changed for it.",)
    with pytest.raises(NeedsModel):
        process(data, recipe({"Bag": Keep()}), found(photo, needs_model=["Bag"]))


@pytest.mark.parametrize(
    ("own", "refinement", "masks", "why"),
    [
        ({}, Refinement({"Top": {1: "locked"}}), {}, "Every Top in this photo is excluded, locked or has an action of"),
        ({}, Refinement({"Top": {1: "excluded"}}), {}, "Every Top in this photo is excluded, locked or has an action"),
        ({1: GREEN}, Refinement(), {}, "Every Top in this photo is excluded, locked or has an action of its own, so"),
        ({}, Refinement(), {"Logo": EVERYWHERE}, "What this photo shows of Top is protected or lies under other conc"),
        ({}, Refinement(), {"Top": box(0, 0, 0, 0)}, "Top is not in this photo; nothing was changed for it."),
    ],
)
def test_what_cannot_be_measured_says_why(
    photo: Rgb, own: dict[int, Action], refinement: Refinement, masks: dict[str, LabelMap], why: str
) -> None:
    masks = {"Top": SHIRT, **masks}
    asked = replace(recipe(dict.fromkeys(masks, Keep()), own=own), refinement=refinement)
    shown = measure(encode_png(photo), asked, found(photo, **masks))
    assert "Top" not in shown.colours
    (said,) = shown.warnings
    assert said.startswith(why)


def test_measuring_alone_says_the_same_of_every_concept(photo: Rgb) -> None:
    data = encode_png(photo)
    masks = {"Person": EVERYWHERE, "Top": SHIRT, "Logo": PRINT}
    layers = {"Person": Remove(), "Top": Tone(exposure=1.0), "Logo": GREEN}
    colours = measure(data, recipe(layers), found(photo, **masks)).colours
    assert {name: near(colours[name], c) for name, c in {"Person": GROUND, "Top": TOP, "Logo": LOGO}.items()} == {
        "Person": True, "Top": True, "Logo": True,
    }  # fmt: skip
    kept = process(data, recipe({**layers, "Top": Keep()}), found(photo, **masks))
    assert kept.colours == {"Top": colours["Top"]}


def test_another_photo_takes_the_colour(photo: Rgb) -> None:
    """The way of an album: the same shirt in another light looks as it does in the first photo."""
    other = np.clip(photo.astype(float) * (1.1, 0.8, 0.6), 0, 250).astype(np.uint8)
    colour = measure(encode_png(photo), recipe({"Top": Keep()}), found(photo)).colours["Top"]
    result = process(encode_png(other), recipe({"Top": Recolor(colour)}), found(other))
    inside = np.where((SHIRT > 0) & (other < 240).all(axis=2), np.uint8(255), np.uint8(0))
    before = np.array(median_colour(other, inside))
    after = np.array(median_colour(decode(result.png).rgb, inside))
    assert np.abs(before - colour).max() > 20
    assert np.abs(after - colour).max() <= 2
