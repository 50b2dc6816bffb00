"""The domains as data: one file each, checked when it is loaded."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from pydantic import TypeAdapter

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import Catalogue, load_materials
from s3palette.domain.palette import Preset
from s3palette.domain.rules import normalise

__all__ = ["PRESET_IDS", "load_presets", "parse_preset"]

PRESET_IDS: Final = ("interior", "seller", "profile", "ootd")
"""In the order of the API."""


def parse_preset(text: str, catalogue: Catalogue) -> Preset:
    """A preset from its TOML. Raises ValueError saying what is wrong with it."""
    # JSON mode: strict about numbers and strings, yet an array is a tuple.
    preset = TypeAdapter(Preset).validate_json(json.dumps(tomllib.loads(text)))
    where = f"preset {preset.id}"
    _unique(f"{where}: concepts and layers", preset.protectable)
    _unique(f"{where}: output templates", (template.id for template in preset.output_templates))
    _unique(f"{where}: rule sets", (rule_set.id for rule_set in preset.rule_sets))
    if sorted(preset.painting_order) != sorted(preset.concept_names):
        raise ValueError(f"{where}: painting_order must name every concept once")
    if not preset.output_templates:
        raise ValueError(f"{where}: there must be an output template")
    if unknown := set(preset.protect_defaults) - set(preset.protectable):
        raise ValueError(f"{where}: protect_defaults names {', '.join(sorted(unknown))}, which it does not have")
    if hidden := [c.name for c in preset.concepts if c.prompt is None and c.finder is None]:
        raise ValueError(f"{where}: {', '.join(hidden)} has neither a prompt nor a finder")
    for rule_set in preset.rule_sets:
        try:
            normalise(preset, catalogue, rule_set.concepts, list(rule_set.protect))
        except ValidationFailed as error:
            raise ValueError(f"{where}: rule set {rule_set.id}: {error.message}") from error
    return preset


@cache
def load_presets() -> Mapping[str, Preset]:
    """The presets that ship with the package, by id. Raises ValueError for a broken file."""
    folder, catalogue = files(__name__), load_materials()
    presets = {
        preset_id: parse_preset(folder.joinpath(f"{preset_id}.toml").read_text("utf-8"), catalogue)
        for preset_id in PRESET_IDS
    }
    for preset_id, preset in presets.items():
        if preset.id != preset_id:
            raise ValueError(f"presets/{preset_id}.toml: its id is {preset.id}")
    for material in catalogue.materials.values():
        if unknown := set(material.presets) - presets.keys():
            raise ValueError(f"material {material.id}: there is no preset {', '.join(sorted(unknown))}")
    return MappingProxyType(presets)


def _unique(what: str, names: Iterable[str]) -> None:
    seen = list(names)
    if len(set(seen)) != len(seen):
        raise ValueError(f"{what}: a name is there twice")
