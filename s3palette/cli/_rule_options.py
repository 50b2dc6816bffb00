"""--set and --protect: a rule as it is written on the command line.

--set Wall=#F4F1EA --set Floor=oak_a        recolor: a colour or a material
--set Ceiling=tone:warm                     a named tone
--set Ceiling=tone:exposure=0.5,saturation=-20
--set Floor=texture:oak_a
--set Switch_Outlet=remove
--set Window=black_matte --set "Window#2=walnut_a"      an instance's own
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.materials import load_materials
from s3palette.domain.presets import load_presets
from s3palette.domain.rules import Rule, normalise

__all__ = ["RuleRefused", "read_rule"]


class RuleRefused(Exception):
    """One sentence that names the option, what is wrong with it and what is allowed."""


def read_rule(
    preset_id: str, settings: Sequence[str], protect: Sequence[str], referenced: Collection[str] = ()
) -> Rule:
    """The rule that the options say, checked against the preset; of what is `referenced` the value is open.

    `protect` entries may hold several concepts with commas; no entry means the preset's defaults, "none" nothing.
    Raises RuleRefused.
    """
    presets = load_presets()
    if preset_id not in presets:
        raise RuleRefused(f"--preset {preset_id}: there is no such preset; there are {', '.join(presets)}.")
    for concept in referenced:
        if concept not in presets[preset_id].concept_names:
            allowed = ", ".join(presets[preset_id].concept_names)
            raise RuleRefused(f"--reference {concept}: {preset_id} has no such concept; it has {allowed}.")
    if not settings and not referenced:
        raise RuleRefused(
            "--set is missing: give at least one CONCEPT=VALUE, for example --set "
            f"{presets[preset_id].concept_names[0]}=#F4F1EA."
        )
    concepts: dict[str, Any] = {concept: {"action": "recolor"} for concept in referenced}
    instances: dict[str, dict[str, Any]] = {}
    for setting in settings:
        name, entry = _read_setting(setting)
        concept, of_one, number = name.partition("#")
        if of_one and number.strip("0") == "":
            raise RuleRefused(f"--set {name}: instances count from 1, for example {concept}#1.")
        known, key = (instances.setdefault(concept, {}), number) if of_one else (concepts, name)
        if name in referenced:
            raise RuleRefused(f"--set {name}: --reference {name} gives it a colour too; give one of them.")
        if key in known:
            raise RuleRefused(f"--set {name} is given twice; give it once.")
        known[key] = entry
    for concept, own in instances.items():
        if concept not in concepts:
            raise RuleRefused(f"--set {concept}#{next(iter(own))}: give --set {concept}=VALUE too, for the others.")
        concepts[concept]["instances"] = own
    protected = [name for entry in protect for name in entry.split(",") if name]
    if protected == ["none"]:
        protected = []
    for concept in referenced:
        if concept in protected:
            raise RuleRefused(f"--reference {concept}: --protect {concept} lets nothing touch it; give one of them.")
    try:
        return normalise(presets[preset_id], load_materials(), concepts, protected if protect else None, referenced)
    except ValidationFailed as error:
        raise RuleRefused(_in_words(preset_id, concepts, error.message)) from None


def _read_setting(setting: str) -> tuple[str, dict[str, Any]]:
    name, equals, text = setting.partition("=")
    if not (name and equals and text) or text.endswith(":"):
        raise RuleRefused(
            f"--set {setting}: write CONCEPT=VALUE; VALUE is #RRGGBB, a material, tone:NAME, "
            "tone:exposure=0.5,saturation=-20, texture:MATERIAL or remove."
        )
    if text == "remove":
        return name, {"action": "remove", "value": None}
    kind, colon, rest = text.partition(":")
    if not colon:
        return name, {"action": "recolor", "value": text}
    if kind == "tone":
        return name, {"action": "tone", "value": _numbers(name, rest) if "=" in rest else rest}
    return name, {"action": kind, "value": rest}


def _numbers(name: str, text: str) -> dict[str, float]:
    numbers = {}
    for part in text.split(","):
        key, _, number = part.partition("=")
        try:
            numbers[key] = float(number)
        except ValueError:
            raise RuleRefused(f"--set {name}=tone:{text}: {part!r} is not NAME=NUMBER.") from None
    return numbers


def _in_words(preset_id: str, concepts: dict[str, Any], message: str) -> str:
    """The domain's message with the option in place of the field, and what is allowed where it does not say so."""
    field, _, problem = message.partition(": ")
    parts = field.split(".")
    if parts[0] != "concepts" or len(parts) < 2:
        return f"--{field}: {problem}."
    entry, name, allowed = concepts.get(parts[1], {}), parts[1], ""
    if parts[2:3] == ["instances"] and len(parts) > 3:
        entry, name = entry["instances"][parts[3]], f"{name}#{parts[3]}"
    if parts[-2] == "value":  # one number of a tone
        problem = f"{parts[-1]} {problem}"
    if parts[-1] == "value" and entry.get("action") in ("recolor", "texture"):
        texture = entry["action"] == "texture"
        materials = [
            material.id
            for material in load_materials().materials.values()
            if preset_id in material.presets and (material.texture or not texture)
        ]
        allowed = f"; {'textures' if texture else 'materials'} for {preset_id} are {', '.join(materials)}"
    return f"--set {name}: {problem}{allowed}."
