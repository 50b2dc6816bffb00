"""up --detach beside a system that another process starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.running import take_lock
from s3palette.cli import app


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """As it was, after the test: `up` makes what it makes for its owner only."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_start_does_not_write_into_the_log_of_another(tmp_path: Path) -> None:
    (tmp_path / "up.log").write_text("Starting Ray\n")
    with (tmp_path / "lock").open("a+") as lock:
        assert take_lock(lock)
        told = CliRunner().invoke(app, ["up", "--detach", "--data-dir", str(tmp_path)])
    assert (told.exit_code, "is starting or stopping on" in told.output) == (1, True)
    assert (tmp_path / "up.log").read_text() == "Starting Ray\n"
