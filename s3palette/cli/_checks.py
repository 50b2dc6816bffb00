"""What `doctor` looks at. A check is a function from the settings to a finding; a new one is a line in `CHECKS`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit

from s3palette.settings import Settings

__all__ = ["CHECKS", "Check", "Finding"]

_GB: Final = 10**9
_SAM3_RAM: Final = 8 * _GB
_SAM3_GPU: Final = 12 * _GB


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: one sentence, and with "warn" and "fail" what to do."""

    level: Literal["ok", "warn", "fail"]
    sentence: str


Check = Callable[[Settings], Finding]


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


def _log(settings: Settings) -> Finding:
    if not settings.log_path.exists():
        return Finding("ok", "There is no event log yet; the first start makes it.")
    try:
        with closing(sqlite3.connect(f"file:{settings.log_path}?mode=ro", uri=True)) as log:
            count = log.execute("SELECT count(*) FROM events").fetchone()[0]
    except sqlite3.Error as error:
        return Finding("fail", f"The event log {settings.log_path} cannot be read ({error}); restore it from a backup.")
    return Finding("ok", f"The event log has {count} events.")


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


def _weights(settings: Settings) -> Finding:
    from engine.segment.sam3 import Sam3Unavailable, find_weights
    from s3palette.engines import sam3_options

    if not settings.sam3_weights:
        return Finding("ok", "SAM 3 is not in use; S3P_SAM3_WEIGHTS would turn it on.")
    try:
        weights = find_weights(sam3_options(settings))
    except Sam3Unavailable as refusal:
        return Finding("fail", str(refusal))
    if not Path(weights.source).exists() and not os.environ.get("HF_TOKEN"):
        return Finding("warn", f"{weights.source} is a gated model on the hub: set HF_TOKEN unless you are logged in.")
    return Finding("ok", f"SAM 3 is {weights.source}, for the {weights.backend} backend.")


def _torch(settings: Settings) -> Finding:
    wanted = settings.segmenter == "sam3"
    if find_spec("torch") is None:
        return Finding("fail" if wanted else "ok", "torch is not installed; pip install 's3palette[sam3]' for SAM 3.")
    import torch

    if torch.cuda.is_available():
        name, total = torch.cuda.get_device_name(), torch.cuda.mem_get_info()[1]
        told = f"torch {torch.__version__} on {name} with {total / _GB:.0f} GB"
        if torch.cuda.get_device_capability() < (8, 0):
            return Finding("warn", f"{told}, which has no bfloat16 units; use an Ampere GPU or newer.")
        if total < _SAM3_GPU:
            return Finding("warn", f"{told}; SAM 3 wants {_SAM3_GPU // _GB} GB, so set S3P_SAM3_BATCH=1.")
        return Finding("ok", f"{told}.")
    if wanted and settings.sam3_gpus:
        return Finding(
            "fail",
            f"torch {torch.__version__} finds no CUDA device; install a CUDA build and its driver, or set "
            "S3P_SAM3_GPUS=0 to run on the CPU, a minute a photo.",
        )
    return Finding("ok", f"torch {torch.__version__} without CUDA: SAM 3 would take about a minute a photo.")


def _compiler(settings: Settings) -> Finding:
    if settings.segmenter != "sam3" or not settings.sam3_gpus or settings.sam3_compile == "off":
        return Finding("ok", "Nothing is compiled.")
    missing = [] if find_spec("triton") else ["triton (pip install triton)"]
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        missing.append("a C compiler (Debian: apt-get install gcc)")
    if missing:
        return Finding("warn", f"torch.compile needs {' and '.join(missing)}; without, SAM 3 runs uncompiled.")
    return Finding("ok", "torch.compile has what it needs.")


def _official(settings: Settings) -> Finding:
    chosen = settings.sam3_backend == "official" or (settings.sam3_weights or "").endswith(".pt")
    try:
        there = f"sam3 {version('sam3')} is installed"
    except PackageNotFoundError:
        if not chosen:
            return Finding("ok", "The official sam3 package is not installed and not needed.")
        return Finding("fail", "The official sam3 package is missing; pip install 's3palette[sam3-official]'.")
    lacking = [name for name in ("torchvision", "triton", "psutil") if find_spec(name) is None]
    if lacking:
        return Finding("fail" if chosen else "warn", f"{there} without {', '.join(lacking)}; install them with pip.")
    if tuple(map(int, version("numpy").split(".")[:2])) >= (2, 4):
        return Finding("fail" if chosen else "warn", f"{there}, but needs numpy below 2.4; pip install 'numpy<2.4'.")
    return Finding("ok", f"{there} with what it needs.")


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "data dir": _data_dir,
        "event log": _log,
        "object store": _store,
        "port": _port,
        "Ray": _ray,
        "memory": _memory,
        "engine": _engine,
        "SAM 3": _weights,
        "torch": _torch,
        "compiler": _compiler,
        "official sam3": _official,
    }
)
"""Name -> check, in the order they are shown."""
