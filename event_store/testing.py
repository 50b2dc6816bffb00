"""Fault injection for tests of what is built on an event store.

    faults = Faults()
    store = MemoryEventStore(faults=faults)          # or SqliteEventStore.open(path, faults=faults)
    faults.arm("after_commit")
    await store.append(step)                         # durable, but raises SimulatedCrash: its caller cannot know

A write passes four points: `before_begin`; `after_events` (its events are inserted, its rows are not); `before_commit`;
`after_commit`. Raising at the first three leaves nothing written. In SQLite a transaction carries every write that
waited: at `after_events` only one step fails, at the other points all that share the transaction.
"""

from __future__ import annotations

import os
import signal
from collections import Counter, deque

from event_store._faults import CrashPoint, FaultHook

__all__ = ["CrashPoint", "FaultHook", "Faults", "SimulatedCrash", "kill_at"]


class SimulatedCrash(Exception):
    """Raised in the place of a crash."""

    def __init__(self, point: str) -> None:
        super().__init__(point)
        self.point = point


class Faults:
    """A fault hook that raises when it is told to. `passed` counts the points that writes went through."""

    def __init__(self) -> None:
        self.passed: Counter[CrashPoint] = Counter()
        self._armed: dict[CrashPoint, deque[Exception | None]] = {}

    def arm(self, point: CrashPoint, error: Exception | None = None, *, after: int = 0, times: int = 1) -> None:
        """Let `after` passages of the point go by, then raise at the next `times`: `error`, or a SimulatedCrash."""
        failure = SimulatedCrash(point) if error is None else error
        self._armed[point] = deque([*[None] * after, *[failure] * times])

    def __call__(self, point: CrashPoint) -> None:
        self.passed[point] += 1
        armed = self._armed.get(point)
        failure = armed.popleft() if armed else None
        if failure is not None:
            raise failure


def kill_at(point: CrashPoint, nth: int = 1) -> FaultHook:
    """A fault hook that ends this process with SIGKILL at the nth passage of the point: no handler runs."""
    passages = 0

    def hook(passed: CrashPoint) -> None:
        nonlocal passages
        passages += passed == point
        if passages == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook
