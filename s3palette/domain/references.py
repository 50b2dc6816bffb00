"""A photo that sets colours: "make every Top look like photo 3".

In the shape of the API, concept -> index of the photo that shows how it is to look::

    {"Top": 2}

In that photo the concept stays as it is and its colour is measured; in all others it is recoloured to it, whatever
value the rule has for it. So that photo goes first, and the others wait for it. One photo sets all colours of a job:
two could each wait for the other. Every refusal is a ValidationFailed whose message begins with the field,
"references.Top: ...".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.palette import Preset
from s3palette.domain.rules import show

__all__ = ["normalise_references", "read_colors", "with_colors"]

_HEX: Final = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)


def normalise_references(preset: Preset, count: int, references: Any) -> dict[str, int]:
    """Check what came from outside for a job of `count` photos. Raises ValidationFailed."""
    if references is None:
        return {}
    if not isinstance(references, Mapping):
        raise ValidationFailed("references: must be an object of concept -> index of a photo")
    known = preset.concept_names
    chosen: dict[str, int] = {}
    for name, idx in references.items():
        path = f"references.{show(name)}"
        if name not in known:
            raise ValidationFailed(f"{path}: {preset.id} has no such concept; it has {', '.join(known)}")
        if isinstance(idx, bool) or not isinstance(idx, int) or not 0 <= idx < count:
            raise ValidationFailed(f"{path}: must be the index of a photo, 0 to {count - 1}")
        first = next(iter(chosen.items()), (name, idx))
        if idx != first[1]:
            raise ValidationFailed(f"{path}: one photo sets all colours of a job; {first[0]} names photo {first[1]}")
        chosen[name] = idx
    return chosen


def read_colors(colors: Mapping[str, str], wanted: Collection[str]) -> dict[str, str]:
    """What was measured of the concepts that are wanted, #RRGGBB in upper case; the rest is nobody's business."""
    return {name: colors[name].upper() for name in wanted if _HEX.fullmatch(colors.get(name, ""))}


def with_colors(concepts: Mapping[str, Any], colors: Mapping[str, str]) -> dict[str, Any]:
    """The rule with the colours that were measured in place of the values that were open."""
    return {name: {**entry, "value": colors[name]} if name in colors else entry for name, entry in concepts.items()}
