"""Rectangles on surfaces: what is kept of them, and every refusal with its field."""

from typing import Any

import pytest

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.planes import Plane
from s3palette.domain.refinements import normalise_photos, resolve_photo
from s3palette.domain.rules import Rule

RULE = Rule({"Floor": {"action": "texture", "value": "oak_a"}}, ("Door",))
QUAD = [[0.1, 0.9], [0.9, 0.9], [0.7, 0.6], [0.3, 0.6]]


@pytest.mark.parametrize(
    ("plane", "kept"),
    [
        ({"quad": QUAD}, {"quad": QUAD}),
        ({"quad": QUAD, "metres": None}, {"quad": QUAD}),
        ({"quad": QUAD[::-1], "metres": [3, 2]}, {"quad": QUAD[::-1], "metres": [3.0, 2.0]}),
        ({"quad": [[-1, 2], [2, 2], [1, 0], [0, 0]]}, {"quad": [[-1.0, 2.0], [2.0, 2.0], [1.0, 0.0], [0.0, 0.0]]}),
    ],
)
def test_what_is_kept_and_what_it_means(plane: Any, kept: dict[str, Any]) -> None:
    photos = {"0": {"planes": {"Floor": plane}}}
    assert normalise_photos(RULE, 1, photos) == {"0": {"planes": {"Floor": kept}}}
    corners = tuple((float(x), float(y)) for x, y in kept["quad"])
    metres = tuple(kept["metres"]) if "metres" in kept else None
    assert resolve_photo(RULE, photos["0"]).planes == (Plane("Floor", corners, metres),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        ([QUAD], "photo.planes: must be an object"),
        ({"Wall": {"quad": QUAD}}, "photo.planes.Wall: of the rule's concepts it takes Floor"),
        ({"Door": {"quad": QUAD}}, "photo.planes.Door: of the rule's concepts it takes Floor"),
        ({"Floor": QUAD}, "photo.planes.Floor: must be an object with quad"),
        ({"Floor": {"metres": [1, 1]}}, "photo.planes.Floor: must be an object with quad"),
        ({"Floor": {"quad": QUAD, "size": 1}}, "photo.planes.Floor: must be an object with quad"),
        ({"Floor": {"quad": QUAD[:3]}}, "photo.planes.Floor.quad: must be a list of four corners"),
        ({"Floor": {"quad": [*QUAD[:3], 0.5]}}, "photo.planes.Floor.quad.3: a corner is"),
        ({"Floor": {"quad": [*QUAD[:3], [True, 0]]}}, "photo.planes.Floor.quad.3: must hold numbers from -4 to 5"),
        ({"Floor": {"quad": [*QUAD[:3], [0.3, float("nan")]]}}, "photo.planes.Floor.quad.3: must hold numbers"),
        ({"Floor": {"quad": [QUAD[k] for k in (0, 2, 1, 3)]}}, "photo.planes.Floor.quad: the corners must go around"),
        ({"Floor": {"quad": [*QUAD[:3], [0.65, 0.65]]}}, "photo.planes.Floor.quad: the corners must go around"),
        ({"Floor": {"quad": [[0.5, 0.5]] * 4}}, "photo.planes.Floor.quad: the corners must go around"),
        ({"Floor": {"quad": QUAD, "metres": 3}}, "photo.planes.Floor.metres: must be two lengths"),
        ({"Floor": {"quad": QUAD, "metres": [3, 0]}}, "photo.planes.Floor.metres: must hold numbers from 0.01 to 100"),
    ],
)
def test_what_is_refused(planes: Any, message: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        resolve_photo(RULE, {"planes": planes})
    assert refused.value.message.startswith(message)
