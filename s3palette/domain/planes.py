"""Rectangles that a user marked on a surface, so that a pattern lies on it as it should.

In the shape of the API, within one photo's part::

    {"planes": {"Floor": {"quad": [[0.1, 0.9], [0.9, 0.9], [0.7, 0.6], [0.3, 0.6]], "metres": [3.0, 2.0]}}}

Corners are x, y as shares of the upright photo, in order around: on a floor near left, near right, far right, far left.
They may lie outside the photo. `metres` are the first side (corner 1 to 2) and the second (2 to 3); absent: told from
the perspective.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.rules import show

__all__ = ["Plane", "read_planes"]

_REACH: Final = (-4.0, 5.0)
_METRES: Final = (0.01, 100.0)
_FLAT: Final = 1e-5
"""Least area of the triangle of three corners, a share of the photo, doubled."""

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """One concept's rectangle on one photo."""

    concept: str
    corners: tuple[Corner, Corner, Corner, Corner]
    metres: tuple[float, float] | None


def read_planes(path: str, value: Any, concepts: Collection[str]) -> tuple[Plane, ...]:
    """The planes that were sent, of the rule's selected `concepts`. Raises ValidationFailed."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ValidationFailed(f"{path}: must be an object with concepts as its keys")
    planes = []
    for concept, plane in value.items():
        if concept not in concepts:
            raise ValidationFailed(f"{path}.{show(concept)}: of the rule's concepts it takes {', '.join(concepts)}")
        where = f"{path}.{concept}"
        if not isinstance(plane, Mapping) or not {"quad"} <= plane.keys() <= {"quad", "metres"}:
            raise ValidationFailed(f"{where}: must be an object with quad, four corners, and perhaps metres")
        planes.append(Plane(concept, _corners(f"{where}.quad", plane["quad"]), _size(where, plane.get("metres"))))
    return tuple(planes)


def _corners(path: str, value: Any) -> tuple[Corner, Corner, Corner, Corner]:
    if not isinstance(value, list) or len(value) != 4:
        raise ValidationFailed(f"{path}: must be a list of four corners such as [0.1, 0.9]")
    corners = []
    for number, corner in enumerate(value):
        if not isinstance(corner, list) or len(corner) != 2:
            raise ValidationFailed(f"{path}.{number}: a corner is [x, y]")
        x, y = (_number(f"{path}.{number}", share, _REACH) for share in corner)
        corners.append((x, y))
    first, second, third, fourth = corners
    turns = [_turn(corners[k - 2], corners[k - 1], corners[k]) for k in range(4)]
    if not (min(turns) > _FLAT or max(turns) < -_FLAT):
        raise ValidationFailed(f"{path}: the corners must go around a four-sided figure without a dent, one by one")
    return first, second, third, fourth


def _turn(one: Corner, two: Corner, three: Corner) -> float:
    """Twice the area of the triangle, its sign the way around."""
    return (two[0] - one[0]) * (three[1] - two[1]) - (two[1] - one[1]) * (three[0] - two[0])


def _size(path: str, value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise ValidationFailed(f"{path}.metres: must be two lengths such as [3.0, 2.0]")
    first, second = (_number(f"{path}.metres", length, _METRES) for length in value)
    return first, second


def _number(path: str, value: Any, reach: tuple[float, float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not reach[0] <= value <= reach[1]:
        raise ValidationFailed(f"{path}: must hold numbers from {reach[0]:g} to {reach[1]:g}, not {value!r:.40}")
    return float(value)
