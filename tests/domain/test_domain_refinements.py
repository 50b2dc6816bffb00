"""What is said of single photos: what is taken, in which shape it is kept, and every sentence of refusal."""

from __future__ import annotations

from typing import Any

import pytest

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.refinements import MAX_BOXES, Box, Refinement, normalise_photos, resolve_photo
from s3palette.domain.rules import MAX_OVERRIDES, Rule

RULE = Rule({"Wall": {"action": "remove"}, "Window": {"action": "remove"}}, ("Door",))
BOX = [0.1, 0.2, 0.6, 0.9]


def normalised(photos: Any, count: int = 12) -> dict[str, Any]:
    return normalise_photos(RULE, count, photos)


@pytest.mark.parametrize(
    ("photos", "kept"),
    [
        (None, {}),
        ({}, {}),
        ({"0": None, "1": {}, "2": {"exclude": None, "lock": {}, "boxes": {"Wall": {}}}}, {}),
        ({"3": {"exclude": {"Wall": []}}}, {}),
        ({"0": {"exclude": {"Window": [5, 2, 5]}}}, {"0": {"exclude": {"Window": [2, 5]}}}),
        ({"0": {"lock": {"Door": [1], "Window": [65535]}}}, {"0": {"lock": {"Door": [1], "Window": [65535]}}}),
        (
            {"11": {"boxes": {"Wall": {"positive": [BOX]}, "Door": {"negative": [[0, 0, 1, 1]], "positive": None}}}},
            {
                "11": {
                    "boxes": {
                        "Wall": {"positive": [BOX], "negative": []},
                        "Door": {"positive": [], "negative": [[0.0, 0.0, 1.0, 1.0]]},
                    }
                }
            },
        ),
        (
            {"0": {"exclude": {"Wall": [1]}, "lock": {"Wall": [2]}}},
            {"0": {"exclude": {"Wall": [1]}, "lock": {"Wall": [2]}}},
        ),
    ],
)
def test_what_is_kept(photos: Any, kept: dict[str, Any]) -> None:
    assert normalised(photos) == kept
    assert normalised(kept) == kept


def test_photos_are_kept_in_order() -> None:
    lock = {"lock": {"Wall": [1]}}
    assert list(normalised({"10": lock, "9": lock, "0": lock})) == ["0", "9", "10"]


def test_what_it_means() -> None:
    part = {
        "exclude": {"Window": [2, 3]},
        "lock": {"Window": [1], "Door": [1]},
        "boxes": {"Wall": {"positive": [BOX], "negative": [[0, 0, 1, 0.5]]}},
    }
    assert resolve_photo(RULE, part) == Refinement(
        {"Window": {2: "excluded", 3: "excluded", 1: "locked"}, "Door": {1: "locked"}},
        (Box("Wall", (0.1, 0.2, 0.6, 0.9), True), Box("Wall", (0.0, 0.0, 1.0, 0.5), False)),
    )
    assert resolve_photo(RULE, None) == Refinement()


@pytest.mark.parametrize(
    ("photos", "said"),
    [
        ([], "photos: must be an object"),
        ({"a": {}}, 'photos.a: must be the index of a photo such as "0"'),
        ({"01": {}}, "photos.01: must be the index"),
        ({"-1": {}}, "photos.-1: must be the index"),
        ({"": {}}, "photos.: must be the index"),
        ({"٢": {}}, "photos.٢: must be the index"),
        ({"9" * 5000: {}}, "photos.9999"),
        ({0: {}}, "photos.0: must be the index"),
        ({"12": {}}, "photos.12: the job has photos 0 to 11"),
        ({"0": []}, "photos.0: must be an object with exclude, lock, boxes"),
        ({"0": {"hide": {}}}, "photos.0.hide: unknown field; there are exclude, lock, boxes, planes"),
        ({"0": {"exclude": [2]}}, "photos.0.exclude: must be an object with concepts as its keys"),
        ({"0": {"exclude": {"Sofa": [2]}}}, "photos.0.exclude.Sofa: of the rule's concepts it takes Wall, Window"),
        ({"0": {"exclude": {"Door": [2]}}}, "photos.0.exclude.Door: of the rule's concepts it takes Wall, Window"),
        ({"0": {"lock": {"Floor": [2]}}}, "photos.0.lock.Floor: of the rule's concepts it takes Wall, Window, Door"),
        ({"0": {"lock": {"Wall": 2}}}, "photos.0.lock.Wall: must be a list of instance numbers such as [2]"),
        ({"0": {"lock": {"Wall": None}}}, "photos.0.lock.Wall: must be a list"),
        *(
            ({"0": {"lock": {"Wall": [number]}}}, "photos.0.lock.Wall: ")
            for number in (0, -1, 65536, True, "2", 2.0, None, [1])
        ),
        ({"0": {"lock": {"Wall": ["2"]}}}, "photos.0.lock.Wall: must hold whole numbers from 1 to 65535, not '2'"),
        ({"0": {"lock": {"Wall": list(range(1, MAX_OVERRIDES + 2))}}}, "photos.0.lock.Wall: at most 200 instances"),
        (
            {"0": {"exclude": {"Wall": [1, 2]}, "lock": {"Wall": [2]}}},
            "photos.0.lock.Wall: #2 is excluded and locked at once",
        ),
        ({"0": {"boxes": []}}, "photos.0.boxes: must be an object"),
        ({"0": {"boxes": {"Floor": {}}}}, "photos.0.boxes.Floor: of the rule's concepts it takes Wall, Window, Door"),
        ({"0": {"boxes": {"Wall": [BOX]}}}, "photos.0.boxes.Wall: must be an object with positive and negative"),
        (
            {"0": {"boxes": {"Wall": {"maybe": []}}}},
            "photos.0.boxes.Wall: must be an object with positive and negative",
        ),
        ({"0": {"boxes": {"Wall": {"positive": {}}}}}, "photos.0.boxes.Wall.positive: must be a list of boxes"),
        (
            {"0": {"boxes": {"Wall": {"positive": [BOX[:3]]}}}},
            "photos.0.boxes.Wall.positive.0: a box is [x0, y0, x1, y1]",
        ),
        ({"0": {"boxes": {"Wall": {"negative": [BOX, "no"]}}}}, "photos.0.boxes.Wall.negative.1: a box is"),
        *(
            ({"0": {"boxes": {"Wall": {"positive": [[0.1, 0.1, edge, 1]]}}}}, "photos.0.boxes.Wall.positive.0: ")
            for edge in (-0.1, 1.01, 640, float("nan"), float("inf"), "0.5", None, True, 0.1, 0.05)
        ),
        (
            {"0": {"boxes": {"Wall": {"positive": [[120, 80, 400, 300]]}}}},
            "photos.0.boxes.Wall.positive.0: must hold shares of the upright photo, 0 to 1, not 120",
        ),
        (
            {"0": {"boxes": {"Wall": {"positive": [[0.5, 0.2, 0.5, 0.9]]}}}},
            "photos.0.boxes.Wall.positive.0: x0 must be less than x1 and y0 less than y1",
        ),
        (
            {"0": {"boxes": {"Wall": {"positive": [BOX] * MAX_BOXES, "negative": [BOX]}}}},
            "photos.0.boxes.Wall: at most 32 boxes",
        ),
    ],
)
def test_what_is_refused(photos: Any, said: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        normalised(photos)
    assert refused.value.message.startswith(said)
    assert len(refused.value.message) < 300
