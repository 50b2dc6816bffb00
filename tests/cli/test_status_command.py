"""status: what a person is shown, and what when nothing runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from s3palette.cli import app
from s3palette.cli.status import _show

FACTS: dict[str, Any] = {
    "url": "http://[::1]:8000",
    "engine": "classical",
    "version": "0.1.0",
    "pid": 7,
    "well": False,
    "ready": {"entrance": True, "store": False},
    "hosts": [{"index": 0, "alive": False, "state": "[/restarting]", "restarts": 1, "photos_running": 0}],
    "replicas": [
        {
            "application": "engine",
            "deployment": "EngineWorker",
            "status": "UNHEALTHY",
            "replicas": {},
            "message": "[Errno 2] no [bold]such[/] file: [/models/sam3]",
        }
    ],
    "log": {"bytes": 10, "path": f"/data/[a]/{'x' * 90}/log.sqlite3"},
    "store": {"kind": "folder"},
    "metrics": [],
    "ray_logs": "/tmp/ray",
}


def test_what_others_said_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    _show(FACTS)
    shown = capsys.readouterr().out
    lines = [line.rstrip() for line in shown.splitlines()]
    assert lines[:2] == ["http://[::1]:8000  classical engine, version 0.1.0, pid 7", "  silent: store"]
    words = "".join(shown.split())
    for said in ("[/restarting]", "[bold]such[/]file:[/models/sam3]", FACTS["log"]["path"]):
        assert said in words


def test_nothing_runs(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["status", "--json", "--data-dir", str(tmp_path)])
    assert (told.exit_code, json.loads(told.output)) == (1, {"running": False, "data_dir": str(tmp_path)})
