"""Connecting to a system whose Ray is gone ends in one sentence, at once."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from actors.cluster import ClusterError, Running, connect, running
from actors.ports import free_port
from s3palette import __version__


def test_a_dead_ray_is_said_in_one_sentence(tmp_path: Path) -> None:
    told = Running(1, f"127.0.0.1:{free_port()}", "http://127.0.0.1:1", "classical", version=__version__)
    (tmp_path / "run.json").write_text(json.dumps(asdict(told)))
    with (tmp_path / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ClusterError, match=rf"Ray at {told.ray_address} .*ConnectionRefusedError.*s3palette down"):
            connect(tmp_path)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ('{"pid": 7, "url": "http://x", "colour": "blue"}', Running(7, url="http://x")),  # of a newer version
        ('{"pid": 7, "ray_address": "r", "url": "u", "engine": "e", "hosts": 2, "ray_logs": "l", "ray_token": null}',
         Running(7, "r", "u", "e", 2, "l")),  # of an older one
    ],
)  # fmt: skip
def test_the_address_file_of_another_version_is_read(tmp_path: Path, facts: str, told: Running) -> None:
    (tmp_path / "run.json").write_text(facts)
    with (tmp_path / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running(tmp_path) == told
        with pytest.raises(ClusterError, match=rf"Version unknown runs on .* this program is {__version__}; restart"):
            connect(tmp_path)


@pytest.mark.parametrize("facts", ["", "[]", "7", "{}", '{"pid": "seven"}', '{"url": "u"}'])
def test_a_damaged_address_file_is_said_in_one_sentence(tmp_path: Path, facts: str) -> None:
    (tmp_path / "run.json").write_text(facts)
    (tmp_path / "lock").touch()
    with pytest.raises(ClusterError, match=r"run\.json is damaged \(.*\); delete it\."):
        running(tmp_path)
