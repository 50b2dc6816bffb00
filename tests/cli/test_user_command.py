"""user show: what a user has and owes, from the log alone."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from event_store import schema_version
from s3palette.cli import app

LOG_V1 = Path(__file__).parents[1] / "event_store" / "golden" / "log_v1.sql"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A user with a rule and a job under way, one of its two photos delivered."""
    with closing(sqlite3.connect(tmp_path / "log.sqlite3")) as log:
        log.executescript("PRAGMA journal_mode = WAL;" + LOG_V1.read_text())
    code, told = run("backup", str(tmp_path / "today"), "--data-dir", str(tmp_path))  # in today's schema
    assert code == 0, told
    return tmp_path / "today"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_everything_of_a_user_is_shown(data_dir: Path) -> None:
    code, told = run("user", "show", "u_1", "--data-dir", str(data_dir))
    assert (code, told.splitlines()) == (
        0,
        [
            "u_1  plan free, signed up 2026-11-23T16:49:16.882924Z",
            "credits  10 granted = 8 free + 2 reserved + 0 spent",
            "jobs     1 of 1 at once",
            "  j_1  running, interior, 1 done, 0 failed of 2, since 2026-11-23T16:49:16.889897Z",
            "rules    1 of 2 slots",
            "  r_1  oak (interior), changed 2026-11-23T16:49:16.886548Z",
            "ledger   the newest 2",
            "  2026-11-23T16:49:16.882924Z  grant       10  balance     10  sign-up",
            "  2026-11-23T16:49:16.889897Z  reserve      2  balance      8  j_1",
        ],
    )


def test_a_ledger_that_does_not_add_up_is_said(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "log.sqlite3")) as log, log:
        log.execute("UPDATE billing_events SET amount = 9 WHERE kind = 'grant'")
    assert "THE LEDGER DOES NOT ADD UP" in run("user", "show", "u_1", "--data-dir", str(data_dir))[1]
    facts = json.loads(run("user", "show", "u_1", "--json", "--data-dir", str(data_dir))[1])
    assert (facts["adds_up"], facts["granted"], facts["ledger_sums"]["grant"]) == (False, 10, 9)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["show", "u_2"], "There is no user u_2"),
        (["set-plan", "u_1", "gold"], "Invalid value"),
        (["grant", "u_1", "0"], "Invalid value"),
        (["grant", "u_1", "1.5"], "Invalid value"),
        (["grant", "u_1", "5"], "Nothing runs on"),
    ],
)
def test_what_cannot_be_done_says_why(data_dir: Path, arguments: list[str], why: str) -> None:
    code, told = run("user", *arguments, "--data-dir", str(data_dir))
    assert code != 0
    assert why in " ".join(told.replace("│", " ").split())


def test_a_backup_is_a_data_dir(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "secrets").mkdir(mode=0o700)
    (data_dir / "secrets" / "device_key").write_text("k" * 64)
    (data_dir / "objects" / "inputs").mkdir(parents=True)
    (data_dir / "objects" / "inputs" / "0.jpg").write_bytes(b"photo")
    (tmp_path / "copy").mkdir(mode=0o755)
    code, told = run("backup", str(tmp_path / "copy"), "--data-dir", str(data_dir))
    assert (code, "10 events, every chain whole" in told) == (0, True)
    assert (tmp_path / "copy" / "objects" / "inputs" / "0.jpg").read_bytes() == b"photo"
    assert (tmp_path / "copy" / "secrets" / "device_key").read_text() == "k" * 64
    for folder in (tmp_path / "copy", tmp_path / "copy" / "secrets"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert schema_version(tmp_path / "copy" / "log.sqlite3") == schema_version(data_dir / "log.sqlite3")
    assert run("user", "show", "u_1", "--data-dir", str(tmp_path / "copy"))[0] == 0
    assert run("backup", str(tmp_path / "less"), "--no-photos", "--data-dir", str(data_dir))[0] == 0
    assert not (tmp_path / "less" / "objects").exists()


def test_a_backup_that_cannot_be_is_refused(data_dir: Path, tmp_path: Path) -> None:
    assert "is not empty" in run("backup", str(data_dir), "--data-dir", str(data_dir))[1]
    assert "no event log" in run("backup", str(tmp_path / "x"), "--data-dir", str(tmp_path / "none"))[1]
    (tmp_path / "link").symlink_to(data_dir)
    inside = data_dir / "objects" / "copy"
    for named in (data_dir, tmp_path / "link"):
        assert "lies in the store" in run("backup", str(inside), "--data-dir", str(named))[1]
    (tmp_path / "file").write_text("of somebody")
    told = run("backup", str(tmp_path / "file"), "--data-dir", str(data_dir))[1]
    assert "cannot be used as a folder (File exists); choose another." in told  # and no advice to delete it
    (data_dir / "objects" / "inputs").mkdir(parents=True)
    for name in ("a", "b"):  # no copy of such a thing can be made
        os.mkfifo(data_dir / "objects" / "inputs" / name)
    code, told = run("backup", str(tmp_path / "part"), "--data-dir", str(data_dir))
    assert (code, told.count("is a named pipe"), "is empty again" in told) == (1, 1, True)
    assert list((tmp_path / "part").iterdir()) == []
    with closing(sqlite3.connect(data_dir / "log.sqlite3")) as log, log:
        log.execute("UPDATE chain_heads SET hash = zeroblob(32)")
    code, told = run("backup", str(tmp_path / "forged"), "--data-dir", str(data_dir))
    assert (code, "does not have the hash of the recorded head" in told) == (1, True)
    assert list((tmp_path / "forged").iterdir()) == []
