"""A full queue before the engine: no further job is let in, and nothing that was let in is ever refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from actors.entity_host import EntityHost
from actors.photo_dispatch import PhotoDispatch, PhotoTask
from event_store import MemoryEventStore
from s3palette.domain.errors import InvalidTransition, Overloaded
from s3palette.domain.job import ConfirmUpload, Execute, GetJob, JobPolicy
from s3palette.domain.model import Address
from s3palette.domain.user import ReserveJob, SetPlan, SignUp
from s3palette.photo_outcome import PhotoOutcome

from .conftest import HostMaker, now, until

USER = Address("user", "u_1")
QUEUE = 3


class Engine:
    """Holds every photo until `open` is set; breaks at the photos it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.breaks: set[str] = set()

    async def __call__(self, task: PhotoTask) -> PhotoOutcome:
        await self.open.wait()
        if task.job_id in self.breaks:
            self.breaks.remove(task.job_id)
            raise ConnectionError("the worker was killed")
        return PhotoOutcome("done", output_key=f"outputs/{task.user_id}/{task.job_id}/{task.idx}_result.png")


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def host(make_host: HostMaker, log: MemoryEventStore, engine: Engine) -> EntityHost:
    """One photo at the engine, at most three waiting, and a user on the pro plan with three uploaded jobs."""
    late: dict[str, Any] = {}

    async def ask(*args: Any, **options: Any) -> Any:
        return await late["host"].ask(*args, **options)

    dispatch = PhotoDispatch(engine, ask, log, now=now, in_flight=1, timeout_s=5, queue=QUEUE)
    quick = JobPolicy(fault_backoff=(timedelta(seconds=0.01),) * 3)
    made = late["host"] = await make_host(quick, run_photo=dispatch.run, admit=dispatch.admit)
    await made.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
    await made.ask(USER, SetPlan(at=now(), plan="pro"))
    for number, photos in enumerate((2, 2, 1)):
        job = Address("job", f"j_{number}")
        await made.ask(USER, ReserveJob(at=now(), job_id=job.id, preset="interior", item_count=photos))
        await made.ask(job, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(photos), 1)))
    return made


async def execute(host: EntityHost, number: int, dispatch: Any = "engine") -> Any:
    rule = {"Wall": {"action": "recolor", "value": "offwhite_b"}}
    command = Execute(at=now(), user_id="u_1", plan="pro", concepts=rule, dispatch=dispatch)
    return await host.ask(Address("job", f"j_{number}"), command, command_id=f"c-{number}")


async def status(host: EntityHost, number: int) -> str:
    job = await host.ask(Address("job", f"j_{number}"), GetJob(user_id="u_1"))
    return str(job["status"])


def done(host: EntityHost, number: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await status(host, number) == "done"

    return look


async def fill(host: EntityHost) -> None:
    """One photo of two jobs is at the engine, three wait."""
    for number in (0, 1):
        await execute(host, number)

    async def full() -> bool:
        return await status(host, 0) == "running"

    await until(full)


async def test_a_job_more_is_refused_keeps_its_upload_and_is_taken_later(host: EntityHost, engine: Engine) -> None:
    await fill(host)
    with pytest.raises(Overloaded) as refused:
        await execute(host, 2)
    assert refused.value.retry_after == 30
    assert await status(host, 2) == "uploaded"
    engine.open.set()
    await until(done(host, 0))
    await until(done(host, 1))
    assert await execute(host, 2) == {"queued": True}
    await until(done(host, 2))


async def test_a_repeat_of_an_execution_gets_its_first_answer(host: EntityHost) -> None:
    await fill(host)
    assert await execute(host, 0) == {"queued": True}


async def test_what_is_wrong_with_a_request_is_said_before_the_queue_is(host: EntityHost) -> None:
    await fill(host)
    again = Execute(at=now(), user_id="u_1", plan="pro", concepts={"Wall": {"action": "remove"}})
    with pytest.raises(InvalidTransition):
        await host.ask(Address("job", "j_0"), again, command_id="another")


async def test_a_job_for_workers_outside_does_not_wait_here(host: EntityHost) -> None:
    await fill(host)
    assert await execute(host, 2, dispatch="external") == {"queued": True}


async def test_a_photo_that_is_tried_again_is_never_refused(host: EntityHost, engine: Engine) -> None:
    engine.breaks = {"j_0", "j_1"}
    await fill(host)
    engine.open.set()
    await until(done(host, 0))
    await until(done(host, 1))
