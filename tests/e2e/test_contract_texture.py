"""A pattern on a floor over HTTP: found by itself in one photo, as a user's rectangle says in another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from s3palette.demo import ALBUMS

from ._contract_photos import Ended, decoded, run
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

LIVING = next(path for album in ALBUMS for path in album.photos if path.stem == "living").read_bytes()
RULE = {"Floor": {"action": "texture", "value": "oak_a"}}
PLANE = {"quad": [[0.1, 0.95], [0.9, 0.95], [0.7, 0.7], [0.3, 0.7]], "metres": [1.5, 1.5]}


@pytest.fixture(scope="module")
def album(classical: SystemUnderTest) -> Iterator[Ended]:
    with classical.sign_up() as client:
        yield run(
            client, [LIVING, LIVING], concepts=RULE, preset="interior", photos={"1": {"planes": {"Floor": PLANE}}}
        )


def test_the_floor_is_in_the_material_and_the_rest_is_the_photos(album: Ended) -> None:
    before = decoded(album.sent[0])
    floor = album.label_map(0, "Floor") > 0
    for idx in (0, 1):
        assert album.item(idx)["status"] == "done"
        out = np.asarray(album.output(idx).convert("RGB"))
        assert np.abs(np.median(out[floor], axis=0) - (0xC8, 0xA2, 0x7A)).max() <= 4
        assert (out != before).any(axis=2)[floor].mean() > 0.9
        assert np.array_equal(out[:100], before[:100])


def test_a_marked_rectangle_lays_it_otherwise(album: Ended) -> None:
    found, marked = (np.asarray(album.output(idx).convert("RGB")).astype(int) for idx in (0, 1))
    floor = album.label_map(0, "Floor") > 0
    assert np.abs(found - marked)[floor].mean() > 1
