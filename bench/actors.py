"""What a resident actor costs, and what waking one costs, beside one Ray process an actor in the same run.

    python bench/actors.py [--entities 5000] [--processes 10]

Users and jobs are the real ones, made through an EntityHost on a SQLite log: a user with two rules and a job under
way, a job of ten photos of which five are delivered. A fresh process then opens the log and wakes them all, so what it
grows by is what they cost: resident memory (RSS) in one pass, what Python allocated (tracemalloc) in another. Cold
activation is the first question to an actor whose stream has 200 events, once replayed from the first and once from
the newest snapshot. The peer is a Ray actor that holds one such user and nothing else: the process Ray starts for it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import statistics
import sys
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from _system import machine

from actors.entity_host import EntityHost
from event_store import SqliteEventStore
from s3palette.domain.job import ConfirmUpload, Execute, GetJob, JobBehaviour, RecordResult
from s3palette.domain.model import Address, Command, Query
from s3palette.domain.user import CreateRule, GetUser, GrantCredits, ReserveJob, SetPlan, SignUp, UserBehaviour
from s3palette.read_models import PROJECTIONS

LONG_STREAMS = 50
EVENTS = 200
NEVER = 10**9
RULE: dict[str, Any] = {"Floor": {"action": "recolor", "value": "oak_a"}}


def now() -> datetime:
    return datetime.now(UTC)


def user(number: int) -> Address:
    return Address("user", f"u_{number:08d}")


def job(number: int) -> Address:
    return Address("job", f"j_{number:028d}")


async def host_on(log: Path, snapshot_every: int = 100) -> EntityHost:
    store = await SqliteEventStore.open(log, projections=PROJECTIONS)
    host = EntityHost(store, (UserBehaviour(), JobBehaviour()), now=now, resident=NEVER, snapshot_every=snapshot_every)
    await host.start()
    return host


async def live(host: EntityHost, number: int, photos: int, delivered: int) -> None:
    """One user's life until a job of theirs is under way."""
    owner, album = user(number), job(number)
    await host.ask(owner, SignUp(at=now(), user_id=owner.id, device_key=None))
    await host.ask(owner, SetPlan(at=now(), plan="pro"))
    for name in ("Oak", "Walnut"):
        rule = CreateRule(at=now(), rule_id=f"r_{number}_{name}", name=name, preset_id="interior", concepts=RULE)
        await host.ask(owner, rule)
    await host.ask(owner, ReserveJob(at=now(), job_id=album.id, preset="interior", item_count=photos))
    await host.ask(album, ConfirmUpload(at=now(), user_id=owner.id, sizes=dict.fromkeys(range(photos), 4_000_000)))
    await host.ask(album, Execute(at=now(), user_id=owner.id, plan="pro", concepts=RULE, dispatch="external"))
    for idx in range(delivered):
        place = f"{owner.id}/{album.id}/{idx}"
        result = RecordResult(
            at=now(),
            idx=idx,
            status="done",
            output_key=f"outputs/{place}_result.png",
            preview_key=f"previews/{place}_thumb.jpg",
            idempotency_key=f"{album.id}-{idx}",
        )
        await host.ask(album, result)


async def make_albums(log: Path, count: int) -> None:
    host = await host_on(log)
    for first in range(0, count, 500):
        await asyncio.gather(*(live(host, number, 10, 5) for number in range(first, min(first + 500, count))))
    await host.close(1)


async def make_long_streams(log: Path, snapshot_every: int) -> None:
    """Users and jobs with 200 events each: 195 grants; the answers of 197 photos."""
    host = await host_on(log, snapshot_every)

    async def one(number: int) -> None:
        await live(host, number, EVENTS, EVENTS - 3)
        for _ in range(EVENTS - 5):
            await host.ask(user(number), GrantCredits(at=now(), amount=1, reason="benchmark"))

    await asyncio.gather(*(one(number) for number in range(LONG_STREAMS)))
    await host.close(1)


async def resident(log: Path, kind: str, count: int, traced: bool) -> float:
    """Bytes that each of `count` entities adds to a fresh process."""
    address, question = (user, GetUser()) if kind == "user" else (job, GetJob())
    host = await host_on(log)
    for number in range(200):  # what is made once, and the store's page cache
        await host.ask(address(number), question)
    gc.collect()
    if traced:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if traced else psutil.Process().memory_info().rss
    for number in range(200, count):
        await host.ask(address(number), question)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] if traced else psutil.Process().memory_info().rss
    return (after - before) / (count - 200)


async def activation(log: Path, kind: str) -> tuple[float, float]:
    """(first answer of an entity asleep, the next one awake), ms, medians."""
    address, question = (user, GetUser()) if kind == "user" else (job, GetJob())
    host = await host_on(log)
    cold, warm = [], []
    for times in (cold, warm):
        for number in range(LONG_STREAMS):
            began = time.perf_counter()
            await host.ask(address(number), question)
            times.append(1000 * (time.perf_counter() - began))
    return statistics.median(cold), statistics.median(warm)


def in_a_fresh_process(work: Any, *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (work, arguments))


def _run(work: Any, arguments: tuple[Any, ...]) -> Any:
    return asyncio.run(work(*arguments))


def ray_processes(count: int) -> tuple[float, float, float, float]:
    """(RSS, memory of its own (USS) in bytes, seconds to start one, seconds for all at once) of a Ray actor a user."""
    import ray

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:

        @ray.remote(num_cpus=0)
        class OneUser:
            """A user as an actor of its own; holds the state that the host keeps."""

            def __init__(self) -> None:
                self._behaviour = UserBehaviour()
                self._state: Any = None

            def tell(self, command: Command) -> None:
                for event in self._behaviour.decide(self._state, command).events:
                    self._state = self._behaviour.evolve(self._state, event)

            def ask(self, question: Query) -> tuple[int, Any]:
                return psutil.Process().pid, self._behaviour.answer(self._state, question)

        def started(number: int) -> Any:
            actor = OneUser.remote()
            actor.tell.remote(SignUp(at=now(), user_id=user(number).id, device_key=None))
            return actor

        alone, actors = [], []
        for number in range(3):
            began = time.perf_counter()
            actors.append(started(number))
            ray.get(actors[-1].ask.remote(GetUser()))
            alone.append(time.perf_counter() - began)
        began = time.perf_counter()
        actors += [started(number) for number in range(3, count + 3)]
        pids = [pid for pid, _ in ray.get([actor.ask.remote(GetUser()) for actor in actors])]
        at_once = time.perf_counter() - began
        memory = [psutil.Process(pid).memory_full_info() for pid in pids]
        rss, own = (statistics.mean(getattr(each, name) for each in memory) for name in ("rss", "uss"))
        return rss, own, statistics.median(alone), at_once
    finally:
        ray.shutdown()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entities", type=int, default=5000)
    options.add_argument("--processes", type=int, default=10)
    chosen = options.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        albums, long, snapshots = (Path(folder) / name for name in ("albums.db", "long.db", "snapshots.db"))
        in_a_fresh_process(make_albums, albums, chosen.entities)
        in_a_fresh_process(make_long_streams, long, NEVER)
        in_a_fresh_process(make_long_streams, snapshots, 100)
        own = {}
        for kind in ("user", "job"):
            rss, own[kind] = (in_a_fresh_process(resident, albums, kind, chosen.entities, k) for k in (False, True))
            print(
                f"a resident {kind:4} {rss:8,.0f} bytes of RSS, {own[kind]:8,.0f} allocated ({chosen.entities:,} awake)"
            )
        cold = {}
        for kind in ("user", "job"):
            cold[kind], warm = in_a_fresh_process(activation, long, kind)
            from_snapshot, _ = in_a_fresh_process(activation, snapshots, kind)
            print(
                f"waking a {kind:4} {cold[kind]:6.2f} ms from {EVENTS} events, {from_snapshot:.2f} ms from a snapshot; "
                f"{1000 * warm:.0f} us when awake"
            )
    rss, uss, alone, at_once = ray_processes(chosen.processes)
    print(f"a Ray process   {rss / 2**20:.1f} MiB of RSS, {uss / 2**20:.1f} MiB its own")
    print(f"starting one    {alone:.2f} s to its first answer; {chosen.processes} at once {at_once:.1f} s")
    print(f"ratio           {uss / own['user']:,.0f} x the memory of a resident user (its own beside allocated)")
    print(f"                {1000 * alone / cold['user']:,.0f} x the time of waking one from {EVENTS} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
