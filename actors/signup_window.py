"""Counts sign-ups an address, in the one place that all edge replicas ask: host 0."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from actors.refs import host_handle

__all__ = ["HostSignupLimiter", "SignupWindow"]

WINDOW_S = 60.0
ADDRESSES = 100_000
"""How many addresses are remembered; the longest unseen one is forgotten first."""


class SignupWindow:
    """At most `limit` sign-ups in any 60 s from one address; 0 switches it off."""

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._now = now
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Count one sign-up. 0: allowed; else the whole seconds until the next one is."""
        if not self._limit:
            return 0
        now = self._now()
        times = self._seen.setdefault(address, deque())
        self._seen.move_to_end(address)
        while len(self._seen) > ADDRESSES:
            self._seen.popitem(last=False)
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= self._limit:
            return int(times[0] + WINDOW_S - now) + 1
        times.append(now)
        return 0


class HostSignupLimiter:
    """The limiter an edge replica uses: every replica asks the window of host 0."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    async def take(self, address: str) -> int:
        """As `SignupWindow.take`."""
        if not self._limit:
            return 0
        seconds: int = await host_handle(0).allow_signup.remote(address)
        return seconds
