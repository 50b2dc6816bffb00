"""What a worker has taken: each photo once, in turn among jobs, never more than it can hold."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from s3palette.external import JobMessage, PhotoItem, job_message
from s3palette.photo_outcome import PhotoOutcome
from s3palette.testing import MemoryStore
from s3palette.worker import Inbox

DONE = PhotoOutcome("done", output_key="outputs/u_1/j_1/0_result.png")
RULE = {"Wall": {"action": "recolor", "value": "offwhite_b"}}


def message(job: str = "j_1", photos: int = 2, attempt: int = 1, concurrency: int = 10) -> JobMessage:
    work = {
        "user_id": "u_1",
        "preset": "interior",
        "concepts": RULE,
        "protect": [],
        "idxs": range(photos),
    }
    work |= {"measure": [], "refinements": {}, "etags": {}}
    return job_message(job, attempt, work, store=MemoryStore(), base_url="http://api", concurrency=concurrency)


class Engine:
    """Works when it is told to; notes what it works on and what was reported."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.faults: list[Exception] = []
        self.worked: list[tuple[str, int, int]] = []
        self.reported: list[tuple[str, int, int]] = []
        self.running = self.most = 0

    async def work(self, told: JobMessage, item: PhotoItem) -> PhotoOutcome:
        self.worked.append((told.job, item.idx, told.attempt))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
            if self.faults:
                raise self.faults.pop(0)
        finally:
            self.running -= 1
        return DONE

    async def report(self, told: JobMessage, item: PhotoItem, outcome: PhotoOutcome) -> None:
        self.reported.append((told.job, item.idx, told.attempt))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def make(engine: Engine) -> AsyncIterator[Callable[..., Inbox]]:
    made: list[Inbox] = []

    def make_(slots: int = 2, capacity: int = 10) -> Inbox:
        made.append(Inbox(engine.work, engine.report, slots=slots, capacity=capacity))
        return made[-1]

    yield make_
    for inbox in made:
        await inbox.close(0)


async def idle(inbox: Inbox) -> None:
    async with asyncio.timeout(5):
        while inbox.running or inbox.waiting:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)


async def settle() -> None:
    """Let everything that can go on without the gate go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_every_photo_is_worked_on_once_and_reported(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make()
    assert inbox.offer(message(photos=5))
    await settle()
    assert (inbox.running, inbox.waiting) == (2, 3)
    engine.gate.set()
    await idle(inbox)
    assert sorted(engine.reported) == [("j_1", idx, 1) for idx in range(5)]
    assert engine.most == 2


@pytest.mark.parametrize("finished", [False, True])
async def test_a_repeated_offer_is_taken_and_not_run_again(
    make: Callable[..., Inbox], engine: Engine, finished: bool
) -> None:
    inbox = make()
    assert inbox.offer(message())
    if finished:
        engine.gate.set()
        await idle(inbox)
    assert inbox.offer(message())
    engine.gate.set()
    await idle(inbox)
    assert len(engine.worked) == 2


async def test_a_newer_offer_brings_fresh_addresses_to_what_waits(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make(slots=1)
    assert inbox.offer(message())
    await settle()
    assert inbox.offer(message(attempt=2))
    engine.gate.set()
    await idle(inbox)
    assert sorted(engine.reported) == [("j_1", 0, 1), ("j_1", 1, 2)], "one runs already, one had not begun"


async def test_what_failed_with_old_addresses_is_run_again_with_newer_ones(
    make: Callable[..., Inbox], engine: Engine
) -> None:
    inbox = make()
    engine.faults = [ConnectionError("the address is too old")]
    assert inbox.offer(message(photos=1))
    await settle()
    assert inbox.offer(message(photos=1, attempt=2))
    engine.gate.set()
    await idle(inbox)
    assert engine.worked == [("j_1", 0, 1), ("j_1", 0, 2)]
    assert engine.reported == [("j_1", 0, 2)]


async def test_what_failed_is_forgotten_and_taken_again(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make()
    engine.gate.set()
    engine.faults = [ConnectionError("no route")]
    assert inbox.offer(message(photos=1))
    await idle(inbox)
    assert engine.reported == []
    assert inbox.offer(message(photos=1))
    await idle(inbox)
    assert engine.reported == [("j_1", 0, 1)]


async def test_a_full_inbox_takes_nothing_of_a_job(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make(capacity=3)
    assert inbox.offer(message("j_1", 2))
    assert not inbox.offer(message("j_2", 2))
    assert inbox.offer(message("j_1", 2)), "a repeat takes no room"
    assert inbox.offer(message("j_3", 1))
    engine.gate.set()
    await idle(inbox)
    assert {job for job, _, _ in engine.worked} == {"j_1", "j_3"}
    assert inbox.offer(message("j_2", 2))
    await idle(inbox)
    assert len(engine.reported) == 5


async def test_an_empty_inbox_takes_a_job_larger_than_itself(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make(capacity=3)
    assert inbox.offer(message(photos=7))
    engine.gate.set()
    await idle(inbox)
    assert len(engine.reported) == 7


async def test_no_more_of_one_job_at_once_than_its_message_allows(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make(slots=3)
    assert inbox.offer(message("j_1", 4, concurrency=1))
    assert inbox.offer(message("j_2", 4, concurrency=2))
    await settle()
    assert sorted(job for job, _, _ in engine.worked) == ["j_1", "j_2", "j_2"]
    engine.gate.set()
    await idle(inbox)
    assert len(engine.reported) == 8


async def test_a_job_of_many_does_not_stand_before_a_job_of_one(make: Callable[..., Inbox], engine: Engine) -> None:
    inbox = make(slots=1, capacity=20)
    inbox.offer(message("j_many", 9))
    await settle()
    inbox.offer(message("j_one", 1))
    engine.gate.set()
    await idle(inbox)
    assert [job for job, _, _ in engine.worked].index("j_one") <= 2


@pytest.mark.parametrize(("patience", "reported"), [(5.0, 3), (0.01, 0)])
async def test_a_stop_waits_for_what_is_here(
    make: Callable[..., Inbox], engine: Engine, patience: float, reported: int
) -> None:
    inbox = make(slots=1)
    inbox.offer(message(photos=3))
    await settle()

    async def open_gate() -> None:
        await settle()
        if reported:
            engine.gate.set()

    await asyncio.gather(inbox.close(patience), open_gate())
    assert len(engine.reported) == reported
    assert (inbox.running, inbox.waiting) == (0, 0)


async def test_closing_an_empty_one_is_nothing(make: Callable[..., Inbox]) -> None:
    await make().close(5)


def test_the_worker_needs_no_ray() -> None:
    code = "import sys, s3palette.cli.worker, s3palette.worker; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
