"""What `doctor` looks at. A check is a function from the settings to a finding; a new one is a line in `CHECKS`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from s3palette.cli import _checks_data as data
from s3palette.cli import _checks_external as external
from s3palette.cli import _checks_machine as machine
from s3palette.cli import _checks_sam3 as sam3
from s3palette.cli._finding import Check, Finding
from s3palette.settings import Settings

__all__ = ["CHECKS"]

_GB: Final = 10**9
_SAM3_RAM: Final = 8 * _GB


def _data_dir(settings: Settings) -> Finding:
    nearest = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return Finding("fail", f"{nearest} cannot be written to; set S3P_DATA_DIR to a folder that can.")
    free = shutil.disk_usage(nearest).free
    room = f"{free / _GB:.1f} GB free for {settings.data_dir}"
    if free < _GB:
        return Finding("fail", f"{room}; make room, or set S3P_DATA_DIR to a larger disk.")
    if free < 10 * _GB:
        return Finding("warn", f"{room}; a job of 200 photos can take 10 GB, so make room.")
    return Finding("ok", f"{room}.")


def _store(settings: Settings) -> Finding:
    if settings.store == "folder" and not settings.objects_dir.exists():
        return Finding("ok", "There is no object store yet; the first start makes it.")
    from s3palette.storage import open_store

    where = settings.objects_dir if settings.store == "folder" else f"{settings.s3_endpoint}/{settings.s3_bucket}"
    try:
        asyncio.run(open_store(settings).check())
    except Exception as error:  # whatever it is, the store cannot be used
        return Finding("fail", f"The object store {where} does not work: {error}.")
    if settings.store == "s3":
        return Finding("ok", f"The bucket {where} answers; browsers need its CORS rule, see docs/storage.md.")
    return Finding("ok", f"The object store {where} can be written and read.")


def _port(settings: Settings) -> Finding:
    from actors.cluster import ClusterError, running
    from actors.ports import is_free

    try:
        told = running(settings.data_dir)
    except ClusterError as error:
        return Finding("fail", str(error))
    if told is not None:
        return Finding("ok", f"A system runs on this data dir at {told.url}.")
    if is_free(settings.http_port, settings.http_host):
        return Finding("ok", f"Port {settings.http_port} on {settings.http_host} is free.")
    return Finding("fail", f"Port {settings.http_port} is taken by something else; choose another with S3P_HTTP_PORT.")


def _ray(settings: Settings) -> Finding:
    address = os.environ.get("RAY_ADDRESS")
    if not address or address in ("auto", "local"):
        return Finding("ok", f"Ray {version('ray')}; 'up' starts a cluster of its own.")
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=3):
            return Finding("ok", f"Ray {version('ray')}; a cluster answers at {address}.")
    except OSError:
        return Finding("fail", f"Nothing answers at RAY_ADDRESS={address}; start that cluster, or unset RAY_ADDRESS.")


def _memory(settings: Settings) -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if settings.segmenter == "sam3" and total < _SAM3_RAM:
        return Finding("warn", f"{total / _GB:.0f} GB of memory; loading SAM 3 wants {_SAM3_RAM // _GB} GB, add some.")
    return Finding("ok", f"{total / _GB:.0f} GB of memory, {os.cpu_count()} cores.")


def _engine(settings: Settings) -> Finding:
    from s3palette.engines import engine_note

    if (note := engine_note(settings)) is not None:
        return Finding("ok", note)
    if settings.segmenter is None:
        return Finding("ok", "External GPU workers segment and answer by callback.")
    return Finding("ok", f"The {settings.segmenter} engine segments.")


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "settings": data.settings_given,
        "data dir": _data_dir,
        "secrets": data.secrets,
        "event log": data.event_log,
        "dead letters": data.dead_letters,
        "object store": _store,
        "port": _port,
        "Ray": _ray,
        "proxy": machine.proxy,
        "scratch": machine.scratch,
        "open files": machine.open_files,
        "memory": _memory,
        "engine": _engine,
        "outside": external.outside,
        "SAM 3": sam3.weights,
        "torch": sam3.torch_and_gpu,
        "compiler": sam3.compiler,
        "official sam3": sam3.official,
    }
)
"""Name -> check, in the order they are shown."""
