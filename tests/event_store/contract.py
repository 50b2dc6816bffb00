"""The contract of `event_store.EventStore` as tests. A backend subclasses it and says how a store is made."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import replace

import pytest

from event_store import (
    Append,
    CommandRepeated,
    ConcurrencyError,
    EventStore,
    EventStoreError,
    NewEvent,
    Snapshot,
    StoreClosed,
)
from event_store.testing import CrashPoint, Faults, SimulatedCrash

from .contract_rows import Make, ReadModelContract, contents
from .samples import Balances, Clock, Xor, event, owed, step

UNWRITTEN: tuple[CrashPoint, ...] = ("before_begin", "after_events", "before_commit")


class EventStoreContract(ReadModelContract):
    # Events

    async def test_what_was_appended_is_read_back(self, make: Make) -> None:
        store = await make(clock=Clock(1.5))
        first, second = event(), NewEvent("id-2", "Took place", 3, b"\x00\xff", b'{"a":1}')

        appended = await store.append(Append("a", 0, (first, second)))

        assert appended.version == 2
        assert await store.read("a") == list(appended.events)
        last = appended.events[1]
        assert (last.stream, last.version, last.recorded_at) == ("a", 2, "1970-01-01T00:00:01.500000Z")
        assert NewEvent(last.event_id, last.type, last.schema_version, last.data, last.metadata) == second
        assert (appended.events[0].prev_hash, last.prev_hash) == (bytes(32), appended.events[0].hash)

    @pytest.mark.parametrize(
        ("after", "upto", "versions"),
        [(0, None, [1, 2, 3, 4]), (2, None, [3, 4]), (0, 2, [1, 2]), (1, 3, [2, 3]), (4, None, []), (-1, 1, [1])],
    )
    async def test_part_of_a_stream(self, store: EventStore, after: int, upto: int | None, versions: list[int]) -> None:
        await store.append(step("a", 0, 4))
        assert [e.version for e in await store.read("a", after, upto)] == versions

    async def test_a_stream_up_to_a_time(self, make: Make) -> None:
        clock = Clock()
        store = await make(clock=clock)
        for version, clock.now in enumerate((10, 20, 30)):
            await store.append(step("a", version))
        for until, count in (("1970-01-01T00:00:09Z", 0), ("1970-01-01T01:00:20+01:00", 2), ("1971-01-01", 3)):
            assert len(await store.read("a", until=until)) == count, until
        with pytest.raises(EventStoreError, match="'tomorrow' is not an ISO-8601 time"):
            await store.read("a", until="tomorrow")

    async def test_time_never_runs_backwards_in_a_stream(self, make: Make) -> None:
        clock = Clock(100)
        store = await make(clock=clock)
        await store.append(step("a", 0))
        clock.now = 50
        await store.append(step("a", 1))
        assert [e.recorded_at for e in await store.read("a")] == ["1970-01-01T00:01:40.000000Z"] * 2

    async def test_an_unknown_stream_is_empty(self, store: EventStore) -> None:
        loaded = await store.load("nobody")
        assert (loaded.snapshot, loaded.events, await store.read("nobody")) == (None, (), [])

    async def test_streams_by_prefix(self, store: EventStore) -> None:
        for stream, count in (("job/2", 1), ("user/1", 1), ("job/10", 3), ("job", 1), ("job%", 1), ("사용자/1", 2)):
            await store.append(step(stream, 0, count))
        assert await store.streams("job/") == [("job/10", 3), ("job/2", 1)]
        assert await store.streams("job%") == [("job%", 1)]
        assert await store.streams("사용자") == [("사용자/1", 2)]
        assert len(await store.streams()) == 6

    async def test_the_whole_log_in_pages(self, store: EventStore) -> None:
        for stream in "abc":
            await store.append(step(stream, 0, 2))
        found, after = [], 0
        while page := await store.read_all(after, limit=4):
            assert len(page) <= 4
            found += [(e.stream, e.version) for e in page]
            after = page[-1].global_position
        assert found == [(stream, version) for stream in "abc" for version in (1, 2)]

    async def test_global_order_does_not_interleave_steps(self, store: EventStore) -> None:
        async def write(stream: str) -> None:
            for version in range(0, 15, 3):
                await store.append(step(stream, version, 3))

        await asyncio.gather(*(write(f"s{number}") for number in range(8)))

        log = await store.read_all()
        assert len(log) == 8 * 15
        positions = [e.global_position for e in log]
        assert positions == sorted(set(positions))
        assert positions[0] >= 1
        for first in range(0, len(log), 3):
            one = log[first : first + 3]
            assert len({e.stream for e in one}) == 1
            assert [e.version - one[0].version for e in one] == [0, 1, 2]

    # The fence

    @pytest.mark.parametrize("expected", [0, 1, 3])
    async def test_a_stream_that_moved_on(self, store: EventStore, expected: int) -> None:
        await store.append(step("a", 0, 2))
        before = await contents(store)
        with pytest.raises(ConcurrencyError) as caught:
            await store.append(step("a", expected, command_id="c", put=[owed("o")], snapshot=Snapshot("a", 1, b"s")))
        assert (caught.value.stream, caught.value.expected, caught.value.actual) == ("a", expected, 2)
        assert await contents(store) == before

    async def test_a_step_without_events_is_fenced_too(self, store: EventStore) -> None:
        with pytest.raises(ConcurrencyError):
            await store.append(Append("a", 1, command_id="c"))
        assert (await store.append(Append("a", 0, command_id="c"))).version == 0
        assert await store.command_answer("c") == b"null"

    async def test_one_conflict_among_many_fails_one_caller(self, store: EventStore) -> None:
        await store.append(step("taken", 0))
        steps = [step(f"s{number}" if number != 5 else "taken", 0) for number in range(10)]
        outcomes = await asyncio.gather(*map(store.append, steps), return_exceptions=True)
        assert [type(outcome).__name__ for outcome in outcomes] == ["Appended"] * 5 + ["ConcurrencyError"] + [
            "Appended"
        ] * 4
        assert await store.verify() == 10

    async def test_of_two_rivals_one_wins(self, store: EventStore) -> None:
        outcomes = await asyncio.gather(store.append(step("a", 0)), store.append(step("a", 0)), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Appended", "ConcurrencyError"]
        assert len(await store.read("a")) == 1

    # Commands

    async def test_a_repeated_command_gets_the_first_answer(self, store: EventStore) -> None:
        await store.append(step("a", 0, command_id="c", answer=b'"first"'))
        before = await contents(store)
        # At a version that is right, and at one that is not: the repeat wins over the conflict.
        for expected in (1, 0):
            with pytest.raises(CommandRepeated) as caught:
                await store.append(step("a", expected, command_id="c", answer=b'"second"'))
            assert (caught.value.command_id, caught.value.answer) == ("c", b'"first"')
        assert await contents(store) == before
        assert await store.command_answer("unheard-of") is None

    async def test_a_command_repeated_at_once(self, store: EventStore) -> None:
        outcomes = await asyncio.gather(
            *(store.append(step("a", 0, command_id="c")) for _ in range(5)), return_exceptions=True
        )
        assert [type(o).__name__ for o in outcomes] == ["Appended"] + ["CommandRepeated"] * 4

    async def test_old_answers_are_forgotten(self, make: Make) -> None:
        clock = Clock()
        store = await make(clock=clock)
        for version, clock.now in enumerate((10, 20, 30)):
            await store.append(step("a", version, command_id=f"c{version}"))
        assert await store.prune_commands("1970-01-01T00:00:20Z") == 1
        assert [await store.command_answer(f"c{n}") for n in range(3)] == [None, b"null", b"null"]
        assert (await store.append(step("a", 3, command_id="c0"))).version == 4

    # Snapshots

    async def test_loading_begins_at_the_newest_snapshot(self, store: EventStore) -> None:
        await store.append(step("a", 0, 3, snapshot=Snapshot("a", 2, b"two")))
        await store.append(step("a", 3, 2))
        loaded = await store.load("a")
        assert loaded.snapshot == Snapshot("a", 2, b"two")
        assert [e.version for e in loaded.events] == [3, 4, 5]

        await store.append(Append("a", 5, snapshot=Snapshot("a", 5, b"five")))
        await store.append(Append("a", 5, snapshot=Snapshot("a", 4, b"late")))
        loaded = await store.load("a")
        assert (loaded.snapshot, loaded.events) == (Snapshot("a", 5, b"five"), ())

    @pytest.mark.parametrize("snapshot", [Snapshot("b", 1, b""), Snapshot("a", 3, b""), Snapshot("a", 0, b"")])
    async def test_a_snapshot_that_does_not_fit(self, store: EventStore, snapshot: Snapshot) -> None:
        with pytest.raises(EventStoreError, match="does not belong to a at version 2"):
            await store.append(step("a", 0, 2, snapshot=snapshot))
        assert await store.read("a") == []

    # Outbox

    async def test_what_is_owed_comes_by_due_time(self, store: EventStore) -> None:
        full = owed("o3", 3.5, stream="b", shard=7, kind="task", payload=b"\x00p", attempts=2, error="no")
        await store.append(step("a", 0, put=[owed("o5", 5), full, owed("o1b"), owed("o1a"), owed("gone", dead_at=9.0)]))
        rows = await store.owed()
        assert [row.id for row in rows] == ["o1a", "o1b", "o3", "o5"]
        assert rows[2] == full
        assert [row.id for row in await store.owed([7, 8])] == ["o3"]
        assert await store.owed([]) == []
        assert await store.dead() == [owed("gone", dead_at=9.0)]

    async def test_an_alarm_is_replaced_and_settled_with_a_step(self, store: EventStore) -> None:
        await store.append(step("a", 0, put=[owed("alarm", 10), owed("tell", 1)]))
        await store.append(step("a", 1, put=[owed("alarm", 20)]))
        assert await store.owed() == [owed("tell", 1), owed("alarm", 20)]
        await store.append(step("a", 2, done=["alarm", "unknown"], put=[owed("alarm", 30)]))
        assert await store.owed() == [owed("tell", 1), owed("alarm", 30)]
        await store.append(step("a", 3, done=["alarm"]))
        assert await store.owed() == [owed("tell", 1)]

    async def test_a_failed_delivery_is_put_back(self, store: EventStore) -> None:
        await store.append(step("a", 0, put=[owed("o"), owed("p")]))
        failed = owed("o", 9.0, attempts=1, error="nobody there")
        await store.put_owed(failed)
        assert await store.owed() == [owed("p"), failed]
        await store.put_owed(replace(failed, dead_at=10.0))
        assert (await store.owed(), await store.dead()) == ([owed("p")], [replace(failed, dead_at=10.0)])

    async def test_the_dead_are_owed_again_once(self, store: EventStore) -> None:
        late, early = (
            owed("late", 1.0, attempts=3, error="no", owed_at=0.5, dead_at=9.0),
            owed("early", 2.0, dead_at=8.0),
        )
        await store.append(step("a", 0, put=[late, early, owed("alive", 20.0)]))
        assert await store.dead() == [early, late]
        again = replace(late, attempts=0, due_at=30.0, dead_at=None)
        outcomes = await asyncio.gather(*(store.revive(["late", "alive", "unknown"], 30.0) for _ in range(3)))
        assert sorted(outcomes, key=len) == [[], [], [again]]
        assert (await store.owed(), await store.dead()) == ([owed("alive", 20.0), again], [early])

    async def test_a_row_that_is_gone_stays_gone(self, store: EventStore) -> None:
        await store.append(step("a", 0, put=[owed("o"), owed("p")]))
        await store.settle(["o", "unknown"])
        await store.put_owed(owed("o", attempts=1))
        assert await store.owed() == [owed("p")]

    # Codec

    async def test_data_goes_through_the_codec(self, make: Make) -> None:
        store = await make(codec=Xor(), projections=[Balances()])
        steps = [step(stream, 0, 2, snapshot=Snapshot(stream, 1, b"state")) for stream in ("secret", "plain/1")]
        for one in steps:
            appended = await store.append(one)
            assert [e.data for e in appended.events] == [e.data for e in one.events]
            assert await store.read(one.stream) == list(appended.events)
            assert (await store.load(one.stream)).snapshot == one.snapshot
        assert [e.data for e in await store.read_all()] == [e.data for one in steps for e in one.events]
        assert await store.verify() == 4
        assert await store.drift() == {"balances": 0, "deposits": 0}

    # Faults and cancelling

    @pytest.mark.parametrize("point", UNWRITTEN)
    async def test_a_crash_before_the_commit_leaves_nothing(self, make: Make, point: CrashPoint) -> None:
        faults = Faults()
        store = await make(projections=[Balances()], faults=faults)
        await store.append(step("a", 0, snapshot=Snapshot("a", 1, b"s"), put=[owed("o")]))
        before = await contents(store)
        more = step("a", 1, 2, command_id="c", put=[owed("p")], done=["o"], snapshot=Snapshot("a", 3, b"t"))

        faults.arm(point)
        with pytest.raises(SimulatedCrash, match=point):
            await store.append(more)
        assert await contents(store) == before

        assert (await store.append(more)).version == 3
        assert await store.owed() == [owed("p")]
        assert await store.drift() == {"balances": 0, "deposits": 0}

    async def test_a_crash_after_the_commit_leaves_everything(self, make: Make) -> None:
        faults = Faults()
        store = await make(faults=faults)
        faults.arm("after_commit", after=1)
        await store.append(step("a", 0))
        with pytest.raises(SimulatedCrash):
            await store.append(step("a", 1, command_id="c", answer=b"1"))
        assert faults.passed["after_commit"] == 2
        with pytest.raises(CommandRepeated) as caught:
            await store.append(step("a", 1, command_id="c", answer=b"2"))
        assert caught.value.answer == b"1"
        assert len(await store.read("a")) == 2

    async def test_cancelled_callers_disturb_nobody(self, store: EventStore) -> None:
        dice = random.Random(3)
        tasks = [asyncio.create_task(store.append(step(f"s{n}", 0, 2))) for n in range(60)]
        doomed = dice.sample(tasks, 30)
        for number, task in enumerate(doomed):
            if number % 5 == 0:
                await asyncio.sleep(0)
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        lengths = dict(await store.streams())
        assert set(lengths.values()) == {2}
        assert all(f"s{n}" in lengths for n, task in enumerate(tasks) if not task.cancelled())
        assert (await store.append(step("after", 0))).version == 1
        assert await store.verify() == 2 * (len(lengths)) + 1

    # Verifying and closing

    async def test_verifying_counts_events(self, store: EventStore) -> None:
        assert await store.verify() == 0
        await store.append(step("a", 0, 3))
        await store.append(step("b", 0, 2))
        assert (await store.verify(), await store.verify("a"), await store.verify("unknown")) == (5, 3, 0)

    async def test_closing_finishes_what_was_accepted(self, store: EventStore) -> None:
        accepted = [asyncio.create_task(store.append(step(f"s{n}", 0))) for n in range(600)]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert [(await task).version for task in accepted] == [1] * 600
        await store.close()
        for call in (
            store.append(step("a", 0)),
            store.read("a"),
            store.select("balances", {}),
            store.settle(["o"]),
            store.verify(),
        ):
            with pytest.raises(StoreClosed):
                await call
