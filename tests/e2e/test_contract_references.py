"""A photo that sets the colour of the others, through the whole system: over HTTP and with the Python client."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from s3palette.client import Client

from ._contract_photos import Pixels, ball, decoded, encoded, run
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

FIRST, REFERENCE, BROKEN = range(3)


def lit(photo: Pixels, *gains: float) -> bytes:
    """The photo in another light, as a file."""
    return encoded(np.clip(photo * np.array(gains), 0, 255).astype(np.uint8))


PHOTOS = [lit(ball(1), 0.8, 0.9, 1.3), lit(ball(2), 1.0, 0.8, 0.5), b"not a photo"]


def median(photo: Pixels, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    core = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    found: NDArray[np.float64] = np.median(photo[core], axis=0)
    return found


def test_the_photo_stays_as_it_is_and_the_other_looks_like_it(classical: SystemUnderTest) -> None:
    with classical.sign_up() as owner:
        album = run(owner, PHOTOS, "seller", references={"Product": REFERENCE}, protect=[])
        assert album.job["status"] == "done"
        assert [item["status"] for item in album.job["items"]] == ["done", "done", "failed"]
        kept, made = (np.asarray(album.output(idx).convert("RGB")) for idx in (REFERENCE, FIRST))
        maps = {idx: album.label_map(idx, "Product") > 0 for idx in (FIRST, REFERENCE)}
        assert np.array_equal(kept, decoded(PHOTOS[REFERENCE]))
        wanted = median(kept, maps[REFERENCE])
        before = median(decoded(PHOTOS[FIRST]), maps[FIRST])
        assert np.abs(before - wanted).max() > 30
        assert np.abs(median(made, maps[FIRST]) - wanted).max() <= 6
        value = album.job["concepts"]["Product"]["value"]
        assert np.abs(np.array(list(bytes.fromhex(value[1:]))) - wanted).max() <= 6
        assert album.job["references"] == {"Product": REFERENCE}


def test_an_album_whose_reference_is_broken_costs_nothing(classical: SystemUnderTest) -> None:
    with Client(classical.url) as client:
        client.sign_up()
        result = client.run(PHOTOS, "seller", {}, references={"Product": BROKEN})
        assert len(result.failed) == 3
        why = result.photos[BROKEN].error
        assert [photo.error for photo in result.photos[:2]] == [
            f"photo {BROKEN} sets the colour of Product, and it failed: {why}"
        ] * 2
        assert client.me().credits == 10
