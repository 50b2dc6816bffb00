"""What a killed system leaves behind is ended by the next one, and nothing else is."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from actors.cluster import ClusterError, Running, System, running
from actors.leftovers import SCRATCH_PARENT, SCRATCH_PREFIX, end_former_life, end_processes, processes_of
from s3palette.settings import load_settings

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are read from /proc")


@pytest.fixture
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=SCRATCH_PARENT, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def orphan(scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that was started with the scratch folder, as HAProxy is."""
    yield from sleeper(scratch)


@pytest.fixture
def bystander(scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of another system, whose folder's name only begins the same."""
    yield from sleeper(scratch.with_name(f"{scratch.name}x"))


def sleeper(scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = "import time; print(flush=True); time.sleep(600)"
    environment = {**os.environ, "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{scratch}/haproxy/admin.sock"}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_only_processes_of_that_folder_are_ended(
    scratch: Path, orphan: subprocess.Popen[bytes], bystander: subprocess.Popen[bytes]
) -> None:
    assert processes_of(scratch) == [orphan.pid]
    end_processes(scratch)
    assert orphan.wait(10) < 0
    assert processes_of(scratch) == []
    assert bystander.poll() is None


def test_the_next_holder_of_the_lock_ends_what_the_last_one_left(
    tmp_path: Path, scratch: Path, orphan: subprocess.Popen[bytes]
) -> None:
    with (tmp_path / "lock").open("a+") as lock:
        end_former_life(lock, scratch)
        assert orphan.poll() is None
        end_former_life(lock, scratch)
        assert orphan.poll() is None
        end_former_life(lock, SCRATCH_PARENT / "s3p-the-next")
    assert orphan.wait(10) < 0
    assert not scratch.exists()
    assert (tmp_path / "lock").read_text() == "/tmp/s3p-the-next"


@pytest.mark.parametrize("noted", ["", "/", "/tmp", "{there}", "s3p-relative", "/tmp/s3p-x/../../{there}"])
def test_a_folder_that_cannot_be_ours_is_left_alone(tmp_path: Path, noted: str) -> None:
    there = tmp_path / "s3p-album"
    there.mkdir()
    (tmp_path / "lock").write_text(noted.format(there=there))
    with (tmp_path / "lock").open("a+") as lock:
        end_former_life(lock, SCRATCH_PARENT / "s3p-the-next")
    assert there.exists()


def test_a_system_whose_starter_was_killed_does_not_run_though_its_pid_is_taken(tmp_path: Path) -> None:
    told = Running(os.getpid(), "ray", "http://127.0.0.1:1", "classical", 1, "logs")
    (tmp_path / "run.json").write_text(json.dumps(asdict(told)))
    with (tmp_path / "lock").open("a+") as lock:
        assert running(tmp_path) is None
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running(tmp_path) == told
        with pytest.raises(ClusterError, match="already runs"), System(load_settings(data_dir=tmp_path), lambda _: ()):
            pytest.fail("two systems on one data dir")
    assert running(tmp_path) is None
