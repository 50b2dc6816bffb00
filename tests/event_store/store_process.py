"""A program that the tests run as another process on the same log: `python store_process.py race|crash|full PATH …`."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys

from samples import Balances, owed, step

from event_store import ConcurrencyError, EventStoreError, SqliteEventStore
from event_store.testing import kill_at


async def race(path: str, count: str) -> None:
    """Append `count` events to the stream that others append to as well, from the moment standard input ends."""
    store = await SqliteEventStore.open(path, [Balances()], busy_timeout_s=60)
    os.write(1, b"ready\n")
    sys.stdin.read()
    for _ in range(int(count)):
        while True:
            loaded = await store.load("shared")
            try:
                await store.append(step("shared", len(loaded.events)))
                break
            except ConcurrencyError:
                continue
    await store.close()


async def crash(path: str, point: str, nth: str) -> None:
    """Write steps of two events from eight writers until killed; say each step that was acknowledged."""
    store = await SqliteEventStore.open(path, [Balances()], faults=kill_at(point, int(nth)))  # type: ignore[arg-type]

    async def write(stream: str) -> None:
        for version in range(0, 1000, 2):
            name = f"{stream}@{version + 2}"
            await store.append(step(stream, version, 2, put=[owed(name, stream=stream)], command_id=name))
            os.write(1, f"{name}\n".encode())

    await asyncio.gather(*(write(f"s{number}") for number in range(8)))


async def full(path: str) -> None:
    """Write until the file cannot grow; then give it room and go on. Says what failed and how many steps were taken."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = await SqliteEventStore.open(path, [Balances()])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    taken, failures = 0, []
    for number in range(100):
        outcomes = await asyncio.gather(
            *(store.append(step(f"s{number}/{n}", 0, 2)) for n in range(4)), return_exceptions=True
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        taken += 4 - len(failures)
        if failures:
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.append(step("afterwards", 0, 2))
    await store.close()
    ours = all(type(failure) is EventStoreError for failure in failures)
    sys.stdout.write(f"{taken + 1} {ours} {len(failures)} {failures[0]}\n")


if __name__ == "__main__":
    asyncio.run({"race": race, "crash": crash, "full": full}[sys.argv[1]](*sys.argv[2:]))
