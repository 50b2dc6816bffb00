"""One photo from key to key: what the worker reads, writes and says, on a store in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

import engine
from actors.engine_worker import process_photo
from actors.photo_dispatch import PhotoTask
from s3palette.testing import MemoryStore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray Serve's own, on import

KEY = "inputs/u_1/j_1/0.jpg"
TASK = PhotoTask("u_1", "j_1", 0, "interior", {"Wall": {"action": "recolor", "value": "offwhite_b"}}, ())


async def never(data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
    raise AssertionError("the engine was given a photo")


async def echo(data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
    return engine.PhotoResult(data, b"preview", {"Wall": b"mask"}, b"{}", ("dark",))


async def etag_of(store: MemoryStore) -> str:
    return (await store.stat("inputs/"))[KEY].etag


async def test_what_comes_out_is_stored_under_the_photos_keys() -> None:
    store = MemoryStore()
    await store.put(KEY, b"photo", "image/jpeg")
    outcome = await process_photo(replace(TASK, etag=await etag_of(store)), store, echo)
    assert (outcome.status, outcome.warnings) == ("done", ("dark",))
    assert store.objects == {
        KEY: b"photo",
        outcome.output_key: b"photo",
        outcome.preview_key: b"preview",
        outcome.instances_key: b"{}",
        outcome.mask_keys["Wall"]: b"mask",
    }


async def test_a_photo_changed_since_its_confirmation_is_not_worked_on() -> None:
    store = MemoryStore()
    await store.put(KEY, b"photo", "image/jpeg")
    task = replace(TASK, etag=await etag_of(store))
    await store.put(KEY, b"another", "image/jpeg")
    outcome = await process_photo(task, store, never)
    assert (outcome.status, list(store.objects)) == ("failed", [KEY])
    assert outcome.error == "The photo was changed after its upload was confirmed; send it in a new job."


async def test_a_photo_that_is_gone_fails_with_a_reason() -> None:
    outcome = await process_photo(TASK, MemoryStore(), never)
    assert outcome.status == "failed"
    assert "no longer in the store" in str(outcome.error)
