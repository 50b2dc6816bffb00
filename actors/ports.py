"""Free ports and private folders for one system, so that two on one machine never meet."""

from __future__ import annotations

import random
import socket
from pathlib import Path

__all__ = ["free_port", "hold", "is_free", "serve_environment"]

_INGRESS_PORTS = 32
"""Ports set aside for replicas that HAProxy talks to directly."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True where nothing listens on the port."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def hold(port: int, host: str) -> socket.socket:
    """Keep a free port for HAProxy until it listens: nobody else gets it, nor does a connection as its near end.

    Ray opens hundreds of connections while it starts, each from a port the kernel chooses. HAProxy binds with
    SO_REUSEPORT, which lets it in beside this socket, and a socket that does not listen gets no connections.
    """
    held = socket.socket(_family(host))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, port))
    return held


def free_port() -> int:
    """A TCP port that was free a moment ago, none of those the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(10_000, 20_000)
        if is_free(port):
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
        # Serve waits so long for balancers outside to notice that a replica ends; ours is told.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
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


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free_range(within: range) -> int:
    for _ in range(100):
        low = random.randrange(within.start, within.stop - _INGRESS_PORTS)
        if all(is_free(port) for port in range(low, low + _INGRESS_PORTS + 1)):
            return low
    raise OSError(f"no {_INGRESS_PORTS} free ports in a row between {within.start} and {within.stop}")
