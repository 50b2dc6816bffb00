"""Photos on their way through an engine that answers, fails, breaks and hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actors.entity_host import EntityHost
from actors.photo_dispatch import Engine, PhotoDispatch, PhotoTask
from event_store import MemoryEventStore
from s3palette.domain.job import CancelJob, ConfirmUpload, Execute, GetJob, JobPolicy
from s3palette.domain.model import Address
from s3palette.domain.user import GetUser, ReserveJob, SignUp
from s3palette.photo_outcome import PhotoOutcome

from .conftest import HostMaker, now, until

USER, JOB = Address("user", "u_1"), Address("job", "j_1")
RULE = {"Wall": {"action": "recolor", "value": "offwhite_b"}}


def delivered(task: PhotoTask) -> PhotoOutcome:
    return PhotoOutcome("done", output_key=f"outputs/{task.user_id}/{task.job_id}/{task.idx}_result.png")


@pytest.fixture
def start(make_host: HostMaker, log: MemoryEventStore) -> Callable[..., Any]:
    """Starts a host whose photos go through `engine`, and a job of `count` photos on it."""

    async def begin(
        engine: Engine, count: int, policy: JobPolicy, in_flight: int, timeout_s: float, references: Any
    ) -> EntityHost:
        late: dict[str, Any] = {}

        async def ask(*args: Any, **options: Any) -> Any:
            return await late["host"].ask(*args, **options)

        dispatch = PhotoDispatch(engine, ask, log, now=now, in_flight=in_flight, timeout_s=timeout_s)
        host = late["host"] = await make_host(policy, run_photo=dispatch.run)
        await host.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
        await host.ask(USER, ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=count))
        await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(count), 1)))
        await host.ask(JOB, Execute(at=now(), user_id="u_1", plan="free", concepts=RULE, references=references))
        return host

    async def start_(
        engine: Engine,
        count: int = 3,
        policy: JobPolicy | None = None,
        in_flight: int = 2,
        timeout_s: float = 5,
        references: Any = None,
    ) -> EntityHost:
        quick = JobPolicy(fault_backoff=(timedelta(seconds=0.01),) * 3)
        return await begin(engine, count, policy or quick, in_flight, timeout_s, references)

    return start_


async def ended(host: EntityHost) -> Any:
    async def final() -> Any:
        job = await host.ask(JOB, GetJob(user_id="u_1"))
        return job if job["status"] in ("done", "failed", "canceled") else None

    return await until(final)


async def test_every_photo_comes_back(start: Any, log: MemoryEventStore) -> None:
    tasks: list[PhotoTask] = []

    async def engine(task: PhotoTask) -> PhotoOutcome:
        tasks.append(task)
        return delivered(task)

    job = await ended(await start(engine))
    assert (job["status"], job["done_items"]) == ("done", 3)
    assert {(task.user_id, task.preset, task.idx) for task in tasks} == {("u_1", "interior", idx) for idx in range(3)}
    assert await log.owed() == []


async def test_a_photo_that_cannot_be_done_fails_alone(start: Any) -> None:
    async def engine(task: PhotoTask) -> PhotoOutcome:
        return PhotoOutcome("failed", "The file is not an image.") if task.idx == 1 else delivered(task)

    host = await start(engine)
    job = await ended(host)
    assert [item["status"] for item in job["items"]] == ["done", "failed", "done"]
    assert job["items"][1]["error"] == "The file is not an image."
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["spent"]) == (8, 2)


@pytest.mark.parametrize(("faults", "done"), [(0, 4), (3, 4), (4, 0)])
async def test_a_photo_that_sets_the_colour_goes_first_and_the_others_take_it(
    start: Any, faults: int, done: int
) -> None:
    tasks: list[PhotoTask] = []

    async def engine(task: PhotoTask) -> PhotoOutcome:
        tasks.append(task)
        if len(tasks) <= faults:
            raise ConnectionError("replica died")
        return replace(delivered(task), colors=dict.fromkeys(task.measure, "#8FA78F"))

    host = await start(engine, count=4, references={"Wall": 2})
    job = await ended(host)
    first = faults + 1 if done else faults
    assert [(task.idx, task.measure) for task in tasks[:first]] == [(2, ("Wall",))] * first
    told = {task.idx: (task.measure, task.concepts["Wall"]["value"]) for task in tasks[first:]}
    assert told == (dict.fromkeys((0, 1, 3), ((), "#8FA78F")) if done else {})
    assert (job["done_items"], job["failed_items"]) == (done, 4 - done)
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["spent"], me["reserved"]) == (10 - done, done, 0)


async def test_whatever_dies_while_the_others_wait_the_job_goes_on(
    start: Any, make_host: HostMaker, log: MemoryEventStore
) -> None:
    """A host dies while the photo that sets the colour is at the engine; the next takes up what is owed."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def hangs(task: PhotoTask) -> PhotoOutcome:
        reached.set()
        await never.wait()
        raise AssertionError("not reached")

    first = await start(hangs, references={"Wall": 0})
    await reached.wait()
    await first.close(0)
    order: list[int] = []
    late: dict[str, EntityHost] = {}

    async def engine(task: PhotoTask) -> PhotoOutcome:
        order.append(task.idx)
        return replace(delivered(task), colors=dict.fromkeys(task.measure, "#8FA78F"))

    async def ask(*args: Any, **options: Any) -> Any:
        return await late["host"].ask(*args, **options)

    dispatch = PhotoDispatch(engine, ask, log, now=now, in_flight=2, timeout_s=5)
    late["host"] = await make_host(JobPolicy(), run_photo=dispatch.run)
    job = await ended(late["host"])
    assert (job["status"], order[0], sorted(order)) == ("done", 0, [0, 1, 2])


@pytest.mark.parametrize(("faults", "status"), [(3, "done"), (4, "failed")])
async def test_a_broken_worker_is_tried_three_times_more(start: Any, faults: int, status: str) -> None:
    calls = 0

    async def engine(task: PhotoTask) -> PhotoOutcome:
        nonlocal calls
        calls += 1
        if calls <= faults:
            raise ConnectionError("replica died")
        return delivered(task)

    job = await ended(await start(engine, count=1))
    assert (job["status"], calls) == (status, 4)
    assert "replica died" not in str(job["items"][0]["error"])


async def test_a_photo_without_an_answer_fails_the_third_time(start: Any, log: MemoryEventStore) -> None:
    calls = 0

    async def engine(task: PhotoTask) -> PhotoOutcome:
        nonlocal calls
        calls += 1
        await asyncio.sleep(60)
        raise AssertionError("not reached")

    host = await start(engine, count=1, policy=JobPolicy(photo_within=timedelta(seconds=0.05)), timeout_s=0.1)
    job = await ended(host)
    assert (job["status"], calls) == ("failed", 3)

    async def nothing_owed() -> bool:
        return await log.owed() == []

    await until(nothing_owed)


async def test_never_more_at_the_engine_than_it_takes(start: Any) -> None:
    running = most = 0

    async def engine(task: PhotoTask) -> PhotoOutcome:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return delivered(task)

    await ended(await start(engine, count=10, in_flight=3))
    assert most == 3


async def test_a_canceled_job_starts_no_more_photos(start: Any, log: MemoryEventStore) -> None:
    gate, calls = asyncio.Event(), 0

    async def engine(task: PhotoTask) -> PhotoOutcome:
        nonlocal calls
        calls += 1
        await gate.wait()
        return delivered(task)

    host = await start(engine, count=6, in_flight=1)

    async def one_runs() -> bool:
        return calls == 1

    await until(one_runs)
    await host.ask(JOB, CancelJob(at=now(), user_id="u_1"))
    gate.set()

    async def nothing_owed() -> bool:
        return await log.owed() == []

    await until(nothing_owed)
    assert calls == 1
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["spent"], me["concurrent_jobs"]) == (10, 0, 0)


async def test_the_next_life_runs_what_was_under_way(make_host: HostMaker, start: Any, log: MemoryEventStore) -> None:
    """The host dies while two photos are at the engine: the next one dispatches them again, same attempt."""
    hung = asyncio.Event()

    async def dead_engine(task: PhotoTask) -> PhotoOutcome:
        hung.set()
        await asyncio.sleep(60)
        raise AssertionError("not reached")

    first = await start(dead_engine, count=3)
    await hung.wait()
    await first.close(0)

    async def engine(task: PhotoTask) -> PhotoOutcome:
        return delivered(task)

    late: dict[str, Any] = {}

    async def ask(*args: Any, **options: Any) -> Any:
        return await late["host"].ask(*args, **options)

    dispatch = PhotoDispatch(engine, ask, log, now=now, in_flight=2, timeout_s=5)
    second = late["host"] = await make_host(run_photo=dispatch.run)
    job = await ended(second)
    assert (job["status"], job["done_items"]) == ("done", 3)


async def test_a_result_that_the_job_refuses_for_good_is_dead_at_once(start: Any, log: MemoryEventStore) -> None:
    async def engine(task: PhotoTask) -> PhotoOutcome:
        return PhotoOutcome("done", output_key="somewhere/else.png")

    await start(engine, count=1)
    (dead,) = await until(log.dead)
    assert (dead.kind, dead.attempts) == ("task", 1)
    assert "output_key" in dead.error
