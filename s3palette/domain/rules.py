"""Rules: which concept gets which action, what no action may touch. Checked, normalised, resolved for an engine.

A rule in the shape of the API::

    {"Wall": {"action": "recolor", "value": "#F4F1EA"},
     "Window": {"action": "recolor", "value": "black_matte", "instances": {"2": {"action": "remove"}}}}

with a list of protected concepts. Without a list (None) the preset's defaults hold, less what the rule selects: a
default yields to a choice, while a concept that is named in both is a contradiction and refused. An empty list
protects nothing. Every refusal is a ValidationFailed whose message begins with the field, "concepts.Wall.value: ...".

A concept may be `referenced`: a photo sets its colour (see `references`). Then it is a recolor without a value, whether
the rule selects it or not, and resolves to `Keep`, as it must be done in that photo.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from s3palette.domain.actions import Action, Keep, Recolor, Remove, Texture, Tone
from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import Catalogue
from s3palette.domain.palette import Preset, Surface

__all__ = ["MAX_INSTANCE", "MAX_OVERRIDES", "Layer", "Prompt", "ResolvedRule", "Rule", "normalise", "resolve", "show"]

MAX_OVERRIDES: Final = 200
"""Instances of one concept that may have an action of their own."""
MAX_INSTANCE: Final = 65535
"""The highest instance number: label maps have 16 bits."""

_ACTIONS: Final = ("recolor", "tone", "texture", "remove")
_HEX: Final = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_INSTANCE: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_TONE_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    **{field.name: (-100.0, 100.0) for field in fields(Tone)},
    "exposure": (-2.0, 2.0),
    "balance": (0.0, 100.0),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that fits its preset, in the shape of the API: colours in upper case, nothing twice."""

    concepts: Mapping[str, Any]
    protect: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One concept as an engine is asked for it."""

    concept: str
    text: str | None
    finder: str | None
    several: bool
    surface: Surface = "front"
    """How it lies in space."""
    metres: float = 1.0
    """Real length of its longer side, about."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One concept and what is done to it."""

    concept: str
    action: Action
    overrides: Mapping[int, Action]
    """Instance number (from 1) -> its own action."""


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """A rule with every name looked up."""

    prompts: tuple[Prompt, ...]
    """What is selected, then what is protected; each once."""
    layers: tuple[Layer, ...]
    """In painting order: where two concepts overlap, the later layer has the pixel."""
    protect: tuple[str, ...]


def normalise(
    preset: Preset, catalogue: Catalogue, concepts: Any, protect: Any = None, referenced: Collection[str] = ()
) -> Rule:
    """Check a rule as it came from outside; `referenced` are concepts of the preset. Raises ValidationFailed."""
    rule, _ = _check(preset, catalogue, concepts, protect, referenced)
    return rule


def resolve(
    preset: Preset, catalogue: Catalogue, concepts: Any, protect: Any = None, referenced: Collection[str] = ()
) -> ResolvedRule:
    """Check a rule and look every name up; `referenced` are concepts of the preset. Raises ValidationFailed."""
    rule, layers = _check(preset, catalogue, concepts, protect, referenced)
    by_name = {
        concept.name: Prompt(
            concept.name, concept.prompt, concept.finder, concept.several, concept.surface, concept.metres
        )
        for concept in preset.concepts
    }
    by_name |= {layer.name: Prompt(layer.name, None, layer.finder, True) for layer in preset.layers}
    painted = tuple(layers[name] for name in preset.painting_order if name in layers)
    asked = (*(layer.concept for layer in painted), *rule.protect)
    return ResolvedRule(tuple(by_name[name] for name in asked), painted, rule.protect)


def _check(
    preset: Preset, catalogue: Catalogue, concepts: Any, protect: Any, referenced: Collection[str]
) -> tuple[Rule, dict[str, Layer]]:
    if not isinstance(concepts, Mapping):
        raise ValidationFailed("concepts: must be an object of concept -> action")
    added = [name for name in referenced if name not in concepts]
    concepts = {**concepts, **{name: {"action": "recolor"} for name in added}}
    if not concepts:
        raise ValidationFailed("concepts: at least one concept must be selected")
    shaped: dict[str, Any] = {}
    layers: dict[str, Layer] = {}
    known = preset.concept_names
    for name, entry in concepts.items():
        if name not in known:
            raise ValidationFailed(f"concepts.{show(name)}: {preset.id} has no such concept; it has {', '.join(known)}")
        shaped[name], layers[name] = _concept(name, entry, catalogue, name in referenced)
    return Rule(shaped, _protect(preset, protect, shaped, added)), layers


def _concept(name: str, entry: Any, catalogue: Catalogue, referenced: bool) -> tuple[dict[str, Any], Layer]:
    path = f"concepts.{name}"
    shaped, action = _action(path, entry, catalogue, "instances", referenced)
    overrides: dict[int, Action] = {}
    instances = entry.get("instances")
    if instances is not None:
        if not isinstance(instances, Mapping):
            raise ValidationFailed(f"{path}.instances: must be an object of instance number -> action")
        if len(instances) > MAX_OVERRIDES:
            raise ValidationFailed(f"{path}.instances: at most {MAX_OVERRIDES} instances can have their own action")
        shaped["instances"] = {}
        for number, own in instances.items():
            if not (isinstance(number, str) and _INSTANCE.fullmatch(number) and int(number) <= MAX_INSTANCE):
                raise ValidationFailed(f'{path}.instances: {show(number)} is not an instance number such as "2"')
            shaped["instances"][number], overrides[int(number)] = _action(f"{path}.instances.{number}", own, catalogue)
    return shaped, Layer(name, action, overrides)


def _action(
    path: str, entry: Any, catalogue: Catalogue, extra: str | None = None, referenced: bool = False
) -> tuple[dict[str, Any], Action]:
    """The entry as it is kept (a null value that was sent is kept: clients look for the key), and what it means."""
    if not isinstance(entry, Mapping):
        raise ValidationFailed(f"{path}: must be an object with an action and a value")
    for key in entry:
        if key not in ("action", "value", extra):
            raise ValidationFailed(f"{path}.{show(key)}: unknown field")
    kind, value = entry.get("action"), entry.get("value")
    if not isinstance(kind, str) or kind not in _ACTIONS:
        raise ValidationFailed(f"{path}.action: {show(kind)} is none of {', '.join(_ACTIONS)}")
    if referenced:
        return _open(path, kind, value, catalogue)
    if kind == "remove":
        if value is not None:
            raise ValidationFailed(f"{path}.value: remove takes no value")
        return {key: entry[key] for key in ("action", "value") if key in entry}, Remove()
    if kind == "recolor":
        value, action = _color(f"{path}.value", value, catalogue)
    elif kind == "tone":
        value, action = _tone(f"{path}.value", value, catalogue)
    else:
        action = _texture(f"{path}.value", value, catalogue)
    return {"action": kind, "value": value}, action


def _open(path: str, kind: str, value: Any, catalogue: Catalogue) -> tuple[dict[str, Any], Action]:
    """A concept whose colour a photo sets: the value that the rule may have gives way."""
    if kind != "recolor":
        raise ValidationFailed(f"{path}.action: must be recolor, for a photo sets the colour")
    if value is not None:
        _color(f"{path}.value", value, catalogue)
    return {"action": kind, "value": None}, Keep()


def _color(path: str, value: Any, catalogue: Catalogue) -> tuple[str, Action]:
    if not isinstance(value, str):
        raise ValidationFailed(f"{path}: recolor needs a #RRGGBB colour or a material id")
    if _HEX.fullmatch(value):
        value = hex_code = value.upper()
    elif value in catalogue.materials:
        hex_code = catalogue.materials[value].hex
    else:
        raise ValidationFailed(f"{path}: {show(value)} is neither a #RRGGBB colour nor a material of the catalogue")
    red, green, blue = bytes.fromhex(hex_code[1:])
    return value, Recolor((red, green, blue))


def _texture(path: str, value: Any, catalogue: Catalogue) -> Action:
    if not isinstance(value, str) or value not in catalogue.materials:
        raise ValidationFailed(f"{path}: {show(value)} is not a material of the catalogue")
    if not catalogue.materials[value].texture:
        raise ValidationFailed(f"{path}: the material {value} has no texture; recolor takes it")
    return Texture(value)


def _tone(path: str, value: Any, catalogue: Catalogue) -> tuple[Any, Action]:
    if isinstance(value, str) and value in catalogue.tones:
        return value, catalogue.tones[value]
    if not isinstance(value, Mapping) or not value:
        raise ValidationFailed(
            f"{path}: tone needs one of {', '.join(catalogue.tones)}, or numbers for {', '.join(_TONE_RANGES)}"
        )
    numbers: dict[str, int | float] = {}
    for key, number in value.items():
        span = _TONE_RANGES.get(key) if isinstance(key, str) else None
        if span is None:
            raise ValidationFailed(f"{path}.{show(key)}: is none of {', '.join(_TONE_RANGES)}")
        # The comparison is False for NaN too, and exact for integers of any size.
        low, high = span
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            raise ValidationFailed(f"{path}.{key}: must be a number from {low:g} to {high:g}")
        numbers[key] = number
    return numbers, Tone(**{key: float(number) for key, number in numbers.items()})


def _protect(preset: Preset, protect: Any, selected: Mapping[str, Any], added: Collection[str]) -> tuple[str, ...]:
    """The protected concepts; `added` are those that only a photo selects, so that the contradiction is told of it."""
    if protect is None:
        return tuple(name for name in preset.protect_defaults if name not in selected)
    if isinstance(protect, str) or not isinstance(protect, Sequence):
        raise ValidationFailed("protect: must be a list of concepts")
    for name in protect:
        if not isinstance(name, str) or name not in preset.protectable:
            raise ValidationFailed(
                f"protect: {preset.id} has no concept {show(name)}; it has {', '.join(preset.protectable)}"
            )
        if name in added:
            raise ValidationFailed(
                f"references.{name}: the rule protects it; take {name} out of what is protected, or out of references"
            )
        if name in selected:
            raise ValidationFailed(f"protect: {name} is selected and protected at once")
    return tuple(dict.fromkeys(protect))


def show(value: Any) -> str:
    """A stranger's value, short enough for a message."""
    text = value if isinstance(value, str) else repr(value)
    text = ascii(text)[1:-1] if not text.isprintable() else text
    return text if len(text) <= 40 else text[:37] + "..."
