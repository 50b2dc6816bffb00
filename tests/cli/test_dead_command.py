"""dead list: what the outbox gave up, in words; retry needs a running system."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from event_store import Append, OutboxRow, SqliteEventStore
from s3palette.cli import app
from s3palette.domain.codec import encode_effect
from s3palette.domain.job import CancelJob
from s3palette.domain.model import Address, OfferPhotos, RunPhoto, Tell

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(name: str, kind: str, payload: bytes, **more: float | None) -> OutboxRow:
    return OutboxRow(name, "job-j_1", 0, kind, payload, AT.timestamp(), 3, "no route", AT.timestamp(), **more)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A log with one row of each kind dead and one owed."""
    tell = encode_effect(Tell(Address("user", "u_1"), CancelJob(at=AT, user_id="u_1")))[1]
    photo = encode_effect(RunPhoto(3, 2, AT))[1]
    rows = [
        row(name, kind, payload, dead_at=AT.timestamp() + number)
        for number, (name, kind, payload) in enumerate(
            [("t", "tell", b"\n" + tell), ("p", "task", b"\n" + photo), ("a", "alarm", b""), ("x", "tell", b"junk")]
        )
    ]

    async def write() -> None:
        log = await SqliteEventStore.open(tmp_path / "log.sqlite3")
        await log.append(Append("job-j_1", 0, put=[*rows, row("owed", "alarm", b"", dead_at=None)]))
        await log.close()

    asyncio.run(write())
    return tmp_path


def test_an_offer_says_how_many_photos_it_was(tmp_path: Path) -> None:
    offer = encode_effect(OfferPhotos((0, 2), 3))[1]

    async def write() -> None:
        log = await SqliteEventStore.open(tmp_path / "log.sqlite3")
        await log.append(Append("job-j_1", 0, put=[row("o", "offer", b"\n" + offer, dead_at=AT.timestamp())]))
        await log.close()

    asyncio.run(write())
    assert (
        "o  offer of 2 photos of job-j_1 to the engine outside, attempt 3"
        in dead("list", "--data-dir", str(tmp_path))[1]
    )


def dead(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["dead", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_list_says_what_each_was_about(data_dir: Path) -> None:
    code, told = dead("list", "--data-dir", str(data_dir))
    assert code == 0
    assert told.splitlines() == [
        "t  CancelJob from job-j_1 to user-u_1  dead since 2026-01-02T03:04:05Z, attempts: 3",
        "  no route",
        "p  photo 3 of job-j_1, attempt 2  dead since 2026-01-02T03:04:06Z, attempts: 3",
        "  no route",
        "a  alarm of job-j_1  dead since 2026-01-02T03:04:07Z, attempts: 3",
        "  no route",
        "x  unreadable tell of job-j_1  dead since 2026-01-02T03:04:08Z, attempts: 3",
        "  no route",
        "4 dead; 's3palette dead retry ID' has one tried again.",
    ]


def test_the_list_for_machines(data_dir: Path) -> None:
    _, told = dead("list", "--json", "--data-dir", str(data_dir))
    facts = [json.loads(line) for line in told.splitlines()]
    assert [each["id"] for each in facts] == ["t", "p", "a", "x"]
    assert facts[0] == {
        "id": "t",
        "stream": "job-j_1",
        "kind": "tell",
        "what": "CancelJob from job-j_1 to user-u_1",
        "attempts": 3,
        "error": "no route",
        "owed_at": "2026-01-02T03:04:05Z",
        "dead_at": "2026-01-02T03:04:05Z",
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["list"], "There is no event log in"),
        (["retry", "--all"], "Nothing runs on"),
        (["retry"], "Name the dead letters to retry, or give --all."),
        (["retry", "a", "--all"], "Name the dead letters to retry, or give --all."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, arguments: list[str], why: str) -> None:
    code, told = dead(*arguments, "--data-dir", str(tmp_path / "none"))
    assert (code, len(told.splitlines())) == (1, 1)
    assert told.startswith(why)
    assert not (tmp_path / "none").exists()
