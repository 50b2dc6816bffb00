import asyncio
import time
from dataclasses import replace

import pytest

from actors.outbox import ATTEMPTS, DeadLetter, Outbox, TryLater
from event_store import Append, EventStoreError, MemoryEventStore, OutboxRow


def row(name: str = "a", in_s: float = 0.0) -> OutboxRow:
    return OutboxRow(id=name, stream="user-1", shard=3, kind="tell", payload=b"x", due_at=time.time() + in_s)


async def owed_to(store: MemoryEventStore, *rows: OutboxRow) -> None:
    await store.append(Append("user-1", 0, put=rows))


class Receiver:
    def __init__(self, store: MemoryEventStore, *failures: Exception) -> None:
        self.store, self.failures = store, list(failures)
        self.seen: list[OutboxRow] = []
        self.done = asyncio.Event()

    async def __call__(self, row: OutboxRow) -> None:
        self.seen.append(row)
        if self.failures:
            raise self.failures.pop(0)
        await self.store.settle([row.id])
        self.done.set()


async def test_a_failure_is_tried_again_and_its_reason_kept() -> None:
    store = MemoryEventStore()
    receiver = Receiver(store, RuntimeError("no route"))
    await owed_to(store, row())
    outbox = Outbox(store, {"tell": receiver}, time.time)
    await asyncio.wait(outbox.accept([row()]))
    (kept,) = await store.owed()
    assert (kept.attempts, kept.error) == (1, "RuntimeError('no route')")
    await asyncio.wait_for(receiver.done.wait(), 2)
    assert [each.attempts for each in receiver.seen] == [0, 1]
    assert await store.owed() == []


@pytest.mark.parametrize("before", [0, ATTEMPTS])
async def test_a_receiver_may_say_when_to_come_again_as_often_as_it_likes(before: int) -> None:
    store = MemoryEventStore()
    receiver = Receiver(store, TryLater("full", 300))
    tried = replace(row(), attempts=before)
    await owed_to(store, tried)
    outbox = Outbox(store, {"tell": receiver}, time.time)
    await asyncio.wait(outbox.accept([tried]))
    (kept,) = await store.owed()
    assert 299 < kept.due_at - time.time() <= 300
    assert (kept.attempts, kept.error) == (before + 1, "full")


async def test_what_can_never_be_delivered_is_kept_for_the_operator() -> None:
    store = MemoryEventStore()
    await owed_to(store, row())
    outbox = Outbox(store, {"tell": Receiver(store, DeadLetter("refused for good"))}, time.time)
    await asyncio.wait(outbox.accept([row()]))
    assert await store.owed() == []
    (dead,) = await store.dead()
    assert (dead.error, dead.attempts) == ("refused for good", 1)
    assert dead.dead_at == pytest.approx(time.time(), abs=60)
    assert outbox.depth == 0


async def test_a_kind_that_nobody_knows_is_dead() -> None:
    store = MemoryEventStore()
    await owed_to(store, replace(row(), kind="carrier pigeon"))
    await asyncio.wait(Outbox(store, {}, time.time).accept(await store.owed()))
    assert [each.error for each in await store.dead()] == ["nobody knows what a carrier pigeon is"]


@pytest.mark.parametrize(("before", "dies"), [(ATTEMPTS - 2, False), (ATTEMPTS - 1, True)])
async def test_it_is_given_up_after_so_many_attempts(before: int, dies: bool) -> None:
    store = MemoryEventStore()
    await owed_to(store, replace(row(), attempts=before))
    outbox = Outbox(store, {"tell": Receiver(store, RuntimeError("again"))}, time.time)
    await asyncio.wait(outbox.accept(await store.owed()))
    kept = [*await store.dead(), *await store.owed()]
    assert [(each.dead_at is not None, each.attempts) for each in kept] == [(dies, before + 1)]
    assert outbox.depth == (0 if dies else 1)
    await outbox.close(0)


async def test_nothing_dies_unnoted() -> None:
    class Full(MemoryEventStore):
        async def put_owed(self, row: OutboxRow) -> None:
            raise EventStoreError("the disk is full")

    store = Full()
    await owed_to(store, row())
    outbox = Outbox(store, {"tell": Receiver(store, DeadLetter("no"), DeadLetter("no"))}, time.time)
    await asyncio.wait(outbox.accept(await store.owed()))
    assert (outbox.depth, len(await store.owed())) == (1, 1)
    await outbox.close(0)


async def test_a_dead_row_is_delivered_again_when_the_operator_says_so() -> None:
    store = MemoryEventStore()
    receiver = Receiver(store, DeadLetter("not yet"))
    await owed_to(store, row())
    outbox = Outbox(store, {"tell": receiver}, time.time)
    await asyncio.wait(outbox.accept(await store.owed()))
    assert await asyncio.gather(outbox.revive(["a"]), outbox.revive(["a", "b"])) == [1, 0]
    await asyncio.wait_for(receiver.done.wait(), 2)
    assert [each.attempts for each in receiver.seen] == [0, 0]
    assert await store.dead() == await store.owed() == []


async def test_nothing_starts_before_it_is_due_and_forgotten_rows_never_do() -> None:
    store = MemoryEventStore()
    receiver = Receiver(store)
    outbox = Outbox(store, {"tell": receiver}, time.time)
    assert outbox.accept([row("soon", 0.05), row("gone", 0.05), row("late", 60)]) == []
    outbox.forget(["gone", "never there"])
    await asyncio.wait_for(receiver.done.wait(), 2)
    await asyncio.sleep(0.05)
    assert [each.id for each in receiver.seen] == ["soon"]
    assert outbox.depth == 1
    await outbox.close(0)


async def test_the_same_row_again_moves_its_timer() -> None:
    store = MemoryEventStore()
    receiver = Receiver(store)
    outbox = Outbox(store, {"tell": receiver}, time.time)
    outbox.accept([row("alarm", 60)])
    outbox.accept([replace(row("alarm"), payload=b"new")])
    await asyncio.wait_for(receiver.done.wait(), 2)
    assert [each.payload for each in receiver.seen] == [b"new"]
    assert outbox.depth == 0


async def test_a_new_life_takes_up_what_its_shards_owe() -> None:
    store = MemoryEventStore()
    await owed_to(store, row("mine"), replace(row("other"), shard=4))
    receiver = Receiver(store)
    assert await Outbox(store, {"tell": receiver}, time.time).recover([3]) == 1
    await asyncio.wait_for(receiver.done.wait(), 2)
    assert [each.id for each in receiver.seen] == ["mine"]


async def test_closing_waits_for_what_runs_and_leaves_the_rest_owed() -> None:
    store = MemoryEventStore()
    gate = asyncio.Event()

    async def slow(row: OutboxRow) -> None:
        await gate.wait()
        await store.settle([row.id])

    await owed_to(store, row("runs"), row("hangs"), row("waits", 60))
    outbox = Outbox(store, {"tell": slow}, time.time)
    outbox.accept([row("runs"), row("waits", 60)])
    asyncio.get_running_loop().call_later(0.02, gate.set)
    await asyncio.sleep(0)
    await outbox.close(1.0)
    assert {each.id for each in await store.owed()} == {"hangs", "waits"}
    assert outbox.accept([row("hangs")]) == []
