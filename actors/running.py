"""Find the system of a data dir: `run.json` says where it is, the lock says whether it lives.

The address file is read by other versions of this program too, after an upgrade say: unknown facts are ignored and only
the pid must be there, so that any version can stop any other.
"""

from __future__ import annotations

import fcntl
import json
import socket
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from actors.ray_auth import use_token
from s3palette import __version__

__all__ = ["ClusterError", "Running", "connect", "is_held", "knock", "running", "take_lock", "write_whole"]

KNOCK_S = 5.0
_LOCKED_WITHIN_S = 0.3
"""`is_held` has the lock for a moment too."""


class ClusterError(Exception):
    """The system cannot be started or reached. One sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """What `run.json` says of a running system."""

    pid: int
    """Process that started it and stops it on SIGTERM."""
    ray_address: str = ""
    url: str = ""
    engine: str = ""
    hosts: int = 1
    ray_logs: str = ""
    metrics: list[str] = field(default_factory=list)
    """Addresses that Prometheus scrapes, "192.0.2.7:9464", one a node."""
    ray_token: str | None = None
    """File with the cluster's token; None: the cluster is not ours, RAY_AUTH_* says how to get in."""
    control: str = ""
    """Socket on which the starting process answers; see `actors.control`."""
    version: str = ""
    """Of the program that started it."""


def running(data_dir: Path) -> Running | None:
    """The system that runs on this data dir, or None. Raises ClusterError."""
    path = data_dir / "run.json"
    try:
        facts = json.loads(path.read_text())
        told = Running(**{each.name: facts[each.name] for each in fields(Running) if each.name in facts})
        if not isinstance(told.pid, int):
            raise TypeError("pid is no number")
        if not is_held(data_dir / "lock"):
            return None  # its starter was killed, and the pid may be somebody else's by now
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClusterError(f"S3P_DATA_DIR {data_dir} cannot be used as a folder ({error.strerror}).") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ClusterError(f"{path} is damaged ({error}); delete it.") from error
    return told


def write_whole(path: Path, content: Any) -> None:
    """As JSON; a reader sees the old file or the new one, never a part."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def connect(data_dir: Path) -> Running:
    """Connect this process to the system of a data dir, as a second Ray driver. Raises ClusterError."""
    import ray

    from actors.refs import NAMESPACE

    told = running(data_dir)
    if told is None:
        raise ClusterError(f"Nothing runs on {data_dir}; start it with 's3palette up'.")
    if told.version != __version__:
        raise ClusterError(
            f"Version {told.version or 'unknown'} runs on {data_dir} and this program is {__version__}; restart with "
            "'s3palette down' and 's3palette up'."
        )
    if not ray.is_initialized():
        if told.ray_token is not None:
            use_token(Path(told.ray_token))
        try:
            knock(told.ray_address)
            ray.init(address=told.ray_address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError) as error:
            raise ClusterError(
                f"Ray at {told.ray_address} does not let us in ({type(error).__name__}); restart with 's3palette down' "
                f"and 's3palette up', Ray's logs are in {told.ray_logs}."
            ) from error
    return told


def knock(address: str) -> None:
    """Raise OSError where nothing listens at host:port: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S):
        pass


def take_lock(lock: IO[str]) -> bool:
    """Take the lock of a data dir. False: another process has it."""
    until = time.monotonic() + _LOCKED_WITHIN_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


def is_held(path: Path) -> bool:
    """True while a process holds the lock file: the system lives. Raises OSError where there is no such file."""
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
