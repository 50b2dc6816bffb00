"""Whether the parts live that nothing brings back: Ray's own daemons, and a proxy that stays away.

Workers, hosts, replicas and HAProxy are replaced by Ray and Serve. Ray's daemons are not: without them the system is a
shell that answers nothing, so it ends, and its supervisor starts it again.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from actors.running import ClusterError, knock

__all__ = ["Vitals"]

DAEMONS = ("gcs_server", "raylet")
ENTRANCE_BACK_WITHIN_S = 60.0
"""Serve has a new HAProxy in half a minute."""
KNOCKS_IN_A_ROW = 3
"""At a cluster that is not ours: its head may be restarting."""


class Vitals:
    """Looks at the daemons of this node's cluster (`node`), at the address of another's, and at the entrance's port."""

    def __init__(self, node: Any | None, ray_address: str, host: str, port: int) -> None:
        self._node = node
        self._ray_address = ray_address
        self._entrance = (host, port)
        self._seen_at = time.monotonic()
        self._unanswered = 0

    def check(self) -> None:
        """Raises ClusterError when the system cannot go on."""
        self._check_ray()
        now = time.monotonic()
        if _listens(self._entrance):
            self._seen_at = now
        elif now - self._seen_at > ENTRANCE_BACK_WITHIN_S:
            raise ClusterError(f"The entrance has taken no connection for {now - self._seen_at:.0f} s; start it again.")

    def _check_ray(self) -> None:
        if self._node is not None:
            dead = [name for name, _ in self._node.dead_processes() if name in DAEMONS]
            if dead:
                raise ClusterError(f"Ray's {' and '.join(dead)} ended; start the system again, nothing owed is lost.")
            return
        try:
            knock(self._ray_address)
            self._unanswered = 0
        except OSError as error:
            self._unanswered += 1
            if self._unanswered >= KNOCKS_IN_A_ROW:
                raise ClusterError(f"The Ray cluster at {self._ray_address} does not answer ({error}).") from error


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=2.0):
            return True
    except OSError:
        return False
