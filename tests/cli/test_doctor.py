"""doctor: one line a check, exit code 1 when something has to be mended."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.ports import free_port
from event_store import Append, OutboxRow, SqliteEventStore
from s3palette.cli import app
from s3palette.cli._checks import CHECKS

LOG_V1 = Path(__file__).parents[1] / "event_store" / "golden" / "log_v1.sql"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("S3P_HTTP_PORT", str(free_port()))


def doctor(data_dir: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and check -> (level, sentence)."""
    result = CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(data_dir)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    told = json.loads(result.output)
    assert told["ok"] == (result.exit_code == 0)
    return result.exit_code, {check["check"]: (check["level"], check["sentence"]) for check in told["checks"]}


def test_a_plain_machine_is_well(tmp_path: Path) -> None:
    code, found = doctor(tmp_path / "new")
    assert list(found) == list(CHECKS)
    assert all(sentence.endswith(".") for _, sentence in found.values())
    assert code == 0, found
    assert "classical engine" in found["engine"][1]
    assert found["SAM 3"][0] == "ok"


def test_a_port_that_is_taken_has_to_be_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("S3P_HTTP_PORT", str(other.getsockname()[1]))
        code, found = doctor(tmp_path)
    assert code == 1
    assert found["port"][0] == "fail"
    assert "S3P_HTTP_PORT" in found["port"][1]


def test_a_log_that_is_no_log_has_to_be_mended(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite3").write_bytes(b"no database" * 100)
    code, found = doctor(tmp_path)
    assert (code, found["event log"][0]) == (1, "fail")


def test_a_bucket_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = {"ENDPOINT": f"http://127.0.0.1:{free_port()}", "ACCESS_KEY": "k", "SECRET_KEY": "s", "BUCKET": "album"}
    monkeypatch.setenv("S3P_STORE", "s3")
    for name, value in bucket.items():
        monkeypatch.setenv(f"S3P_S3_{name}", value)
    code, found = doctor(tmp_path)
    assert (code, found["object store"][0]) == (1, "fail")
    assert "refused" in found["object store"][1]


def test_a_newer_log_has_to_be_mended_and_an_older_one_is_fine(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite3"
    with closing(sqlite3.connect(log)) as older:
        older.executescript(LOG_V1.read_text())
    (tmp_path / "secrets").mkdir(mode=0o700)
    key = tmp_path / "secrets" / "device_key"
    key.write_text("k" * 64)
    key.chmod(0o600)
    code, found = doctor(tmp_path)
    assert (code, found["event log"][0]) == (0, "ok")
    assert "10 events in schema 1; the next start upgrades it to 2" in found["event log"][1]
    with closing(sqlite3.connect(log)) as newer:
        newer.execute("PRAGMA user_version = 9")
    code, found = doctor(tmp_path)
    assert (code, found["event log"][0]) == (1, "fail")
    assert "update the program" in found["event log"][1]


def test_dead_letters_are_pointed_at(tmp_path: Path) -> None:
    async def write() -> None:
        log = await SqliteEventStore.open(tmp_path / "log.sqlite3")
        await log.append(Append("a", 0, put=[OutboxRow("o", "a", 0, "tell", b"", 1.0, dead_at=2.0)]))
        await log.close()

    asyncio.run(write())
    _, found = doctor(tmp_path)
    assert found["dead letters"] == ("warn", "1 messages failed for good; see 's3palette dead list'.")


@pytest.mark.parametrize(
    ("content", "mode", "level", "why"),
    [
        ("s" * 64, 0o600, "ok", "their owner's alone"),
        ("s" * 64, 0o644, "warn", "can be read by others; run 'chmod"),
        ("short", 0o600, "fail", "too short; delete the file"),
    ],
)
def test_secrets_are_looked_at(tmp_path: Path, content: str, mode: int, level: str, why: str) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    secret = tmp_path / "secrets" / "jwt_secret"
    secret.write_text(content)
    secret.chmod(mode)
    _, found = doctor(tmp_path)
    assert found["secrets"][0] == level
    assert why in found["secrets"][1]


def test_a_lost_device_key_has_to_be_mended(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as log:
        log.executescript(LOG_V1.read_text())
    code, found = doctor(tmp_path)
    assert (code, found["secrets"][0]) == (1, "fail")
    assert "put the secrets folder back" in found["secrets"][1]


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [("S3P_HTTP_PRT", "1", "no such setting"), ("S3P_JWT_SECRET", "short", "use a longer secret")],
)
def test_settings_that_are_odd_are_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, why: str
) -> None:
    monkeypatch.setenv(variable, value)
    code, found = doctor(tmp_path)
    assert (code, found["settings"][0]) == (0, "warn")
    assert found["settings"][1].startswith(variable)
    assert why in found["settings"][1]


def test_a_person_sees_a_line_a_check(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)], env={"COLUMNS": "300"})
    lines = result.output.splitlines()
    assert [line[6:21].strip() for line in lines[: len(CHECKS)]] == list(CHECKS)
    assert lines[-1] == "Nothing stands in the way of 's3palette up'."


def test_a_cluster_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    code, found = doctor(tmp_path)
    assert (code, found["Ray"][0]) == (1, "fail")
    assert "RAY_ADDRESS" in found["Ray"][1]


def test_weights_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_SAM3_WEIGHTS", str(tmp_path / "none" / "sam3.pt"))
    code, found = doctor(tmp_path)
    assert code == 1
    assert found["SAM 3"] == (
        "fail",
        f"S3P_SAM3_WEIGHTS is {tmp_path}/none/sam3.pt, which is no file, no folder and no hub id like facebook/sam3.",
    )


def test_the_official_package_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sam3.pt").touch()
    monkeypatch.setenv("S3P_SAM3_WEIGHTS", str(tmp_path / "sam3.pt"))
    code, found = doctor(tmp_path)
    assert code == 1
    assert "S3P_SAM3_BPE" in found["SAM 3"][1]
    assert found["official sam3"][0] == "fail"


def test_settings_that_cannot_be_used_end_it_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_ENGINE", "sam3")
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "S3P_SAM3_WEIGHTS" in result.output
