"""Both clients over a real wire that fails now and then, and the ways out: Ctrl-C, cancellation."""

from __future__ import annotations

import asyncio
import inspect
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from s3palette.client import AsyncClient, Client, NewJob, Progress, Upload, errors

from ._server import FaultyServer, serve

RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}


class Blocking:
    """AsyncClient as if it were Client, so that one test is for both."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncClient(*args, **options)

    def __enter__(self) -> Blocking:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        return (lambda *args, **options: self._runner.run(member(*args, **options))) if callable(member) else member


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyServer]:
    with serve(tmp_path_factory.mktemp("palette")) as server:
        yield server


@pytest.fixture
def server(running: FaultyServer) -> Iterator[FaultyServer]:
    yield running
    running.faults.planned.clear()
    running.faults.seen.clear()


@pytest.fixture(params=[Client, Blocking], ids=["sync", "async"])
def client(request: pytest.FixtureRequest, server: FaultyServer) -> Iterator[Any]:
    with request.param(server.url, timeout_s=5.0) as made:
        yield made


def statuses(server: FaultyServer, client: Any) -> list[str]:
    """Of the user's jobs."""
    answer = httpx.get(f"{server.url}/jobs", headers={"Authorization": f"Bearer {client.token}"})
    return [job["status"] for job in answer.json()["data"]]


def test_both_clients_have_the_same_calls() -> None:
    def surface(cls: type) -> dict[str, list[str]]:
        return {
            name: [f"{each.name}: {each.annotation}" for each in inspect.signature(member).parameters.values()]
            for name, member in vars(cls).items()
            if not name.startswith("_") and callable(member) and "close" not in name
        }

    assert surface(Client) == surface(AsyncClient)


def test_two_broken_photos_of_five_fail_alone(client: Any, tmp_path: Path) -> None:
    photos = [b"one", b"broken 1", tmp_path / "three.jpg", b"broken 2", bytes(range(256)) * 4000]
    (tmp_path / "three.jpg").write_bytes(b"three" * 200_000)
    result = client.run(photos, "interior", RULE, masks=True)
    assert [photo.error for photo in result.photos] == [
        None, "The file is not an image.", None, "The file is not an image.", None
    ]  # fmt: skip
    delivered = [photo.output.read() for photo in result.photos if photo.output]
    assert delivered == [b"one", b"three" * 200_000, photos[4]]
    assert result.photos[0].masks["Floor"].read() == b"mask"
    assert [path.name for path in result.save(tmp_path / "out")] == [
        "000_photo_result.png", "three_result.png", "004_photo_result.png"
    ]  # fmt: skip
    assert (client.me().credits, client.me().concurrent_jobs) == (7, 0)


def test_a_saved_rule_is_kept_changed_used_and_deleted(client: Any) -> None:
    client.sign_up()
    walls = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
    saved = client.create_rule("Walls", "interior", walls, protect=["Grout"])
    other = client.create_rule("Floors", "interior", RULE)
    assert [rule.id for rule in client.rules()] == [other.id, saved.id]
    changed = client.update_rule(saved.id, name="Walls too", protect=[])
    assert (changed.name, changed.concepts, changed.protect) == ("Walls too", walls, [])
    assert client.rule(saved.id) == changed
    result = client.run([b"one", b"two"], "interior", saved.id, references={"Wall": 1}, refinements={0: {}})
    assert result.ok
    client.delete_rule(saved.id)
    assert [rule.id for rule in client.rules()] == [other.id]


def test_what_names_nothing_is_refused_before_any_request(client: Any) -> None:
    with pytest.raises(ValueError, match="references: a place in the album is a whole number from 0, not '1'"):
        client.run([b"one", b"two"], "interior", RULE, references={"Wall": "1"})
    with pytest.raises(ValueError, match="the id of one of the rules is empty"):
        client.delete_rule("")
    assert client.token is None


def test_a_reference_that_is_broken_fails_the_album(client: Any) -> None:
    result = client.run([b"one", b"broken"], "interior", {}, references={"Wall": 1})
    why = "The file is not an image."
    assert [photo.error for photo in result.photos] == [
        f"photo 1 sets the colour of Wall, and it failed: {why}", why,
    ]  # fmt: skip
    assert client.me().credits == 10


EVERY_STEP = [
    ("POST", "/auth/anon"), ("POST", "/jobs"), ("PUT", "/storage"), ("POST", "/confirm-upload"), ("POST", "/execute"),
    ("GET", "/jobs/"), ("GET", "/storage"),
]  # fmt: skip


@pytest.mark.parametrize("kinds", [["lose"], ["drop", "lose", "busy"]], ids="-".join)
def test_a_fault_at_every_step_changes_nothing(client: Any, server: FaultyServer, kinds: list[Any]) -> None:
    for step in EVERY_STEP:
        server.faults.planned[step] = list(kinds)
    result = client.run([b"one", b"two"], "interior", RULE)
    assert [photo.output.read() for photo in result.photos] == [b"one", b"two"]
    assert not any(server.faults.planned.values())
    me = client.me()
    assert (me.credits, me.concurrent_jobs) == (8, 0)
    assert statuses(server, client) == ["done"]


def test_a_slow_server_is_asked_again(server: FaultyServer) -> None:
    server.faults.planned["POST", "/jobs"] = ["slow"]
    with Client(server.url, timeout_s=0.2) as client:
        client.sign_up()
        assert client.run([b"one"], "interior", RULE).ok
        assert statuses(server, client) == ["done"]


def test_a_stale_token_is_renewed(client: Any, server: FaultyServer) -> None:
    user = client.sign_up("this-device").user_id
    (client if isinstance(client, Client) else client._client)._api.token = "stale"
    assert client.run([b"one"], "interior", RULE).ok
    assert client.me().user_id == user


def test_a_token_that_was_given_is_not(server: FaultyServer) -> None:
    with Client(server.url, "stale") as client, pytest.raises(errors.TokenInvalid):
        client.run([b"one"], "interior", RULE)


def test_an_expired_address_is_renewed(client: Any) -> None:
    client.sign_up()
    new = client.create_job("interior", 1)
    stale = NewJob(new.job_id, (Upload(0, new.uploads[0].url.replace("expires=", "expires=1"), new.uploads[0].key),))
    client.upload(stale, [b"photo"])
    client.confirm(new.job_id)


def test_a_download_is_whole_or_not_there(client: Any, tmp_path: Path) -> None:
    client.sign_up()
    result = client.run([b"x" * 700_000], "interior", RULE, save_to=tmp_path)
    assert result.photos[0].output.source.read_bytes() == b"x" * 700_000
    with pytest.raises(errors.Forbidden):
        client.download(client.job(result.job_ids[0]).downloads[0].output_url + "0", tmp_path / "m.png")
    assert [path.name for path in tmp_path.iterdir()] == ["photo_result.png"]


def test_nobody_there_is_said_soon() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(httpx.ConnectError):
        client.run([b"one"], "interior", RULE)


def test_a_photo_that_cannot_be_read_stops_the_others_and_cancels(
    client: Any, server: FaultyServer, tmp_path: Path
) -> None:
    photo = tmp_path / "p.jpg"
    photo.write_bytes(b"x")

    def vanish(told: Progress) -> None:
        photo.unlink(missing_ok=True)

    with pytest.raises(FileNotFoundError):
        client.run([b"one", photo], "interior", RULE, progress=vanish)
    assert statuses(server, client) == ["canceled"]
    assert client.me().credits == 10


async def test_a_task_that_is_canceled_cancels_its_job(server: FaultyServer) -> None:
    async with AsyncClient(server.url) as client:
        await client.sign_up()
        under_way = asyncio.Event()
        run = asyncio.create_task(client.run([b"stuck"], "interior", RULE, progress=lambda t: _on_edit(t, under_way)))
        await under_way.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        me = await client.me()
    assert (me.credits, me.concurrent_jobs) == (10, 0)


def _on_edit(told: Progress, under_way: asyncio.Event) -> None:
    if told.phase == "edit":
        under_way.set()


SCRIPT = f"""
import sys
from s3palette.client import Client
with Client(sys.argv[1], sys.argv[2]) as client:
    client.run([b"stuck"], "interior", {RULE!r}, progress=lambda told: print(told.phase, flush=True))
"""


def test_ctrl_c_cancels_the_job(server: FaultyServer) -> None:
    with Client(server.url) as client:
        token = client.sign_up().token
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, server.url, token],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout is not None
            for line in program.stdout:
                if line.strip() == "edit":
                    break
            program.send_signal(signal.SIGINT)
            _, told = program.communicate(timeout=30)
        assert "KeyboardInterrupt" in told
        assert (client.me().credits, client.me().concurrent_jobs) == (10, 0)


def test_the_bar_is_drawn_for_people(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    client.run([b"one", b"broken"], "interior", RULE, progress=True)
    drawn = capsys.readouterr().err
    assert [word in drawn for word in ("Uploading", "Editing", "Downloading", "2/2")] == [True] * 4


BLOCKED = ("ray", "numpy", "cv2", "fastapi", "starlette", "pydantic", "actors", "engine", "event_store")


def test_the_client_needs_nothing_of_the_server() -> None:
    code = f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r})); import s3palette.client"
    subprocess.run([sys.executable, "-c", code], check=True)
