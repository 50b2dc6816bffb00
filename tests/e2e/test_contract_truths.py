"""What holds for every output, pixel by pixel: nothing outside the masks, nothing under protection."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ._contract_photos import Ended, ball, decoded, encoded, room, run
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

REACH_SHARE, REACH_PX = 0.004, 2.0


def paint(value: str) -> dict[str, str]:
    return {"action": "recolor", "value": value}


ALBUMS = {
    "product": ("seller", [ball(1), ball(2)], {"Product": paint("#2E6FB7")}, []),
    "ground": ("seller", [ball(3)], {"Background": paint("#304050")}, ["Product"]),
    "product toned under gloss": (
        "seller",
        [ball(4, shiny=True)],
        {"Product": {"action": "tone", "value": {"exposure": 1}}},
        ["Gloss"],
    ),
    "room": (
        "interior",
        [room("living"), room("bedroom")],
        {"Wall": paint("#88AABB"), "Floor": paint("walnut_a")},
        [],
    ),
    "floor beside a protected wall": ("interior", [room("living")], {"Floor": paint("#2E6FB7")}, ["Wall", "Ceiling"]),
}


@pytest.fixture(scope="module", params=ALBUMS)
def album(request: pytest.FixtureRequest, classical: SystemUnderTest) -> Iterator[Ended]:
    """An album that has ended, of each kind."""
    preset, pictures, concepts, protect = ALBUMS[request.param]
    with classical.sign_up() as client:
        yield run(client, [encoded(picture) for picture in pictures], preset, concepts=concepts, protect=protect)


def before_and_after(album: Ended, idx: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return decoded(album.sent[idx]), np.asarray(album.output(idx).convert("RGB"))


def selected(album: Ended, idx: int) -> NDArray[np.bool_]:
    """(H, W): where a selected concept was found."""
    maps = [album.label_map(idx, name) > 0 for name in album.item(idx)["masks"] if name in album.job["concepts"]]
    assert maps, "nothing was found: this photo tests nothing"
    found: NDArray[np.bool_] = np.logical_or.reduce(maps)
    return found


def test_nothing_changes_beyond_the_reach_of_the_matte(album: Ended) -> None:
    for idx in range(len(album.sent)):
        before, after = before_and_after(album, idx)
        changed = (before != after).any(axis=2)
        assert changed.any()
        outside = (~selected(album, idx)).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        reach = max(REACH_PX, REACH_SHARE * max(before.shape[:2]))
        assert distance[changed].max() <= reach + 1e-3


def test_nothing_changes_under_protection(album: Ended) -> None:
    for idx in range(len(album.sent)):
        before, after = before_and_after(album, idx)
        protecting = set(album.item(idx)["masks"]) & set(album.job["protect"])
        assert protecting or not album.job["protect"], "nothing was found: this photo tests nothing"
        for name in protecting:
            protected = album.label_map(idx, name) > 0
            assert np.array_equal(before[protected], after[protected]), name


def test_a_protected_concept_has_its_mask_or_a_warning(album: Ended) -> None:
    for item in album.job["items"]:
        for name in album.job["protect"]:
            assert name in item["masks"] or any(name in warning for warning in item["warnings"])


def test_label_maps_count_instances_at_photo_size(album: Ended) -> None:
    for idx, photo in enumerate(album.sent):
        for name in album.item(idx)["masks"]:
            labels = album.label_map(idx, name)
            assert labels.shape == decoded(photo).shape[:2]
            assert set(np.unique(labels)) - {0} == set(range(1, int(labels.max()) + 1))


def test_the_chosen_colour_is_the_typical_one(album: Ended) -> None:
    """Inside the masks, away from their edges: the median is the value, and the shading is still there."""
    for idx in range(len(album.sent)):
        _, after = before_and_after(album, idx)
        for name in set(album.item(idx)["masks"]) & set(album.job["concepts"]):
            action = album.job["concepts"][name]
            if action["action"] != "recolor" or not action["value"].startswith("#"):
                continue
            inner = cv2.erode((album.label_map(idx, name) > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            wanted = [int(action["value"][at : at + 2], 16) for at in (1, 3, 5)]
            assert np.median(after[inner], axis=0) == pytest.approx(wanted, abs=12)
            assert after[inner].std(axis=0).max() > 1


def test_the_same_photo_comes_out_the_same(classical: SystemUnderTest) -> None:
    with classical.sign_up() as client:
        photo = encoded(ball(8))
        ended = run(client, [photo, encoded(ball(9)), photo], concepts={"Product": paint("#2E6FB7")}, protect=[])
        assert np.array_equal(np.asarray(ended.output(0)), np.asarray(ended.output(2)))
        assert not np.array_equal(np.asarray(ended.output(0)), np.asarray(ended.output(1)))
