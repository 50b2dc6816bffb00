"""What a client says about single photos of a job, beside the rule. Checked, normalised, resolved for an engine.

In the shape of the API, photo index -> what holds for that photo only::

    {"0": {"exclude": {"Window": [2]}, "lock": {"Window": [1]},
           "boxes": {"Wall": {"positive": [[0.1, 0.2, 0.6, 0.9]], "negative": []}},
           "planes": {"Floor": {"quad": [[0.1, 0.9], [0.9, 0.9], [0.7, 0.6], [0.3, 0.6]], "metres": [3.0, 2.0]}}}}

An excluded instance is left as it is by its concept's action and by every concept painted before it; a locked one is
protected. Boxes are x0, y0, x1, y1 as shares of the upright photo's width and height: a positive one shows an instance
of the concept, a negative one where there is none. Instance numbers are those of the photo's instances with these
boxes. `planes` are told in `s3palette.domain.planes`. Every refusal is a ValidationFailed whose message begins with the
field, "photos.0.lock.Window: ...".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.planes import Plane, read_planes
from s3palette.domain.rules import MAX_INSTANCE, MAX_OVERRIDES, Rule, show

__all__ = ["MAX_BOXES", "Box", "Refinement", "State", "normalise_photos", "resolve_photo"]

MAX_BOXES: Final = 32
"""Boxes of one concept on one photo, positive and negative together."""

State = Literal["excluded", "locked"]
_FIELDS: Final = ("exclude", "lock", "boxes", "planes")


@dataclass(frozen=True, slots=True)
class Box:
    """One box on one photo."""

    concept: str
    edges: tuple[float, float, float, float]
    """x0 < x1, y0 < y1, 0..1 of the photo's width and height."""
    positive: bool


@dataclass(frozen=True, slots=True)
class Refinement:
    """One photo's part, resolved."""

    states: Mapping[str, Mapping[int, State]] = field(default_factory=dict)
    """Concept -> instance number (from 1) -> what was made of it."""
    boxes: tuple[Box, ...] = ()
    planes: tuple[Plane, ...] = ()


def normalise_photos(rule: Rule, count: int, photos: Any) -> dict[str, Any]:
    """Check what came from outside for a job of `count` photos; nothing twice, nothing empty, photos in order.

    Raises ValidationFailed.
    """
    if photos is None:
        return {}
    if not isinstance(photos, Mapping):
        raise ValidationFailed("photos: must be an object of photo index -> what holds for that photo")
    shaped: dict[int, dict[str, Any]] = {}
    for key, part in photos.items():
        if not (isinstance(key, str) and key.isascii() and key.isdigit() and str(int(key[:9])) == key):
            raise ValidationFailed(f'photos.{show(key)}: must be the index of a photo such as "0"')
        if int(key) >= count:
            raise ValidationFailed(f"photos.{key}: the job has photos 0 to {count - 1}")
        shaped[int(key)], _ = _photo(rule, f"photos.{key}", part)
    return {str(idx): part for idx, part in sorted(shaped.items()) if part}


def resolve_photo(rule: Rule, part: Any) -> Refinement:
    """Check one photo's part and give its meaning; None: there is none. Raises ValidationFailed."""
    return _photo(rule, "photo", part)[1]


def _photo(rule: Rule, path: str, part: Any) -> tuple[dict[str, Any], Refinement]:
    if part is None:
        return {}, Refinement()
    if not isinstance(part, Mapping):
        raise ValidationFailed(f"{path}: must be an object with {', '.join(_FIELDS)}")
    for key in part:
        if key not in _FIELDS:
            raise ValidationFailed(f"{path}.{show(key)}: unknown field; there are {', '.join(_FIELDS)}")
    used = (*rule.concepts, *rule.protect)
    shaped: dict[str, Any] = {}
    states: dict[str, dict[int, State]] = {}
    kinds: tuple[tuple[str, State, tuple[str, ...]], ...] = (
        ("exclude", "excluded", tuple(rule.concepts)),
        ("lock", "locked", used),
    )
    for name, state, concepts in kinds:
        chosen = _instances(f"{path}.{name}", part.get(name), concepts)
        if chosen:
            shaped[name] = chosen
        for concept, numbers in chosen.items():
            for number in numbers:
                if number in states.setdefault(concept, {}):
                    raise ValidationFailed(f"{path}.{name}.{concept}: #{number} is excluded and locked at once")
                states[concept][number] = state
    boxes = _boxes(f"{path}.boxes", part.get("boxes"), used)
    if boxes:
        shaped["boxes"] = boxes
    planes = read_planes(f"{path}.planes", part.get("planes"), tuple(rule.concepts))
    if planes:
        shaped["planes"] = {plane.concept: _plane_json(plane) for plane in planes}
    return shaped, Refinement(states, tuple(_each_box(boxes)), planes)


def _instances(path: str, value: Any, concepts: Collection[str]) -> dict[str, list[int]]:
    chosen = {}
    for concept, numbers in _by_concept(path, value, concepts).items():
        where = f"{path}.{concept}"
        if not isinstance(numbers, list):
            raise ValidationFailed(f"{where}: must be a list of instance numbers such as [2]")
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_INSTANCE:
                raise ValidationFailed(f"{where}: must hold whole numbers from 1 to {MAX_INSTANCE}, not {number!r:.40}")
        if len(set(numbers)) > MAX_OVERRIDES:
            raise ValidationFailed(f"{where}: at most {MAX_OVERRIDES} instances can be named")
        if numbers:
            chosen[concept] = sorted(set(numbers))
    return chosen


def _boxes(path: str, value: Any, concepts: Collection[str]) -> dict[str, dict[str, list[list[float]]]]:
    drawn = {}
    for concept, sides in _by_concept(path, value, concepts).items():
        where = f"{path}.{concept}"
        if not isinstance(sides, Mapping) or not sides.keys() <= {"positive", "negative"}:
            raise ValidationFailed(f"{where}: must be an object with positive and negative, lists of boxes")
        own = {side: _edges(f"{where}.{side}", sides.get(side)) for side in ("positive", "negative")}
        if sum(map(len, own.values())) > MAX_BOXES:
            raise ValidationFailed(f"{where}: at most {MAX_BOXES} boxes")
        if any(own.values()):
            drawn[concept] = own
    return drawn


def _edges(path: str, value: Any) -> list[list[float]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValidationFailed(f"{path}: must be a list of boxes such as [[0.1, 0.2, 0.6, 0.9]]")
    boxes = []
    for number, box in enumerate(value):
        where = f"{path}.{number}"
        if not isinstance(box, list) or len(box) != 4:
            raise ValidationFailed(f"{where}: a box is [x0, y0, x1, y1]")
        for edge in box:
            if isinstance(edge, bool) or not isinstance(edge, int | float) or not 0 <= edge <= 1:
                raise ValidationFailed(f"{where}: must hold shares of the upright photo, 0 to 1, not {edge!r:.40}")
        x0, y0, x1, y1 = map(float, box)
        if not (x0 < x1 and y0 < y1):
            raise ValidationFailed(f"{where}: x0 must be less than x1 and y0 less than y1")
        boxes.append([x0, y0, x1, y1])
    return boxes


def _by_concept(path: str, value: Any, concepts: Collection[str]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValidationFailed(f"{path}: must be an object with concepts as its keys")
    for concept in value:
        if concept not in concepts:
            raise ValidationFailed(f"{path}.{show(concept)}: of the rule's concepts it takes {', '.join(concepts)}")
    return value


def _plane_json(plane: Plane) -> dict[str, Any]:
    quad = [list(corner) for corner in plane.corners]
    return {"quad": quad} if plane.metres is None else {"quad": quad, "metres": list(plane.metres)}


def _each_box(boxes: Mapping[str, Mapping[str, list[list[float]]]]) -> list[Box]:
    return [
        Box(concept, (x0, y0, x1, y1), side == "positive")
        for concept, sides in boxes.items()
        for side, drawn in sides.items()
        for x0, y0, x1, y1 in drawn
    ]
