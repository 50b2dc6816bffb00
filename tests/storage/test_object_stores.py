"""What every object store does, run on each of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from s3palette.storage import FolderStore, ObjectChanged, ObjectMissing, ObjectStore
from s3palette.testing import MemoryStore

KEY = "outputs/u_1/j_1/0_result.png"


@pytest.fixture(params=["folder", "memory", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    made: ObjectStore
    if request.param == "s3":
        made = request.getfixturevalue("make_s3")()
    else:
        made = FolderStore(tmp_path / "objects", "s" * 32, 60) if request.param == "folder" else MemoryStore()
    await made.prepare()
    return made


async def test_what_goes_in_comes_out(store: ObjectStore, tmp_path: Path) -> None:
    await store.put(KEY, b"\x00\xff" * 1000, "image/png")
    assert await store.get(KEY) == b"\x00\xff" * 1000
    await store.download(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"\x00\xff" * 1000


async def test_an_object_is_replaced(store: ObjectStore) -> None:
    await store.put(KEY, b"first", "image/png")
    await store.put(KEY, b"", "image/png")
    assert await store.get(KEY) == b""


async def test_what_is_not_there_is_missing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match=KEY):
        await store.get(KEY)
    with pytest.raises(ObjectMissing):
        await store.download(KEY, tmp_path / "copy")


async def test_what_a_folder_holds(store: ObjectStore) -> None:
    await store.put("inputs/u_1/j_1/0.jpg", b"abc", "image/jpeg")
    await store.put("inputs/u_1/j_1/1.jpg", b"", "image/jpeg")
    await store.put("inputs/u_1/j_10/0.jpg", b"not this job", "image/jpeg")
    found = await store.stat("inputs/u_1/j_1/")
    assert {key: info.size for key, info in found.items()} == {"inputs/u_1/j_1/0.jpg": 3, "inputs/u_1/j_1/1.jpg": 0}
    assert all(info.etag and '"' not in info.etag for info in found.values())
    assert await store.stat("inputs/u_2/j_9/") == {}


async def test_an_object_is_read_only_as_the_one_that_was_meant(store: ObjectStore, tmp_path: Path) -> None:
    await store.put(KEY, b"first", "image/png")
    meant = (await store.stat("outputs/u_1/j_1/"))[KEY].etag
    assert await store.get(KEY, meant) == b"first"
    await store.download(KEY, tmp_path / "copy", meant)
    assert (tmp_path / "copy").read_bytes() == b"first"
    await store.put(KEY, b"other", "image/png")
    with pytest.raises(ObjectChanged, match=KEY):
        await store.get(KEY, meant)
    with pytest.raises(ObjectChanged):
        await store.download(KEY, tmp_path / "copy", meant)
    assert await store.get(KEY) == b"other"
    assert await store.get(KEY, (await store.stat("outputs/u_1/j_1/"))[KEY].etag) == b"other"
    with pytest.raises(ObjectMissing):
        await store.get("outputs/u_1/j_1/1_result.png", meant)


async def test_addresses_are_absolute(store: ObjectStore) -> None:
    for address in (store.presign_put(KEY, "https://api.example"), store.presign_get(KEY, "https://api.example")):
        assert urlsplit(address).netloc
        assert KEY in urlsplit(address).path
    assert store.presign_put(KEY, "https://api.example") != store.presign_get(KEY, "https://api.example")


async def test_preparing_again_keeps_what_is_there(store: ObjectStore) -> None:
    await store.put(KEY, b"kept", "image/png")
    await store.prepare()
    assert await store.get(KEY) == b"kept"


@pytest.mark.parametrize("size", [0, 1, 12_000_000])
async def test_objects_of_any_size(store: ObjectStore, tmp_path: Path, size: int) -> None:
    await store.put(KEY, b"x" * size, "image/png")
    assert (await store.stat("outputs/u_1/j_1/"))[KEY].size == size
    await store.download(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == size


async def test_a_usable_store_passes_its_check(store: ObjectStore) -> None:
    await store.check()
