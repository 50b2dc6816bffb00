"""Connecting to a system whose Ray is gone ends in one sentence, at once."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from actors.cluster import ClusterError, Running, connect
from actors.ports import free_port


def test_a_dead_ray_is_said_in_one_sentence(tmp_path: Path) -> None:
    told = Running(1, f"127.0.0.1:{free_port()}", "http://127.0.0.1:1", "classical", 1, "/logs", None)
    (tmp_path / "run.json").write_text(json.dumps(asdict(told)))
    with (tmp_path / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ClusterError, match=rf"Ray at {told.ray_address} .*ConnectionRefusedError.*s3palette down"):
            connect(tmp_path)
