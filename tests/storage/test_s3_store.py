"""The S3 store against a real server: addresses, types, conditions, and every way to be refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from s3palette.storage import BadKey, ObjectChanged, ObjectMissing, StoreRefused, StoreUnavailable
from s3palette.storage import s3 as s3_store
from s3palette.storage.s3 import S3Store

from .._s3_proxy import bad_network

KEY = "inputs/u_1/j_1/0.jpg"
RESULT = "outputs/u_1/j_1/0_result.png"
ORIGIN = "https://app.example.com"
Make = Callable[..., S3Store]


@pytest.fixture
async def store(make_s3: Make) -> S3Store:
    made = make_s3()
    await made.prepare()
    return made


@pytest.fixture
def network(s3: Any) -> Any:
    with bad_network(s3.port) as made:
        yield made


@pytest.fixture
def checks_signatures(s3: Any) -> None:
    if s3.kind != "ceph":
        pytest.skip(f"{s3.kind} does not keep this promise of S3; install Ceph's gateway to see it kept")


async def test_clients_put_and_get_at_the_bucket_itself(store: S3Store, s3: Any) -> None:
    address = store.presign_put(KEY, "http://api.test")
    assert address.startswith(s3.endpoint)
    async with httpx.AsyncClient() as client:
        headers = {"Content-Type": "application/octet-stream"}
        assert (await client.put(address, content=b"photo", headers=headers)).status_code == 200
        got = await client.get(store.presign_get(KEY, "http://api.test"))
    assert (got.status_code, got.content) == (200, b"photo")
    assert await store.get(KEY) == b"photo"
    assert (await store.stat("inputs/u_1/j_1/"))[KEY].size == 5


FORGERIES: dict[str, Callable[[str], str]] = {
    "no signature": lambda url: url.partition("?")[0],
    "another signature": lambda url: url[:-64] + "0" * 64,
    "another object": lambda url: url.replace("/0.jpg", "/1.jpg"),
    "another job": lambda url: url.replace("/j_1/", "/j_2/"),
    "a longer life": lambda url: url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
}


@pytest.mark.usefixtures("checks_signatures")
@pytest.mark.parametrize("name", FORGERIES)
async def test_forged_addresses_are_refused(store: S3Store, name: str) -> None:
    await store.put(KEY, b"mine", "image/jpeg")
    put, get = FORGERIES[name](store.presign_put(KEY, "")), FORGERIES[name](store.presign_get(KEY, ""))
    async with httpx.AsyncClient() as client:
        assert (await client.put(put, content=b"theirs")).status_code == 403
        assert (await client.get(get)).status_code == 403
    assert {key: await store.get(key) for key in await store.stat("inputs/u_1/")} == {KEY: b"mine"}


@pytest.mark.usefixtures("checks_signatures")
async def test_an_address_is_good_for_one_thing(store: S3Store) -> None:
    await store.put(KEY, b"mine", "image/jpeg")
    async with httpx.AsyncClient() as client:
        assert (await client.put(store.presign_get(KEY, ""), content=b"theirs")).status_code == 403
        assert (await client.get(store.presign_put(KEY, ""))).status_code == 403
        assert (await client.delete(store.presign_put(KEY, ""))).status_code == 403
    assert await store.get(KEY) == b"mine"


@pytest.mark.usefixtures("checks_signatures")
async def test_an_address_expires(store: S3Store, make_s3: Make) -> None:
    await store.put(KEY, b"mine", "image/jpeg")
    brief = make_s3(ttl=1)
    put, get = brief.presign_put(KEY, ""), brief.presign_get(KEY, "")
    await asyncio.sleep(2.1)
    async with httpx.AsyncClient() as client:
        assert (await client.put(put, content=b"late")).status_code == 403
        assert (await client.get(get)).status_code == 403
    assert await store.get(KEY) == b"mine"


@pytest.mark.usefixtures("checks_signatures")
async def test_a_browser_is_told_what_the_key_says_and_not_what_was_uploaded(store: S3Store) -> None:
    async with httpx.AsyncClient() as client:
        page = {"Content-Type": "text/html"}
        assert (await client.put(store.presign_put(KEY, ""), content=b"<script>", headers=page)).is_success
        told = (await client.get(store.presign_get(KEY, ""))).headers
        assert told["content-type"] == "image/jpeg"
        forged = store.presign_get(KEY, "").replace("image%2Fjpeg", "text%2Fhtml")
        assert (await client.get(forged)).status_code == 403
        await store.put(RESULT, b"png", "image/png")
        assert (await client.head(store.presign_get(RESULT, ""))).status_code == 403
        assert (await client.get(store.presign_get(RESULT, ""))).headers["content-type"] == "image/png"


def test_making_addresses_asks_nobody() -> None:
    store = S3Store(
        endpoint="http://127.0.0.1:1",
        public_endpoint="https://photos.example:8443",
        access_key="key",
        secret_key="secret",
        bucket="album",
        region="eu-central-1",
        ttl=3600,
    )
    address = store.presign_put("sets/u_1/j_1/시안3안팩.zip", "http://api.test")
    assert address.startswith("https://photos.example:8443/album/sets/u_1/j_1/%EC%8B%9C")
    assert "eu-central-1" in address
    assert "X-Amz-Expires=3600" in address


@pytest.mark.parametrize("key", ["", "inputs", "/inputs/u/j/0.jpg", "inputs/../x", "other/u/j", "inputs/u/j/0 1.jpg"])
async def test_other_keys_are_refused_everywhere(make_s3: Make, key: str, tmp_path: Any) -> None:
    store = make_s3()
    for call in (store.presign_put, store.presign_get):
        with pytest.raises(BadKey):
            call(key, "")
    for attempt in (store.get(key), store.put(key, b"", ""), store.stat(key), store.download(key, tmp_path / "x")):
        with pytest.raises(BadKey):
            await attempt


async def test_the_bucket_is_made_once(make_s3: Make) -> None:
    store = make_s3()
    with pytest.raises(StoreRefused, match="does not exist; check S3P_S3_BUCKET"):
        await store.check()
    await asyncio.gather(*(make_s3().prepare() for _ in range(3)))
    await store.check()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"secret_key": "not-the-secret"}, "check S3P_S3_ACCESS_KEY, S3P_S3_SECRET_KEY"),
        ({"access_key": "nobody"}, "check S3P_S3_ACCESS_KEY, S3P_S3_SECRET_KEY"),
    ],
)
async def test_wrong_keys_are_the_operators_to_correct(make_s3: Make, wrong: dict[str, str], says: str) -> None:
    store = make_s3(**wrong)
    for attempt in (store.check(), store.prepare(), store.put(RESULT, b"x", "image/png"), store.stat("inputs/u_1/")):
        with pytest.raises(StoreRefused, match=says):
            await attempt


async def test_a_server_without_if_match_is_seen_through(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.put(RESULT, b"first", "image/png")
    meant = (await store.stat("outputs/u_1/j_1/"))[RESULT].etag
    await store.put(RESULT, b"other", "image/png")
    ask = store._objects.get_object
    monkeypatch.setattr(store._objects, "get_object", lambda bucket, key, **_: ask(bucket, key))
    with pytest.raises(ObjectChanged):
        await store.get(RESULT, meant)


async def test_calls_that_hang_share_few_threads_and_leave_the_loop_free(network: Any, make_s3: Make) -> None:
    await make_s3().prepare()
    store, keys = make_s3(endpoint=network.endpoint), [f"outputs/u_1/j_1/{n}_result.png" for n in range(48)]
    network.delay_s = 60
    puts = [asyncio.create_task(store.put(key, b"x", "image/png")) for key in keys]
    async with asyncio.timeout(10):
        while network.waiting < 16:  # noqa: ASYNC110 - it counts in a thread of its own
            await asyncio.sleep(0.01)
    assert not any(put.done() for put in puts)
    assert network.waiting == len(store._threads._threads) == 16
    network.delay_s = 0
    network.down()
    network.up()
    await asyncio.gather(*puts)
    assert list(await store.stat("outputs/u_1/j_1/")) == sorted(keys)


async def test_a_store_that_is_overloaded_for_a_moment_is_asked_again(
    store: S3Store, network: Any, make_s3: Make
) -> None:
    behind = make_s3(endpoint=network.endpoint)
    network.busy = 2
    await behind.put(RESULT, b"x", "image/png")
    network.busy = 2
    assert await behind.get(RESULT) == b"x"
    assert network.refused == 4
    with pytest.raises(ObjectMissing):
        await behind.get(KEY)


async def test_a_store_that_stays_overloaded_or_down_is_unavailable(make_s3: Make, network: Any) -> None:
    behind = make_s3(endpoint=network.endpoint)
    network.busy = 1000
    with pytest.raises(StoreUnavailable, match="does not answer: too many 503"):
        await behind.stat("inputs/u_1/j_1/")
    network.down()
    with pytest.raises(StoreUnavailable, match="refused"):
        await behind.check()
    network.busy = 0
    network.up()
    await behind.prepare()
    await behind.check()


async def test_a_question_without_an_answer_is_given_up(
    make_s3: Make, network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 1 <= s3_store._ANSWER_WITHIN_S < 10  # clients give up after 10 s
    monkeypatch.setattr(s3_store, "_ANSWER_WITHIN_S", 0.5)
    network.delay_s = 60
    with pytest.raises(StoreUnavailable, match="did not answer within"):
        await make_s3(endpoint=network.endpoint).stat("inputs/u_1/j_1/")


async def test_what_is_no_object_store_is_said_to_be_none(make_s3: Make) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno")
        writer.close()

    server = await asyncio.start_server(page, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(StoreRefused, match=r"does not answer as S3 does .*404.*: check S3P_S3_ENDPOINT"):
            await make_s3(endpoint=f"http://127.0.0.1:{port}").stat("inputs/u_1/j_1/")


@pytest.mark.usefixtures("checks_signatures")
async def test_the_documented_cors_rule_lets_a_page_put_and_get(store: S3Store) -> None:
    page = (Path(__file__).parents[2] / "docs" / "storage.md").read_text("utf-8")
    rule = page.partition("```xml\n")[2].partition("```")[0].encode()
    digest = base64.b64encode(hashlib.md5(rule).digest()).decode()
    store._objects._execute("PUT", store._bucket, body=rule, headers={"Content-MD5": digest}, query_params={"cors": ""})
    put, get = store.presign_put(KEY, ""), store.presign_get(KEY, "")
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    async with httpx.AsyncClient(headers={"Origin": ORIGIN}) as client:
        preflight = await client.options(put, headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
        sent = await client.put(put, content=b"photo", headers={"Content-Type": "application/octet-stream"})
        got = await client.get(get)
        assert [answer.headers.get("access-control-allow-origin") for answer in (sent, got)] == [ORIGIN, ORIGIN]
        other = await client.options(put, headers={**asked, "Origin": "https://elsewhere.example"})
        assert "access-control-allow-origin" not in other.headers
