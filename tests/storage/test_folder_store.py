"""The folder store: keys, whole-or-nothing writes, and every way to forge an address."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3palette.settings import load_settings
from s3palette.storage import (
    AddressRefused,
    BadKey,
    FolderStore,
    ObjectChanged,
    ObjectMissing,
    ObjectTooLarge,
    open_store,
)
from s3palette.storage.keys import checked_key
from s3palette.storage.signing import AddressSigner
from s3palette.testing import FakeClock

KEY = "inputs/u_1/j_1/0.jpg"
BASE = "http://host"
SECRETS = ("jwt_secret", "callback_secret", "device_key", "storage_secret")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> FolderStore:
    return FolderStore(tmp_path / "objects", "s" * 32, 3600, clock.timestamp)


def parts(address: str) -> tuple[str, dict[str, str]]:
    split = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    return unquote(split.path.removeprefix("/storage/")), query


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        "outputs/u_1/j_1/199_result.png",
        "masks/u_1/j_1/0_Frame_Molding.png",
        "sets/u_1/j_1/시안3안팩.zip",
        "previews/u_1/j_1/0_thumb.jpg",
    ],
)
def test_keys_of_objects_are_accepted(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "inputs",
        "inputs/",
        "/inputs/u/j/0.jpg",
        "inputs//j/0.jpg",
        "inputs/../secrets/jwt_secret",
        "inputs/u/../../../etc/passwd",
        "inputs/./j/0.jpg",
        "inputs/.hidden",
        "inputs/u\\..\\x",
        "inputs/u/j/0.jpg\x00.png",
        "inputs/u/j/0.jpg\n",
        "inputs/u/j/0 1.jpg",
        "secrets/jwt_secret",
        ".drafts/abc",
        "inputs/" + "a" * 201,
        "inputs/" + "가" * 67,
        "inputs/" + "/".join("a" * 100 for _ in range(6)),
        "inputs/" + "/".join("a" * 7),
        "inputs/\ud800",
    ],
)
async def test_other_keys_are_refused_everywhere(store: FolderStore, key: str) -> None:
    for call in (store.presign_put, store.presign_get):
        with pytest.raises(BadKey):
            call(key, BASE)
    for attempt in (store.get(key), store.put(key, b"", ""), store.locate(key), store.download(key, Path("x"))):
        with pytest.raises(BadKey):
            await attempt


@given(st.text(max_size=40))
def test_no_accepted_key_leaves_the_root(tail: str) -> None:
    key = f"inputs/{tail}"
    try:
        checked_key(key)
    except BadKey:
        return
    assert os.path.normpath(key) == key
    assert "\x00" not in key


@pytest.mark.parametrize("op", ["put", "get"])
def test_an_address_allows_what_it_says_until_it_expires(store: FolderStore, clock: FakeClock, op: str) -> None:
    key, query = parts(store.presign_put(KEY, BASE) if op == "put" else store.presign_get(KEY, BASE))
    assert key == KEY
    store.addresses.check(op, key, query)  # type: ignore[arg-type]
    clock.advance(timedelta(seconds=3599))
    store.addresses.check(op, key, query)  # type: ignore[arg-type]
    clock.advance(timedelta(seconds=1))
    with pytest.raises(AddressRefused, match="expired"):
        store.addresses.check(op, key, query)  # type: ignore[arg-type]


def test_a_key_of_another_script_survives_its_address(store: FolderStore) -> None:
    key, query = parts(store.presign_get("sets/u_1/j_1/시안3안팩.zip", BASE))
    store.addresses.check("get", key, query)


FORGERIES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no signature": lambda q: {**q, "sig": ""},
    "nothing": lambda q: {},
    "another signature": lambda q: {**q, "sig": "0" * 64},
    "a signature cut short": lambda q: {**q, "sig": q["sig"][:-1]},
    "a longer signature": lambda q: {**q, "sig": q["sig"] + "0"},
    "upper case": lambda q: {**q, "sig": q["sig"].upper()},
    "not ASCII": lambda q: {**q, "sig": "é" * 64},
    "a lone surrogate": lambda q: {**q, "sig": "\ud800"},
    "a later expiry": lambda q: {**q, "expires": str(int(q["expires"]) + 1)},
    "the same expiry written otherwise": lambda q: {**q, "expires": "0" + q["expires"]},
    "an expiry that is no number": lambda q: {**q, "expires": "never"},
    "no expiry": lambda q: {**q, "expires": ""},
    "an infinite expiry": lambda q: {**q, "expires": "9" * 5000},
    "another operation": lambda q: {**q, "op": "get"},
    "no operation": lambda q: {name: value for name, value in q.items() if name != "op"},
    "an expiry with a line of the key": lambda q: {**q, "expires": "\n" + q["expires"]},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_refused(store: FolderStore, name: str) -> None:
    _, query = parts(store.presign_put(KEY, BASE))
    with pytest.raises(AddressRefused, match="not signed"):
        store.addresses.check("put", KEY, FORGERIES[name](query))


def test_an_address_is_bound_to_method_key_and_secret(store: FolderStore, clock: FakeClock) -> None:
    _, put = parts(store.presign_put(KEY, BASE))
    _, get = parts(store.presign_get(KEY, BASE))
    stranger = AddressSigner("t" * 32, 3600, clock.timestamp)
    for check, op, key, query in (
        (store.addresses.check, "get", KEY, put),
        (store.addresses.check, "get", KEY, {**put, "op": "get"}),
        (store.addresses.check, "put", KEY, get),
        (store.addresses.check, "put", KEY, {**get, "op": "put"}),
        (store.addresses.check, "put", "inputs/u_1/j_1/1.jpg", put),
        (stranger.check, "put", KEY, put),
    ):
        with pytest.raises(AddressRefused):
            check(op, key, query)  # type: ignore[arg-type]


async def test_an_upload_in_pieces_appears_only_when_committed(store: FolderStore, tmp_path: Path) -> None:
    async with store.incoming(KEY, limit=5_000_000) as upload:
        for _ in range(3):
            await upload.write(b"x" * 700_000)
        assert await store.stat("inputs/u_1/j_1/") == {}
        await upload.commit()
    assert {key: info.size for key, info in (await store.stat("inputs/u_1/j_1/")).items()} == {KEY: 2_100_000}
    assert list((tmp_path / "objects" / ".drafts").iterdir()) == []


async def test_an_upload_past_its_limit_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    await store.put(KEY, b"older", "image/jpeg")

    async def send_eleven_bytes() -> None:
        async with store.incoming(KEY, limit=10) as upload:
            await upload.write(b"x" * 10)
            await upload.write(b"x")

    with pytest.raises(ObjectTooLarge):
        await send_eleven_bytes()
    assert await store.get(KEY) == b"older"
    assert list((tmp_path / "objects" / ".drafts").iterdir()) == []


async def test_a_cancelled_upload_leaves_nothing(store: FolderStore, tmp_path: Path) -> None:
    started = asyncio.Event()

    async def upload_and_hang() -> None:
        async with store.incoming(KEY, limit=4_000_000) as upload:
            await upload.write(bytes(3_000_000))  # more than is kept back: there is a draft on disk
            assert len(list((tmp_path / "objects" / ".drafts").iterdir())) == 1
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload_and_hang())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.stat("inputs/u_1/j_1/") == {}
    assert list((tmp_path / "objects" / ".drafts").iterdir()) == []


async def test_uploads_of_one_key_side_by_side_do_not_mix(store: FolderStore) -> None:
    await asyncio.gather(*(store.put(KEY, bytes([n]) * 100_000, "image/jpeg") for n in range(8)))
    assert len(set(await store.get(KEY))) == 1


async def test_a_folder_is_no_object(store: FolderStore) -> None:
    await store.put(KEY, b"x", "image/jpeg")
    for attempt in (store.get("inputs/u_1"), store.locate("inputs/u_1"), store.get(f"{KEY}/0.jpg")):
        with pytest.raises(ObjectMissing):
            await attempt


async def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        await FolderStore(tmp_path / "file", "s" * 32, 60).check()


async def test_old_drafts_are_swept_and_young_ones_stay(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, **dict.fromkeys(SECRETS, "s" * 32))
    drafts = settings.objects_dir / ".drafts"
    drafts.mkdir(parents=True)
    (drafts / "old").write_text("")
    (drafts / "young").write_text("")
    os.utime(drafts / "old", (time.time() - 90_000,) * 2)
    store = open_store(settings)
    await store.prepare()
    assert [draft.name for draft in drafts.iterdir()] == ["young"]
    await store.check()


@pytest.mark.parametrize(
    ("error", "says"),
    [(ObjectMissing, f"no object under {KEY}"), (ObjectChanged, f"the object under {KEY} was changed")],
)
def test_errors_about_an_object_survive_pickling(error: type[ObjectMissing] | type[ObjectChanged], says: str) -> None:
    copy = pickle.loads(pickle.dumps(error(KEY)))
    assert (type(copy), copy.key, str(copy)) == (error, KEY, says)


async def test_the_same_bytes_sent_again_are_another_object(store: FolderStore) -> None:
    etags = set()
    for _ in range(20):  # within one tick of the kernel's clock
        await store.put(KEY, b"same", "image/jpeg")
        etags.add((await store.stat("inputs/u_1/j_1/"))[KEY].etag)
    assert len(etags) == 20


async def test_a_store_copied_to_another_disk_keeps_its_etags(store: FolderStore, tmp_path: Path) -> None:
    await store.put(KEY, b"photo", "image/jpeg")
    shutil.copytree(tmp_path / "objects", tmp_path / "copy")
    copy = FolderStore(tmp_path / "copy", "s" * 32, 3600)
    assert await copy.stat("inputs/u_1/j_1/") == await store.stat("inputs/u_1/j_1/") != {}
