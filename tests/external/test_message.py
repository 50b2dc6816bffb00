"""The message of a job: everything an engine outside needs, there and back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

import engine
from s3palette.domain.presets import PRESET_IDS, load_presets
from s3palette.external import JobMessage, MessageRefused, job_message
from s3palette.external.recipe import read_recipe, recipe_json
from s3palette.recipes import build_recipe
from s3palette.testing import MemoryStore

RULE = {
    "Floor": {"action": "texture", "value": "oak_a"},
    "Wall": {"action": "tone", "value": {"exposure": 0.5, "saturation": -20}},
    "Cabinet": {"action": "remove", "value": None},
    "Window": {
        "action": "recolor",
        "value": "black_matte",
        "instances": {"2": {"action": "recolor", "value": "#804020"}},
    },
}


def message(**work: Any) -> JobMessage:
    asked = {
        "user_id": "u_1",
        "preset": "interior",
        "concepts": RULE,
        "protect": ["Grout"],
        "refinements": {},
        "measure": [],
    }
    asked |= {"idxs": [0, 2], "etags": {2: "e2"}, **work}
    return job_message("j_1", 2, asked, store=MemoryStore(), base_url="http://api.test", concurrency=4)


def test_it_is_the_same_after_the_way() -> None:
    sent = message()
    assert JobMessage.load(sent.dump()) == sent


def test_what_it_says() -> None:
    told = json.loads(message().dump())
    assert {name: told[name] for name in told if name not in ("recipe", "items")} == {
        "version": 1,
        "job": "j_1",
        "user": "u_1",
        "preset": "interior",
        "attempt": 2,
        "callback_url": "http://api.test/jobs/j_1/callback",
        "idempotency_prefix": "j_1:",
        "concurrency": 4,
    }
    assert [item["idx"] for item in told["items"]] == [0, 2]
    assert told["recipe"]["protect"] == ["Grout"]
    assert [item["etag"] for item in told["items"]] == [None, "e2"]
    item = told["items"][1]
    assert item["input"] == {
        "key": "inputs/u_1/j_1/2.jpg",
        "url": "http://api.test/memory/inputs/u_1/j_1/2.jpg?op=get",
    }
    assert item["output"] == {
        "key": "outputs/u_1/j_1/2_result.png",
        "url": "http://api.test/memory/outputs/u_1/j_1/2_result.png?op=put",
    }
    assert item["masks"].keys() == {*RULE, "Grout"}
    puts = [item["preview"], item["instances"], *item["masks"].values()]
    assert all(place["url"].endswith(f"{place['key']}?op=put") for place in puts)
    assert message().idempotency_key(2) == "j_1:2:2"


def test_colours_and_prompts_are_resolved() -> None:
    told = json.loads(message().dump())["recipe"]
    layers = {layer["concept"]: layer for layer in told["layers"]}
    assert layers["Window"]["action"]["action"] == "recolor"
    assert len(layers["Window"]["action"]["target"]) == 3
    assert layers["Window"]["overrides"] == {"2": {"action": "recolor", "target": [128, 64, 32]}}
    assert layers["Wall"]["action"] == {
        "action": "tone",
        "exposure": 0.5,
        "temperature": 0.0,
        "contrast": 0.0,
        "saturation": -20.0,
        "balance": 0.0,
    }
    prompts = {prompt["concept"]: prompt for prompt in told["prompts"]}
    assert prompts["Window"]["text"] == load_presets()["interior"].concepts[3].prompt
    assert prompts["Grout"]["protected"] is True


@pytest.mark.parametrize("preset_id", PRESET_IDS)
def test_every_rule_set_survives(preset_id: str) -> None:
    for rule_set in load_presets()[preset_id].rule_sets:
        recipe = build_recipe(preset_id, rule_set.concepts, rule_set.protect)
        assert read_recipe(json.loads(json.dumps(recipe_json(recipe)))) == recipe


def test_every_action_and_override_survives() -> None:
    recipe = build_recipe("interior", RULE, ["Grout", "Glass_highlight"])
    assert read_recipe(json.loads(json.dumps(recipe_json(recipe)))) == recipe


def test_what_is_to_be_measured_is_kept() -> None:
    concepts = {"Wall": {"action": "recolor", "value": None}, "Window": RULE["Window"]}
    sent = message(concepts=concepts, measure=["Wall"], idxs=[0], refinements={"0": {"exclude": {"Wall": [2]}}})
    layers = {layer["concept"]: layer["action"] for layer in json.loads(sent.dump())["recipe"]["layers"]}
    assert layers["Wall"] == {"action": "keep"}
    assert layers["Window"]["action"] == "recolor"
    assert JobMessage.load(sent.dump()) == sent


def test_no_part_of_a_recipe_is_forgotten() -> None:
    told = recipe_json(build_recipe("interior", RULE, []))
    assert {*told, "refinement"} == {field.name for field in fields(engine.Recipe)}
    assert told["layers"][0].keys() == {field.name for field in fields(engine.Layer)}
    assert told["prompts"][0].keys() == {field.name for field in fields(engine.Prompt)}


def test_what_is_said_about_one_photo_goes_with_it() -> None:
    refinement = engine.Refinement(
        states={"Window": {2: "excluded", 1: "locked"}},
        exemplars=(engine.Exemplar("Wall", (0.1, 0.2, 0.5, 1.0), positive=False),),
    )
    part = {
        "exclude": {"Window": [2]},
        "lock": {"Window": [1]},
        "boxes": {"Wall": {"negative": [[0.1, 0.2, 0.5, 1]]}},
    }
    sent = message(refinements={"2": part, "3": part})
    received = JobMessage.load(sent.dump())
    assert received.recipe_for(received.items[1]) == replace(sent.recipe, refinement=refinement)
    assert received.recipe_for(received.items[0]) == sent.recipe


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version"),
        ({"attempt": 0}, "attempt"),
        ({"items": [{}]}, "items"),
        ({"callback_url": None}, "callback_url"),
        ({"recipe": {}}, "recipe"),
        ({"recipe": 7}, "recipe"),
        (
            {"recipe": {"prompts": [], "layers": [{"concept": "Wall", "action": {"action": "melt"}}], "protect": []}},
            "re",
        ),
        ({"recipe": {"prompts": [{"concept": "Wall"}], "layers": [], "protect": []}}, "recipe"),
    ],
)
def test_what_is_not_understood_is_refused(change: dict[str, Any], says: str) -> None:
    told = {**json.loads(message().dump()), **change}
    with pytest.raises(MessageRefused, match=says):
        JobMessage.load(json.dumps(told).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(MessageRefused):
        JobMessage.load(body)


def test_fields_of_a_later_build_are_let_through() -> None:
    told = {**json.loads(message().dump()), "priority": "high"}
    assert JobMessage.load(json.dumps(told).encode()) == message()
