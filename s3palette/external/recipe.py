"""The engine's recipe as JSON and back: an action is told by its name, whatever fields it has.

A refinement belongs to one photo and travels with it, not with the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

import engine

__all__ = ["read_recipe", "recipe_json"]

_ACTIONS: Final[Mapping[str, type[Any]]] = {
    "recolor": engine.Recolor,
    "tone": engine.Tone,
    "texture": engine.Texture,
    "remove": engine.Remove,
    "keep": engine.Keep,
}
_NAMES: Final = {kind: name for name, kind in _ACTIONS.items()}
_READERS: Final = {name: TypeAdapter(kind) for name, kind in _ACTIONS.items()}
_PROMPTS: Final = TypeAdapter(tuple[engine.Prompt, ...])


def recipe_json(recipe: engine.Recipe) -> dict[str, Any]:
    """`prompts`: every concept that is needed; `layers`: concepts and actions in painting order; `protect`: names."""
    return {
        "prompts": [asdict(prompt) for prompt in recipe.prompts],
        "layers": [
            {
                "concept": layer.concept,
                "action": _action_json(layer.action),
                "overrides": {str(number): _action_json(action) for number, action in layer.overrides.items()},
            }
            for layer in recipe.layers
        ],
        "protect": list(recipe.protect),
    }


def read_recipe(value: Any) -> engine.Recipe:
    """The recipe that `recipe_json` wrote, or a recipe itself. Raises ValueError for anything else."""
    if isinstance(value, engine.Recipe):
        return value
    try:
        return engine.Recipe(
            prompts=_PROMPTS.validate_python(value["prompts"]),
            layers=tuple(_read_layer(layer) for layer in value["layers"]),
            protect=tuple(map(str, value["protect"])),
        )
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise ValueError(f"not a recipe ({type(error).__name__})") from error


def _read_layer(value: Any) -> engine.Layer:
    overrides = {int(number): _read_action(action) for number, action in value["overrides"].items()}
    return engine.Layer(str(value["concept"]), _read_action(value["action"]), overrides)


def _action_json(action: engine.Action) -> dict[str, Any]:
    return {"action": _NAMES[type(action)], **asdict(action)}


def _read_action(value: Any) -> engine.Action:
    action: engine.Action = _READERS[value["action"]].validate_python(value)
    return action
