"""Every rule that can be written maps onto the engine's vocabulary, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

import engine
from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import load_materials
from s3palette.domain.palette import Preset
from s3palette.domain.presets import PRESET_IDS, load_presets
from s3palette.recipes import build_recipe, material_pattern

CONCEPTS = [(preset.id, concept.name) for preset in load_presets().values() for concept in preset.concepts]
RULE_SETS = [(preset.id, rule_set.id) for preset in load_presets().values() for rule_set in preset.rule_sets]


def entry(action: str, value: Any = None) -> dict[str, Any]:
    return {"action": action, "value": value}


@pytest.mark.parametrize(("preset_id", "name"), CONCEPTS)
def test_every_concept_becomes_a_prompt_and_a_layer(preset_id: str, name: str) -> None:
    concept = next(c for c in load_presets()[preset_id].concepts if c.name == name)
    recipe = build_recipe(preset_id, {name: entry("recolor", "#010203")}, [])
    lies = concept.surface, concept.metres
    assert recipe.prompts == (engine.Prompt(name, concept.prompt, concept.finder, concept.several, False, *lies),)
    assert recipe.layers == (engine.Layer(name, engine.Recolor((1, 2, 3))),)
    assert recipe.protect == ()


@pytest.mark.parametrize("preset_id", PRESET_IDS)
def test_whatever_can_be_protected_becomes_a_prompt(preset_id: str) -> None:
    preset = load_presets()[preset_id]
    selected, *others = preset.concept_names
    protect = [*others, *(layer.name for layer in preset.layers)]
    recipe = build_recipe(preset_id, {selected: entry("remove")}, protect)
    assert recipe.protect == tuple(protect)
    assert [prompt.concept for prompt in recipe.prompts] == [selected, *protect]
    from_pixels = {prompt.concept: prompt for prompt in recipe.prompts if prompt.text is None}
    assert {layer.name for layer in preset.layers} <= from_pixels.keys()
    assert all(prompt.finder for prompt in from_pixels.values())


def _expected(given: Mapping[str, Any]) -> engine.Action:
    catalogue = load_materials()
    if given["action"] == "recolor":
        material = catalogue.materials.get(given["value"])
        red, green, blue = bytes.fromhex((material.hex if material else given["value"])[1:])
        return engine.Recolor((red, green, blue))
    if given["action"] == "tone":
        value = given["value"]
        return engine.Tone(**(asdict(catalogue.tones[value]) if isinstance(value, str) else value))
    assert given["action"] == "texture"
    return engine.Texture(material_pattern(catalogue.materials[given["value"]]))


@pytest.mark.parametrize(("preset_id", "rule_id"), RULE_SETS)
def test_every_named_rule_set_maps(preset_id: str, rule_id: str) -> None:
    preset: Preset = load_presets()[preset_id]
    rule_set = next(r for r in preset.rule_sets if r.id == rule_id)
    recipe = build_recipe(preset_id, rule_set.concepts, rule_set.protect)
    assert {layer.concept: layer.action for layer in recipe.layers} == {
        name: _expected(given) for name, given in rule_set.concepts.items()
    }
    order = [name for name in preset.painting_order if name in rule_set.concepts]
    assert [layer.concept for layer in recipe.layers] == order
    assert recipe.protect == rule_set.protect


def test_every_action_and_overrides_of_instances() -> None:
    window = {
        **entry("recolor", "black_matte"),
        "instances": {"2": entry("remove"), "3": entry("tone", {"exposure": 1})},
    }
    recipe = build_recipe("interior", {"Window": window, "Floor": entry("texture", "oak_a")}, [])
    floor, window_layer = recipe.layers
    oak = engine.Pattern("boards", (0xC8, 0xA2, 0x7A), (0.14, 1.5), 0.0015)
    assert floor == engine.Layer("Floor", engine.Texture(oak))
    assert [(prompt.surface, prompt.metres) for prompt in recipe.prompts[:2]] == [("floor", 1.0), ("front", 1.4)]
    assert window_layer.overrides == {2: engine.Remove(), 3: engine.Tone(exposure=1.0)}


def test_what_is_said_of_one_photo_is_in_its_recipe() -> None:
    part = {
        "exclude": {"Window": [2]},
        "lock": {"Window": [1], "Door": [3]},
        "boxes": {"Door": {"negative": [[0, 0, 0.5, 1]]}, "Window": {"positive": [[0.1, 0.2, 0.6, 0.9]]}},
        "planes": {"Window": {"quad": [[0, 1], [1, 1], [0.7, 0.5], [0.3, 0.5]], "metres": [3, 2]}},
    }
    recipe = build_recipe("interior", {"Window": entry("recolor", "#010203")}, ["Door"], part)
    assert recipe.refinement == engine.Refinement(
        {"Window": {2: "excluded", 1: "locked"}, "Door": {3: "locked"}},
        (
            engine.Exemplar("Door", (0.0, 0.0, 0.5, 1.0), positive=False),
            engine.Exemplar("Window", (0.1, 0.2, 0.6, 0.9)),
        ),
        (engine.Quad("Window", ((0.0, 1.0), (1.0, 1.0), (0.7, 0.5), (0.3, 0.5)), (3.0, 2.0)),),
    )
    assert build_recipe("interior", {"Window": entry("remove")}, [], None).refinement == engine.Refinement()


def test_what_is_said_of_one_photo_must_fit_the_rule() -> None:
    with pytest.raises(ValidationFailed, match=r"photo\.lock\.Floor: of the rule's concepts it takes Window, Door"):
        build_recipe("interior", {"Window": entry("remove")}, ["Door"], {"lock": {"Floor": [1]}})


def test_without_a_list_the_defaults_protect() -> None:
    recipe = build_recipe("interior", {"Wall": entry("recolor", "#FFFFFF")})
    assert recipe.protect == load_presets()["interior"].protect_defaults


@pytest.mark.parametrize(
    ("preset_id", "concepts", "protect", "message"),
    [
        ("garden", {"Wall": entry("remove")}, None, "preset: there is no preset garden"),
        ("interior", {"Roof": entry("remove")}, None, "concepts.Roof"),
        ("interior", {"Wall": entry("recolor", "mud")}, None, "concepts.Wall.value"),
        ("interior", {"Wall": entry("remove")}, ["Wall"], "protect: Wall"),
    ],
)
def test_a_wrong_rule_is_refused(
    preset_id: str, concepts: dict[str, Any], protect: list[str] | None, message: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        build_recipe(preset_id, concepts, protect)
    assert refused.value.message.startswith(message)


def test_protected_concepts_are_told_to_the_segmenter() -> None:
    recipe = build_recipe("interior", {"Wall": {"action": "recolor", "value": "#FFFFFF"}}, ["Door"])
    assert {prompt.concept: prompt.protected for prompt in recipe.prompts} == {"Wall": False, "Door": True}


def test_a_concept_that_is_measured_is_kept() -> None:
    concepts = {"Top": entry("recolor") | {"instances": {"2": entry("recolor", "#010203")}}, "Bag": entry("remove")}
    recipe = build_recipe("ootd", concepts, None, {"lock": {"Skin": [1]}, "exclude": {"Top": [3]}}, ["Top", "Shoes"])
    assert {layer.concept: layer.action for layer in recipe.layers} == {
        "Top": engine.Keep(),
        "Shoes": engine.Keep(),
        "Bag": engine.Remove(),
    }
    assert next(each for each in recipe.layers if each.concept == "Top").overrides == {2: engine.Recolor((1, 2, 3))}
    with pytest.raises(ValidationFailed, match="recolor needs"):
        build_recipe("ootd", concepts)
