"""Tiles of a photo side by side: a few threads that all photos of a process share.

Tiles write to places of their own and are computed from the photo alone, so the bytes do not depend on how many
threads there are or which of them takes what.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar

__all__ = ["set_threads", "spread", "threads", "usable_cores"]

T = TypeVar("T")
R = TypeVar("R")


def usable_cores() -> int:
    """Cores that this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class _Helpers:
    """The threads beside the callers' own; started when first needed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count: int | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def count(self) -> int:
        return usable_cores() - 1 if self._count is None else self._count

    def resize(self, count: int) -> None:
        with self._lock:
            pool, self._pool, self._count = self._pool, None, count
        if pool is not None:
            pool.shutdown()

    def pool(self) -> ThreadPoolExecutor | None:
        with self._lock:
            if self._pool is None and self.count > 0:
                self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="tiles")
            return self._pool


_helpers: Final = _Helpers()


def threads() -> int:
    """Threads that work on one photo: as many as there are usable cores, unless `set_threads` said otherwise."""
    return _helpers.count + 1


def set_threads(count: int) -> None:
    """Let `count` threads work on one photo, from now on. With n photos at once n + count - 1 threads are busy.

    OpenCV has threads of its own: `cv2.setNumThreads`.

    Raises:
        ValueError: less than 1.
    """
    if count < 1:
        raise ValueError(f"{count} threads cannot work")
    _helpers.resize(count - 1)


def spread(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`[work(item) for item in items]`, worked off by the calling thread and the helpers that are free.

    Helpers that are busy elsewhere are not waited for, so calls may be made from several threads and within each other.
    Where `work` raises, what has not begun is dropped and one of the exceptions is raised.
    """
    waiting = deque(enumerate(items))
    done: dict[int, R] = {}

    def drain() -> None:
        while True:
            try:
                at, item = waiting.popleft()
            except IndexError:
                return
            try:
                done[at] = work(item)
            except BaseException:
                waiting.clear()
                raise

    count, pool = len(waiting), _helpers.pool() if len(waiting) > 1 else None
    called = [] if pool is None else [pool.submit(drain) for _ in range(min(_helpers.count, count - 1))]
    try:
        drain()
    finally:
        late = [helper for helper in called if not helper.cancel()]
        failed = [error for error in (helper.exception() for helper in late) if error is not None]
    if failed:
        raise failed[0]
    return [done[at] for at in range(count)]
