"""What the outbox says it owes: rows by kind, and for how long the oldest has been due."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from actors.outbox import Outbox, Owed
from event_store import MemoryEventStore, OutboxRow
from s3palette.testing import FakeClock

NOTHING = Owed(0, 0.0)


class Receiver:
    """Takes rows when it is let, and refuses the first `failures`."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.open = asyncio.Event()
        self.calls = 0

    async def __call__(self, row: OutboxRow) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise RuntimeError("not now")
        await self.open.wait()


def row(clock: FakeClock, kind: str = "tell", in_s: float = 0.0, name: str = "a") -> OutboxRow:
    return OutboxRow(name, "user-1", shard=3, kind=kind, payload=b"x", due_at=clock.timestamp() + in_s)


async def test_rows_are_owed_until_they_are_delivered() -> None:
    clock, receiver = FakeClock(), Receiver()
    outbox = Outbox(MemoryEventStore(), {"tell": receiver, "alarm": receiver}, clock.timestamp)
    assert outbox.owed() == {"tell": NOTHING, "alarm": NOTHING}
    tasks = outbox.accept([row(clock), row(clock, name="b"), row(clock, "alarm", 60.0, "c")])
    clock.advance(timedelta(seconds=5))
    assert outbox.owed() == {"tell": Owed(2, 5.0), "alarm": Owed(1, 0.0)}
    receiver.open.set()
    await asyncio.wait(tasks)
    assert outbox.owed() == {"tell": NOTHING, "alarm": Owed(1, 0.0)}
    outbox.forget(["c", "unknown"])
    assert outbox.owed() == {"tell": NOTHING, "alarm": NOTHING}


async def test_a_row_tried_again_is_as_late_as_when_it_was_due_first() -> None:
    clock, receiver = FakeClock(), Receiver(failures=1)
    outbox = Outbox(MemoryEventStore(), {"tell": receiver}, clock.timestamp)
    await asyncio.wait(outbox.accept([row(clock)]))
    clock.advance(timedelta(seconds=30))
    assert outbox.owed() == {"tell": Owed(1, 30.0)}
    receiver.open.set()
    async with asyncio.timeout(5):
        while outbox.owed()["tell"].rows:  # noqa: ASYNC110 - the retry's timer is real
            await asyncio.sleep(0.01)
    assert receiver.calls == 2


async def test_an_alarm_set_anew_is_due_anew() -> None:
    clock, receiver = FakeClock(), Receiver()
    outbox = Outbox(MemoryEventStore(), {"alarm": receiver}, clock.timestamp)
    outbox.accept([row(clock, "alarm", 10.0)])
    clock.advance(timedelta(seconds=5))
    outbox.accept([row(clock, "alarm", 60.0)])
    clock.advance(timedelta(seconds=30))
    assert outbox.owed() == {"alarm": Owed(1, 0.0)}
    await outbox.close(0.1)
    assert outbox.owed() == {"alarm": NOTHING}
