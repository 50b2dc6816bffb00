"""The demo's system when it cannot start: one sentence, its log, no process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s3palette.demo.server import SystemFailed, demo_system


def test_a_system_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_HTTP_PORT", "not a port, and none of the demo's business")
    data_dir, log = tmp_path / "data", tmp_path / "system.log"
    data_dir.mkdir()
    (data_dir / "secrets").write_text("a file where a folder should be")
    with (
        pytest.raises(SystemFailed, match=r"^The system did not start: S3P_DATA_DIR: .*secrets") as failed,
        demo_system(data_dir, log),
    ):
        pytest.fail("it started")
    assert "HTTP_PORT" not in str(failed.value)
    assert "secrets" in log.read_text()


def test_the_demo_says_where_the_log_is(tmp_path: Path) -> None:
    # A system that cannot find its package: the child starts in this folder, where `s3palette` is something else.
    (tmp_path / "s3palette.py").write_text("raise SystemExit('This is not the system.')\n")
    program = (
        "import os, sys\nfrom s3palette.cli import app\nos.environ['PYTHONPATH'] = sys.argv.pop(1)\napp(sys.argv[1:])"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        cwd=tmp_path.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 1
    sentence = f"The system did not start: This is not the system. The system's log is {out / 'system.log'}."
    assert done.stderr.splitlines() == [sentence]
