"""Before a system stops, photos under way end; those that wait stay owed and are done in the next life."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.entity_host import EntityHost
from actors.photo_dispatch import PhotoDispatch, PhotoOutcome, PhotoTask
from event_store import MemoryEventStore
from s3palette.domain.job import ConfirmUpload, Execute, GetJob
from s3palette.domain.model import Address
from s3palette.domain.user import GetUser, ReserveJob, SignUp

from .conftest import HostMaker, now, until

USER, JOB = Address("user", "u_1"), Address("job", "j_1")
RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}


class Engine:
    """Finishes a photo when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[int] = []

    async def __call__(self, task: PhotoTask) -> PhotoOutcome:
        self.begun.append(task.idx)
        await self.gate.wait()
        return PhotoOutcome("done", output_key=f"outputs/u_1/j_1/{task.idx}_result.png")


async def life(make_host: HostMaker, log: MemoryEventStore, engine: Engine) -> tuple[EntityHost, PhotoDispatch]:
    """A host with two places at the engine."""
    late: dict[str, Any] = {}

    async def ask(*args: Any, **options: Any) -> Any:
        return await late["host"].ask(*args, **options)

    dispatch = PhotoDispatch(engine, ask, log, now=now, in_flight=2, timeout_s=5)
    late["host"] = await make_host(run_photo=dispatch.run)
    return late["host"], dispatch


async def begin(host: EntityHost, engine: Engine) -> None:
    await host.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
    await host.ask(USER, ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=4))
    await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(4), 1)))
    await host.ask(JOB, Execute(at=now(), user_id="u_1", plan="free", concepts=RULE, dispatch="engine"))

    async def two_under_way() -> bool:
        return len(engine.begun) == 2

    await until(two_under_way)


async def test_photos_under_way_end_and_the_next_life_does_the_others(
    make_host: HostMaker, log: MemoryEventStore
) -> None:
    engine = Engine()
    host, dispatch = await life(make_host, log, engine)
    await begin(host, engine)
    assert (dispatch.running, dispatch.waiting) == (2, 2)
    draining = asyncio.create_task(dispatch.drain(5))
    await asyncio.sleep(0.02)
    assert not draining.done()
    engine.gate.set()
    assert await draining == 0
    assert engine.begun == [0, 1]
    assert (await host.ask(JOB, GetJob()))["done_items"] == 2
    assert [row.attempts for row in await log.owed() if row.kind == "task"] == [0, 0]
    await host.close(0.1)

    host, _ = await life(make_host, log, engine)

    async def done() -> Any:
        return (await host.ask(JOB, GetJob()))["status"] == "done"

    await until(done)
    assert sorted(engine.begun) == [0, 1, 2, 3]
    assert (await host.ask(USER, GetUser()))["spent"] == 4


async def test_a_photo_that_takes_too_long_is_left_to_the_next_life(
    make_host: HostMaker, log: MemoryEventStore
) -> None:
    engine = Engine()
    host, dispatch = await life(make_host, log, engine)
    await begin(host, engine)
    assert await dispatch.drain(0.02) == 2
    await host.close(0.02)
    engine.gate.set()
    again = Engine()
    again.gate.set()
    host, _ = await life(make_host, log, again)

    async def done() -> Any:
        return (await host.ask(JOB, GetJob()))["status"] == "done"

    await until(done)
    assert sorted(again.begun) == [0, 1, 2, 3]
    started = [event.type for event in await log.read(JOB.stream)].count("PhotoStarted")
    assert started == 4, "the attempt that was cut off goes on, it is no new one"
