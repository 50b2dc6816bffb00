"""events show and tail: on a log that nobody has open, and on one that grows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from event_store import Append, NewEvent, SqliteEventStore
from s3palette.cli import app
from s3palette.cli.events import near
from s3palette.settings import load_settings

STREAMS = ("user-u_1", "job-j_1", "user-u_2")


def event(number: int) -> NewEvent:
    data = {"at": "2026-01-02T03:04:05Z", "amount": number, "reason": "gift", "nested": {"a": [1]}, "none": None}
    return NewEvent(f"e{number}", "CreditsGranted", 1, json.dumps(data).encode(), b'{"command_id":"c"}')


async def _write(path: Path, *steps: tuple[str, int, float], first: int) -> None:
    now = 0.0
    store = await SqliteEventStore.open(path, clock=lambda: now)
    for number, (stream, at, now) in enumerate(steps, first):  # noqa: B007 - the clock reads `now`
        await store.append(Append(stream, at, [event(number)]))
    await store.close()


def write(path: Path, *steps: tuple[str, int, float], first: int = 1) -> None:
    """Append one event a step (stream, version it is at, time)."""
    asyncio.run(_write(path, *steps, first=first))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def log(data_dir: Path) -> Path:
    path = load_settings(data_dir=data_dir).log_path
    steps = [(stream, version, 100.0 * version) for version in range(3) for stream in STREAMS]
    write(path, *steps)
    return path


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["events", *arguments, "--data-dir", str(data_dir)])


def versions(output: str) -> list[int]:
    return [json.loads(line)["version"] for line in output.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [1, 2, 3]),
        (["--upto", "2"], [1, 2]),
        (["--until", "1970-01-01T00:01:40Z"], [1, 2]),
        (["--until", "1970-01-01"], [1]),
        (["--until", "1969-01-01"], []),
    ],
)
def test_show_prints_a_stream_up_to_a_version_or_a_time(
    log: Path, data_dir: Path, options: Sequence[str], expected: list[int]
) -> None:
    shown = run(data_dir, "show", "user-u_1", "--json", *options)
    assert shown.exit_code == 0
    assert versions(shown.output) == expected


def test_show_prints_one_readable_line_an_event(log: Path, data_dir: Path) -> None:
    lines = run(data_dir, "show", "user-u_2").output.splitlines()
    assert len(lines) == 3
    assert lines[0].split() == [
        "1", "1970-01-01T00:00:00.000000Z", "CreditsGranted", "amount=3", "reason=gift", 'nested={"a":[1]}',
    ]  # fmt: skip


def test_json_has_every_column(log: Path, data_dir: Path) -> None:
    (first, *_) = map(json.loads, run(data_dir, "show", "job-j_1", "--json").output.splitlines())
    assert first["stream"] == "job-j_1"
    assert first["global_position"] == 2
    assert first["data"]["amount"] == 2
    assert first["metadata"] == {"command_id": "c"}
    assert len(bytes.fromhex(first["hash"])) == 32


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ("u_1", "There is no stream u_1. Near it: user-u_1."),
        ("usr-u_1", "There is no stream usr-u_1. Near it: user-u_1"),
        ("zzzzzz", "There is no stream zzzzzz. There are 3, such as job-j_1."),
    ],
)
def test_an_unknown_stream_is_answered_with_near_ones(log: Path, data_dir: Path, stream: str, said: str) -> None:
    shown = run(data_dir, "show", stream)
    assert shown.exit_code == 1
    assert shown.stderr.startswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "user-u_1", "--until", "noon"], "'noon' is not an ISO-8601 time"),
        (["show", "x", "--upto", "0"], "greater than or equal to 1"),
    ],
)
def test_a_wrong_option_is_refused(log: Path, data_dir: Path, arguments: list[str], said: str) -> None:
    shown = run(data_dir, *arguments)
    assert shown.exit_code != 0
    assert said in shown.stderr


def test_without_a_log_it_says_so_and_makes_none(data_dir: Path) -> None:
    shown = run(data_dir, "tail")
    assert shown.exit_code == 1
    assert "There is no event log in" in shown.stderr
    assert not (data_dir / "log.sqlite3").exists()


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [9]), (4, [6, 7, 8, 9]), (9, [*range(1, 10)]), (99, [*range(1, 10)])]
)
def test_tail_prints_the_newest_in_order(log: Path, data_dir: Path, count: int, expected: list[int]) -> None:
    lines = run(data_dir, "tail", "-n", str(count), "--json").output.splitlines()
    assert [json.loads(line)["global_position"] for line in lines] == expected


def test_tail_names_the_stream(log: Path, data_dir: Path) -> None:
    (line,) = run(data_dir, "tail", "-n", "1").output.splitlines()
    assert line.split()[:2] == ["user-u_2", "3"]


def test_tail_of_an_empty_log(data_dir: Path) -> None:
    write(load_settings(data_dir=data_dir).log_path)
    shown = run(data_dir, "tail")
    assert (shown.exit_code, shown.output) == (0, "")


def test_following_prints_what_is_recorded_later(log: Path, data_dir: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "s3palette",
        "events",
        "tail",
        "-f",
        "-n",
        "1",
        "--json",
        "--data-dir",
        str(data_dir),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["global_position"] == 9
        write(log, ("job-j_2", 0, 900.0), first=10)
        assert json.loads(tail.stdout.readline())["stream"] == "job-j_2"
        tail.terminate()


def test_near_prefers_names_that_contain_the_text() -> None:
    names = [f"user-u_{k}" for k in range(20)]
    assert near("u_1", names) == ["user-u_1", "user-u_10", "user-u_11", "user-u_12", "user-u_13"]
    assert near("nothing like it", names) == []
