"""doctor: one line a check, exit code 1 when something has to be mended."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.ports import free_port
from s3palette.cli import app
from s3palette.cli._checks import CHECKS


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("S3P_HTTP_PORT", str(free_port()))


def doctor(data_dir: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and check -> (level, sentence)."""
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(data_dir)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    lines = [line for line in result.output.splitlines() if line]
    assert len(lines) == len(CHECKS)
    return result.exit_code, {line[6:20].strip(): (line[:5].strip(), line[21:]) for line in lines}


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
