"""A system of the demo's own: a child process on a free port, stopped whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from actors.cluster import running
from actors.ports import free_port

__all__ = ["SystemFailed", "demo_system"]

_STARTS_WITHIN_S = 180.0
_STOPS_WITHIN_S = 60.0
_WORKERS_END_WITHIN_S = 15.0


class SystemFailed(Exception):
    """The system did not start. One sentence."""


@contextmanager
def demo_system(data_dir: Path, log: Path) -> Iterator[str]:
    """Run `s3palette up` on `data_dir` with its output in `log`; gives its address once it is ready.

    Settings of the surrounding environment do not count: the demo is the same everywhere. Raises SystemFailed.
    """
    command = [sys.executable, "-m", "s3palette", "up", "--port", str(free_port()), "--data-dir", str(data_dir)]
    with log.open("w") as out:
        # A session of its own, so that Ctrl-C reaches us alone and we stop it in order.
        child = subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=_environment(), start_new_session=True
        )
    try:
        yield _ready(child, data_dir, log)
    finally:
        _stop(child)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("S3P_") and name != "RAY_ADDRESS"}


def _ready(child: subprocess.Popen[bytes], data_dir: Path, log: Path) -> str:
    until = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < until:
        if child.poll() is not None:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise SystemFailed(f"The system did not start: {lines[-1] if lines else f'exit code {child.returncode}'}")
        told = running(data_dir)
        if told is not None and told.pid == child.pid:
            return told.url
        time.sleep(0.1)
    raise SystemFailed(f"The system was not ready within {_STARTS_WITHIN_S:.0f} s.")


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ask it to stop and wait until its last process is gone; a second Ctrl-C must not leave half of it behind."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_STOPS_WITHIN_S)
        # Ray's workers outlive it for a moment, and one may be in the middle of writing a photo.
        until = time.monotonic() + _WORKERS_END_WITHIN_S
        while (left := _session(child.pid)) and time.monotonic() < until:
            time.sleep(0.05)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        child.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _session(leader: int) -> list[int]:
    """Processes of the session that `leader` began; none where there is no /proc to ask."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found
