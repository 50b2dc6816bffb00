from __future__ import annotations

from typing import Any

import pytest

from s3palette.domain.actions import Recolor, Remove, Texture, Tone
from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import load_materials
from s3palette.domain.presets import load_presets
from s3palette.domain.rules import MAX_OVERRIDES, Layer, Prompt, normalise, resolve

CATALOGUE = load_materials()
INTERIOR = load_presets()["interior"]
SELLER = load_presets()["seller"]


def wall(action: Any, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"Wall": {"action": action, "value": value, **more}}


@pytest.mark.parametrize(
    ("action", "value", "kept", "means"),
    [
        ("recolor", "#F4F1EA", "#F4F1EA", Recolor((244, 241, 234))),
        ("recolor", "#f4f1ea", "#F4F1EA", Recolor((244, 241, 234))),
        ("recolor", "#000000", "#000000", Recolor((0, 0, 0))),
        ("recolor", "oak_a", "oak_a", Recolor((200, 162, 122))),
        ("tone", "warm", "warm", CATALOGUE.tones["warm"]),
        ("tone", {"exposure": -2}, {"exposure": -2}, Tone(exposure=-2.0)),
        (
            "tone",
            {"exposure": 2.0, "saturation": -100},
            {"exposure": 2.0, "saturation": -100},
            Tone(2.0, saturation=-100),
        ),
        ("tone", {"temperature": 100, "contrast": 0.5}, {"temperature": 100, "contrast": 0.5}, Tone(0, 100, 0.5)),
        ("tone", {"balance": 100}, {"balance": 100}, Tone(balance=100.0)),
        ("texture", "marble_a", "marble_a", Texture("marble_a")),
        ("remove", None, None, Remove()),
    ],
)
def test_every_action_and_what_it_means(action, value, kept, means):
    assert normalise(INTERIOR, CATALOGUE, wall(action, value)).concepts == wall(action, kept)
    assert resolve(INTERIOR, CATALOGUE, wall(action, value)).layers == (Layer("Wall", means, {}),)


def test_a_value_that_was_not_sent_stays_away():
    assert normalise(INTERIOR, CATALOGUE, {"Wall": {"action": "remove"}}).concepts == {"Wall": {"action": "remove"}}


@pytest.mark.parametrize(
    ("concepts", "message"),
    [
        (None, "concepts: must be an object"),
        ([], "concepts: must be an object"),
        ("Wall", "concepts: must be an object"),
        ({}, "concepts: at least one"),
        ({"Sofa": {"action": "remove"}}, "concepts.Sofa: interior has no such concept"),
        ({"wall": {"action": "remove"}}, "concepts.wall: "),
        ({"Glass_highlight": {"action": "remove"}}, "concepts.Glass_highlight: "),
        ({"Wall": None}, "concepts.Wall: must be an object"),
        ({"Wall": "oak_a"}, "concepts.Wall: must be an object"),
        ({"Wall": []}, "concepts.Wall: must be an object"),
        ({"Wall": {}}, "concepts.Wall.action: None is none of"),
        (wall("paint", "#FFFFFF"), "concepts.Wall.action: paint is none of"),
        (wall(None), "concepts.Wall.action: "),
        (wall(["recolor"]), "concepts.Wall.action: "),
        (wall({"a": 1}), "concepts.Wall.action: "),
        (wall("Recolor", "#FFFFFF"), "concepts.Wall.action: "),
        (wall("recolor"), "concepts.Wall.value: recolor needs"),
        (wall("recolor", 7), "concepts.Wall.value: "),
        (wall("recolor", ["#FFFFFF"]), "concepts.Wall.value: "),
        (wall("recolor", "#FFF"), "concepts.Wall.value: #FFF is neither"),
        (wall("recolor", "#FFFFFG"), "concepts.Wall.value: "),
        (wall("recolor", "FFFFFF"), "concepts.Wall.value: "),
        (wall("recolor", "#FFFFFF\n"), "concepts.Wall.value: "),
        (wall("recolor", "#FFFFFFFF"), "concepts.Wall.value: "),
        (wall("recolor", "#１２３４５６"), "concepts.Wall.value: "),
        (wall("recolor", ""), "concepts.Wall.value: "),
        (wall("recolor", "gold"), "concepts.Wall.value: gold is neither"),
        (wall("texture", "gold"), "concepts.Wall.value: gold is not a material"),
        (wall("texture", "black_matte"), "concepts.Wall.value: the material black_matte has no texture"),
        (wall("texture", "#FFFFFF"), "concepts.Wall.value: "),
        (wall("texture"), "concepts.Wall.value: "),
        (wall("texture", {}), "concepts.Wall.value: "),
        (wall("remove", "all"), "concepts.Wall.value: remove takes no value"),
        (wall("remove", False), "concepts.Wall.value: remove takes no value"),
        (wall("tone"), "concepts.Wall.value: tone needs one of"),
        (wall("tone", "hot"), "concepts.Wall.value: tone needs one of"),
        (wall("tone", {}), "concepts.Wall.value: "),
        (wall("tone", 1), "concepts.Wall.value: "),
        (wall("tone", {"gamma": 1}), "concepts.Wall.value.gamma: "),
        (wall("tone", {"exposure": 2.01}), "concepts.Wall.value.exposure: must be a number from -2 to 2"),
        (wall("tone", {"exposure": -3}), "concepts.Wall.value.exposure: "),
        (wall("tone", {"balance": -0.5}), "concepts.Wall.value.balance: must be a number from 0 to 100"),
        (wall("tone", {"temperature": 101}), "concepts.Wall.value.temperature: must be a number from -100 to 100"),
        (wall("tone", {"contrast": -100.5}), "concepts.Wall.value.contrast: "),
        (wall("tone", {"saturation": 10**400}), "concepts.Wall.value.saturation: "),
        (wall("tone", {"saturation": float("nan")}), "concepts.Wall.value.saturation: "),
        (wall("tone", {"saturation": float("inf")}), "concepts.Wall.value.saturation: "),
        (wall("tone", {"saturation": True}), "concepts.Wall.value.saturation: "),
        (wall("tone", {"saturation": "5"}), "concepts.Wall.value.saturation: "),
        (wall("tone", {"saturation": None}), "concepts.Wall.value.saturation: "),
        (wall("remove", None, colour="red"), "concepts.Wall.colour: unknown field"),
        (wall("remove", None, instances=[]), "concepts.Wall.instances: must be an object"),
        (wall("remove", None, instances={"0": {"action": "remove"}}), "concepts.Wall.instances: 0 is not"),
        (wall("remove", None, instances={"02": {"action": "remove"}}), "concepts.Wall.instances: "),
        (wall("remove", None, instances={"-1": {"action": "remove"}}), "concepts.Wall.instances: "),
        (wall("remove", None, instances={"65536": {"action": "remove"}}), "concepts.Wall.instances: "),
        (wall("remove", None, instances={"٢": {"action": "remove"}}), "concepts.Wall.instances: "),
        (wall("remove", None, instances={2: {"action": "remove"}}), "concepts.Wall.instances: "),
        (
            wall("remove", None, instances={"2": {"action": "recolor", "value": "gold"}}),
            "concepts.Wall.instances.2.value: ",
        ),
        (
            wall("remove", None, instances={"2": {"action": "remove", "instances": {}}}),
            "concepts.Wall.instances.2.instances: ",
        ),
        (wall("remove", None, instances={"2": None}), "concepts.Wall.instances.2: "),
        (
            wall("remove", None, instances={str(n + 1): {"action": "remove"} for n in range(MAX_OVERRIDES + 1)}),
            "concepts.Wall.instances: at most",
        ),
        ({"\ud800" * 99: {"action": "remove"}}, "concepts."),
    ],
)
def test_every_refusal_names_the_field(concepts, message):
    with pytest.raises(ValidationFailed) as refusal:
        normalise(INTERIOR, CATALOGUE, concepts)
    assert refusal.value.message.startswith(message)
    refusal.value.message.encode()
    assert len(refusal.value.message) < 400


@pytest.mark.parametrize(
    ("protect", "message"),
    [
        ("Floor", "protect: must be a list"),
        ({"Floor": 1}, "protect: must be a list"),
        (7, "protect: must be a list"),
        (["Sofa"], "protect: interior has no concept Sofa"),
        ([None], "protect: "),
        ([["Floor"]], "protect: "),
        (["Body"], "protect: "),
        (["Wall"], "protect: Wall is selected and protected"),
        (["Floor", "Wall"], "protect: Wall is selected and protected"),
    ],
)
def test_every_refusal_of_a_protect_list(protect, message):
    with pytest.raises(ValidationFailed) as refusal:
        normalise(INTERIOR, CATALOGUE, wall("remove"), protect)
    assert refusal.value.message.startswith(message)


@pytest.mark.parametrize(
    ("protect", "kept"),
    [
        (None, ("Grout", "Frame_Molding", "Glass_highlight")),
        ([], ()),
        (["Floor", "Glass_highlight", "Floor"], ("Floor", "Glass_highlight")),
        (("Door",), ("Door",)),
    ],
)
def test_what_is_protected(protect, kept):
    assert normalise(INTERIOR, CATALOGUE, wall("remove"), protect).protect == kept


def test_a_default_yields_to_a_choice():
    grout = {"Grout": {"action": "recolor", "value": "lightgray_grout"}}
    assert normalise(INTERIOR, CATALOGUE, grout).protect == ("Frame_Molding", "Glass_highlight")


def test_instances_may_have_their_own_action():
    window = {
        "action": "recolor",
        "value": "black_matte",
        "instances": {"2": {"action": "recolor", "value": "#aabbcc"}, "10": {"action": "remove", "value": None}},
    }
    rule = normalise(INTERIOR, CATALOGUE, {"Window": window})
    assert rule.concepts["Window"]["instances"]["2"] == {"action": "recolor", "value": "#AABBCC"}
    layer = resolve(INTERIOR, CATALOGUE, {"Window": window}).layers[0]
    assert layer.overrides == {2: Recolor((170, 187, 204)), 10: Remove()}


@pytest.mark.parametrize("instances", [None, {}])
def test_no_overrides(instances):
    assert resolve(INTERIOR, CATALOGUE, wall("remove", None, instances=instances)).layers[0].overrides == {}


def test_layers_are_painted_from_the_general_to_the_specific_whatever_the_order_of_the_rule():
    concepts = {name: {"action": "remove"} for name in ("Logo", "Label_Text", "Body", "Background")}
    resolved = resolve(SELLER, CATALOGUE, concepts, ["Gloss"])
    assert [layer.concept for layer in resolved.layers] == ["Background", "Body", "Label_Text", "Logo"]
    assert resolved.protect == ("Gloss",)
    assert [prompt.concept for prompt in resolved.prompts] == ["Background", "Body", "Label_Text", "Logo", "Gloss"]
    assert resolved.prompts[1] == Prompt("Body", "main body of the product", "body", False, "front", 0.3)
    assert resolved.prompts[4] == Prompt("Gloss", None, "highlight", False)


def test_a_rule_once_normalised_stays_as_it_is():
    for preset in load_presets().values():
        for rule_set in preset.rule_sets:
            once = normalise(preset, CATALOGUE, rule_set.concepts, list(rule_set.protect))
            assert normalise(preset, CATALOGUE, once.concepts, list(once.protect)) == once
