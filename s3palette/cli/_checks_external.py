"""Doctor's look at the engine outside the cluster."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import urlsplit

from s3palette.cli._finding import Finding
from s3palette.settings import Settings

__all__ = ["outside"]

_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS: Final = {"http": 80, "https": 443}


def outside(settings: Settings) -> Finding:
    """Whether jobs can be sent out, and results find their way back."""
    if settings.engine != "external":
        if settings.external_url is None:
            return Finding("ok", "No photo is sent to an engine outside.")
        return Finding(
            "warn",
            f"S3P_EXTERNAL_URL is not used with S3P_ENGINE={settings.engine}; set S3P_ENGINE=external to use it.",
        )
    if settings.external_url is None:
        return Finding("ok", "No S3P_EXTERNAL_URL: workers outside find their work by themselves.")
    parts = urlsplit(settings.external_url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if settings.public_url is None and host not in _HERE:
        return Finding("warn", f"{host} cannot call back to {settings.local_url}; set S3P_PUBLIC_URL to where it can.")
    try:
        with socket.create_connection((host, port), timeout=3):
            return Finding("ok", f"Jobs are sent to {host}:{port}, which answers.")
    except OSError:
        return Finding("warn", f"Nothing answers at {host}:{port} (S3P_EXTERNAL_URL) and photos wait; start it there.")
