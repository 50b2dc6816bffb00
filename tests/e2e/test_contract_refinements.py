"""One rule, and what was said of single photos: own paints, instances left out or locked, boxes, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from s3palette.demo import ALBUMS

from ._contract import data_of, unsigned
from ._contract_photos import Ended, decoded, run
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

MUG = next(path for album in ALBUMS for path in album.photos if path.stem == "mug_teal_daylight").read_bytes()
RULE = {
    "Body": {"action": "recolor", "value": "#2E6FB7"},
    "Label_Text": {
        "action": "recolor",
        "value": "#C01030",
        "instances": {"2": {"action": "recolor", "value": "#10A040"}, "9": {"action": "recolor", "value": "#10A040"}},
    },
    "Logo": {"action": "recolor", "value": "#101010"},
}
PHOTOS = {
    "1": {"exclude": {"Label_Text": [2]}},
    "2": {"lock": {"Label_Text": [1]}},
    "3": {"boxes": {"Logo": {"positive": [[0.26, 0.44, 0.6, 0.7]]}}},
}
PLAIN, EXCLUDED, LOCKED, BOXED = range(4)


@pytest.fixture(scope="module")
def album(classical: SystemUnderTest) -> Iterator[Ended]:
    """The same photo four times, with a saved rule; each time something else is said of it."""
    with classical.sign_up() as client:
        saved = {"name": "Labels", "preset_id": "seller", "concepts": RULE, "protect": []}
        rule = data_of(client.post("/rules", json=saved), 201)["rule"]
        assert rule["concepts"] == RULE
        yield run(client, [MUG] * 4, "seller", rule_id=rule["id"], photos=PHOTOS)


def changed(album: Ended, idx: int) -> NDArray[np.bool_]:
    out = np.asarray(album.output(idx).convert("RGB"))
    differs: NDArray[np.bool_] = (decoded(album.sent[idx]) != out).any(axis=2)
    return differs


def label(album: Ended, number: int) -> NDArray[np.bool_]:
    own: NDArray[np.bool_] = album.label_map(PLAIN, "Label_Text") == number
    assert own.sum() > 1000
    return own


def states(album: Ended, idx: int) -> list[str]:
    report = json.loads(unsigned(album.owner, "GET", album.item(idx)["instances_url"]).content)
    return [instance["state"] for instance in report["concepts"]["Label_Text"]["instances"]]


def test_each_instance_has_its_own_paint(album: Ended) -> None:
    out = np.asarray(album.output(PLAIN).convert("RGB")).astype(int)
    red, green = (np.median(out[label(album, number)], axis=0) for number in (1, 2))
    assert red[0] > red[1] + 40
    assert green[1] > green[0] + 40
    assert states(album, PLAIN) == ["included", "included"]


@pytest.mark.parametrize(("idx", "number", "state"), [(EXCLUDED, 2, "excluded"), (LOCKED, 1, "locked")])
def test_an_instance_left_out_keeps_every_byte(album: Ended, idx: int, number: int, state: str) -> None:
    assert np.array_equal(album.label_map(idx, "Label_Text"), album.label_map(PLAIN, "Label_Text"))
    assert not changed(album, idx)[label(album, number)].any()
    assert changed(album, idx)[label(album, 3 - number)].mean() > 0.9
    assert changed(album, idx)[album.label_map(idx, "Body") > 0].mean() > 0.9
    assert states(album, idx)[number - 1] == state


def test_a_box_shows_what_the_engine_cannot_find(album: Ended) -> None:
    assert "Logo" not in album.item(PLAIN)["masks"]
    found = album.label_map(BOXED, "Logo") > 0
    rows, columns = np.nonzero(found)
    height, width = found.shape
    assert rows.min() >= 0.4 * height
    assert rows.max() <= 0.74 * height
    assert columns.min() >= 0.22 * width
    assert columns.max() <= 0.64 * width


def test_warnings_say_what_a_photo_does_not_show(album: Ended) -> None:
    for item in album.job["items"]:
        assert "Label_Text #9 is not in this photo, which shows 2." in item["warnings"]
        assert any(warning.startswith("Logo cannot be found") for warning in item["warnings"]) is (item["idx"] != BOXED)


def test_the_job_tells_what_was_said(album: Ended) -> None:
    boxes = {"Logo": {"positive": [[0.26, 0.44, 0.6, 0.7]], "negative": []}}
    assert album.job["photos"] == {**PHOTOS, "3": {"boxes": boxes}}
