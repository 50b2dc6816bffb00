"""Free ports and private folders for one system, so that two on one machine never meet."""

from __future__ import annotations

import random
import socket
from pathlib import Path

__all__ = ["free_port", "is_free", "serve_environment"]

_INGRESS_PORTS = 32
"""Ports set aside for replicas that HAProxy talks to directly."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True where nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve_environment(run_dir: Path) -> dict[str, str]:
    """Environment that Ray Serve must see before it is imported: HAProxy ingress on, every port and path our own.

    Serve's own defaults (8404, 9101, 8500, 9500, 30000-31000, 40000-41000, /tmp/haproxy-serve) are fixed, so a second
    system on the machine would collide. With RAY_SERVE_THROUGHPUT_OPTIMIZED user code runs in the router's loop.
    """
    http_low, grpc_low = _free_range(range(20_000, 26_000)), _free_range(range(26_000, 32_000))
    haproxy = run_dir / "haproxy"
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_HAPROXY_NBTHREAD": "2",
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(free_port()),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(free_port()),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(http_low),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(http_low + _INGRESS_PORTS),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(grpc_low),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(grpc_low + _INGRESS_PORTS),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(haproxy / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(haproxy / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(haproxy / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(haproxy),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(haproxy / "server-state"),
    }


def _free_range(within: range) -> int:
    for _ in range(100):
        low = random.randrange(within.start, within.stop - _INGRESS_PORTS)
        if all(is_free(port) for port in range(low, low + _INGRESS_PORTS + 1)):
            return low
    raise OSError(f"no {_INGRESS_PORTS} free ports in a row between {within.start} and {within.stop}")
