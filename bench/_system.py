"""A whole system for a benchmark, started as its users start it and stopped afterwards."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from actors.cluster import running
from actors.ports import free_port

__all__ = ["Bench", "cpu_seconds", "machine", "system"]


@dataclass(frozen=True)
class Bench:
    url: str
    data_dir: Path
    callback_secret: str
    pid: int


@contextlib.contextmanager
def system(engine: str) -> Iterator[Bench]:
    """`s3palette up --detach` on a free port and a temporary data dir."""
    secret = "benchmark-" + "s" * 32
    with tempfile.TemporaryDirectory(prefix="s3p-bench-") as folder:
        command = [sys.executable, "-m", "s3palette"]
        place = ["--data-dir", folder]
        environment = {**os.environ, "S3P_CALLBACK_SECRET": secret}
        subprocess.run(
            [*command, "up", "--detach", "--port", str(free_port()), "--engine", engine, *place],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            told = running(Path(folder))
            if told is None:
                raise RuntimeError("the system stopped right after its start")
            yield Bench(told.url, Path(folder), secret, told.pid)
        finally:
            subprocess.run([*command, "down", *place], check=True, stdout=subprocess.DEVNULL)


def cpu_seconds(pid: int) -> dict[str, float]:
    """CPU seconds so far of every process below `pid`, summed by what the process is."""
    totals: dict[str, float] = {"this benchmark": sum(psutil.Process().cpu_times()[:2])}
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            title = " ".join(process.cmdline())[:200]
            name = next((label for mark, label in _KINDS if mark in title), "Ray, the rest")
            totals[name] = totals.get(name, 0.0) + sum(process.cpu_times()[:2])
    return totals


_KINDS = (
    ("ServeReplica:api", "edge replica"),
    ("HostActor", "host (actors, event log)"),
    ("haproxy -", "HAProxy"),
    ("bin/haproxy", "HAProxy"),
    ("gcs_server", "Ray GCS"),
    ("raylet/raylet", "Ray raylet"),
    ("ServeReplica:engine", "engine replica"),
)


def machine() -> str:
    """One line that names the machine and the versions a figure belongs to."""
    import ray

    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}, Ray {ray.__version__}"
