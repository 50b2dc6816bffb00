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

import _path  # noqa: F401
import psutil

from actors.cluster import running
from actors.ports import free_port

__all__ = ["Bench", "cpu_seconds", "machine", "resident_bytes", "system"]


@dataclass(frozen=True)
class Bench:
    url: str
    data_dir: Path
    callback_secret: str
    pid: int


@contextlib.contextmanager
def system(engine: str, **settings: str) -> Iterator[Bench]:
    """`s3palette up --detach` on a free port and a temporary data dir; `settings` are S3P_* variables."""
    secret = "benchmark-" + "s" * 32
    with tempfile.TemporaryDirectory(prefix="s3p-bench-") as folder:
        command = [sys.executable, "-m", "s3palette"]
        place = ["--data-dir", folder]
        environment = {**os.environ, "S3P_CALLBACK_SECRET": secret, **settings}
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
    for name, process in _processes(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            totals[name] = totals.get(name, 0.0) + sum(process.cpu_times()[:2])
    return totals


def resident_bytes(pid: int) -> dict[str, int]:
    """Resident memory (RSS, shared pages counted in each) of every process below `pid`, summed by what it is."""
    totals: dict[str, int] = {}
    for name, process in _processes(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            totals[name] = totals.get(name, 0) + process.memory_info().rss
    return totals


def _processes(pid: int) -> Iterator[tuple[str, psutil.Process]]:
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            title = " ".join(process.cmdline())[:200]
            yield next((label for mark, label in _KINDS if mark in title), "Ray, the rest"), process


_KINDS = (
    ("ServeReplica:api", "edge replica"),
    ("HostActor", "host (actors, event log)"),
    ("haproxy -", "HAProxy"),
    ("bin/haproxy", "HAProxy"),
    ("gcs_server", "Ray GCS"),
    ("raylet/raylet", "Ray raylet"),
    ("ServeReplica:engine", "engine replica"),
    ("s3palette up", "s3palette up"),
    ("ServeController", "Serve controller"),
    ("ray::IDLE", "Ray idle workers"),
    ("dashboard/agent", "Ray agents"),
    ("runtime_env/agent", "Ray agents"),
    ("ray::", "Serve proxies"),
)


def machine() -> str:
    """One line that names the machine, how busy it is with other work, and the versions a figure belongs to."""
    import ray

    memory, load = psutil.virtual_memory().total / 2**30, os.getloadavg()[0]
    versions = f"Python {sys.version.split()[0]}, Ray {ray.__version__}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {versions}, load average {load:.1f}"
