"""From a rule of the domain to the engine's recipe: the one place that knows both vocabularies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, assert_never

import engine
from s3palette.domain import actions
from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import Material, load_materials
from s3palette.domain.presets import load_presets
from s3palette.domain.refinements import resolve_photo
from s3palette.domain.rules import Layer, Prompt, Rule, resolve

__all__ = ["build_recipe", "material_pattern"]


def build_recipe(
    preset_id: str,
    concepts: Mapping[str, Any],
    protect: Sequence[str] | None = None,
    refinement: Mapping[str, Any] | None = None,
    measure: Collection[str] = (),
) -> engine.Recipe:
    """Check a rule in the shape of the API and resolve it for the engine.

    `protect` None means the preset's defaults; `refinement` is what holds for one photo only, and then the recipe is
    for that photo, as it is with `measure`, the concepts whose colour that photo sets. Raises ValidationFailed; its
    message begins with the field.
    """
    preset = load_presets().get(preset_id)
    if preset is None:
        raise ValidationFailed(f"preset: there is no preset {preset_id}; there are {', '.join(load_presets())}")
    rule = resolve(preset, load_materials(), concepts, protect, measure)
    own = resolve_photo(Rule({**dict.fromkeys(measure), **concepts}, rule.protect), refinement)
    return engine.Recipe(
        prompts=tuple(_prompt(prompt, prompt.concept in rule.protect) for prompt in rule.prompts),
        layers=tuple(_layer(layer) for layer in rule.layers),
        protect=rule.protect,
        refinement=engine.Refinement(
            own.states,
            tuple(engine.Exemplar(box.concept, box.edges, box.positive) for box in own.boxes),
            tuple(engine.Quad(plane.concept, plane.corners, plane.metres) for plane in own.planes),
        ),
    )


def material_pattern(material: Material) -> engine.Pattern:
    """A material's pattern for the engine. Raises ValueError for a material without one."""
    pattern = material.pattern
    if pattern is None:
        raise ValueError(f"the material {material.id} has no texture")
    return engine.Pattern(
        pattern.kind, _rgb(material.hex), pattern.unit, pattern.joint, _rgb(pattern.joint_hex),
        pattern.contrast, pattern.variety, pattern.turn, pattern.seed,
    )  # fmt: skip


def _rgb(code: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def _prompt(prompt: Prompt, protected: bool) -> engine.Prompt:
    return engine.Prompt(
        prompt.concept, prompt.text, prompt.finder, prompt.several, protected, prompt.surface, prompt.metres
    )


def _layer(layer: Layer) -> engine.Layer:
    overrides = {number: _action(action) for number, action in layer.overrides.items()}
    return engine.Layer(layer.concept, _action(layer.action), overrides)


def _action(action: actions.Action) -> engine.Action:
    match action:
        case actions.Recolor(rgb):
            return engine.Recolor(rgb)
        case actions.Tone(exposure, temperature, contrast, saturation, balance):
            return engine.Tone(exposure, temperature, contrast, saturation, balance)
        case actions.Texture(material):
            return engine.Texture(material_pattern(load_materials().materials[material]))
        case actions.Remove():
            return engine.Remove()
        case actions.Keep():
            return engine.Keep()
        case _:
            assert_never(action)
