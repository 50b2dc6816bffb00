"""Processes of a system whose starter is dead.

HAProxy is the child of a Ray worker: when Ray's daemons or the starting process are killed it lives on and holds the
HTTP port, so that no next start could have it. Every process of a system has its scratch folder in its environment
(`serve_environment`), which is how they are known again. Where there is no /proc none are found.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import IO

__all__ = ["SCRATCH_PARENT", "SCRATCH_PREFIX", "end_former_life", "end_processes", "processes_of"]

SCRATCH_PARENT = Path("/tmp")
"""Ray and HAProxy put sockets below it, whose path has 107 characters at most; TMPDIR may be long."""
SCRATCH_PREFIX = "s3p-"

_GONE_WITHIN_S = 5.0


def end_former_life(lock: IO[str], scratch: Path) -> None:
    """End what the last holder of the lock file left behind, and note `scratch` in it for the next.

    `lock` is open for reading and appending, and held by this process.
    """
    lock.seek(0)
    former = Path(lock.read().strip() or "/")
    # The file is a person's to edit, so a folder that cannot be ours is left alone.
    if former.parent == SCRATCH_PARENT and former.name.startswith(SCRATCH_PREFIX) and former != scratch:
        end_processes(former)
        shutil.rmtree(former, ignore_errors=True)
    lock.truncate(0)
    lock.write(str(scratch))
    lock.flush()


def end_processes(scratch: Path) -> None:
    """SIGKILL every process of the system with this scratch folder, this one excepted, and wait until they are gone."""
    until = time.monotonic() + _GONE_WITHIN_S
    while (found := processes_of(scratch)) and time.monotonic() < until:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def processes_of(scratch: Path) -> list[int]:
    """Ids of this user's running processes that were started with `scratch` in their environment."""
    mark = f"={scratch}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it ended while we looked, or belongs to somebody else
            if mark in entry.read_bytes():
                found.append(int(entry.parent.name))
    return [pid for pid in found if pid != os.getpid()]
