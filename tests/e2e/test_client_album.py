"""An album through a whole system with each client, as docs/client.md shows it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from s3palette.client import AlbumResult, AsyncClient, Client

from ._album import RULE, product_photo
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

PHOTOS = [product_photo(0, 240), b"not an image", product_photo(1, 240), product_photo(2, 240)[:900]]


async def with_tasks(url: str, out: Path) -> AlbumResult:
    async with AsyncClient(url) as client:
        return await client.run(PHOTOS, "seller", RULE["concepts"], protect=[], masks=True, save_to=out)


def with_threads(url: str, out: Path) -> AlbumResult:
    with Client(url) as client:
        return client.run(PHOTOS, "seller", RULE["concepts"], protect=[], masks=True, save_to=out)


@pytest.mark.parametrize("run", [with_threads, with_tasks], ids=["sync", "async"])
def test_an_album_with_two_broken_photos(classical: SystemUnderTest, tmp_path: Path, run: Any) -> None:
    result = run(classical.url, tmp_path)
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    assert [photo.ok for photo in result.photos] == [True, False, True, False]
    assert all(photo.error.endswith(".") for photo in result.failed)
    for idx in (0, 2):
        photo = result.photos[idx]
        before = cv2.imdecode(np.frombuffer(PHOTOS[idx], np.uint8), cv2.IMREAD_COLOR)
        after = cv2.imread(str(tmp_path / f"00{idx}_photo_result.png"))
        label = cv2.imdecode(np.frombuffer(photo.masks["Product"].read(), np.uint8), cv2.IMREAD_UNCHANGED)
        changed = (before != after).any(axis=2)
        assert 0.1 < changed.mean() < 0.6
        assert changed[label > 0].mean() > 0.9
        assert b'"Product"' in photo.instances.read()
