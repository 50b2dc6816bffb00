"""The contract of `event_store.EventStore` as tests. A backend subclasses it and says how a store is made."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

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
    Table,
)
from event_store.testing import CrashPoint, Faults, SimulatedCrash

from .samples import Balances, Clock, Xor, event, owed, step

Make = Callable[..., Awaitable[EventStore]]
"""make(projections=, codec=, clock=, faults=): a new, empty store, closed when the test ends."""

UNWRITTEN: tuple[CrashPoint, ...] = ("before_begin", "after_events", "before_commit")


async def contents(store: EventStore) -> tuple[Any, ...]:
    """Everything that a step may change."""
    return (
        await store.read_all(),
        await store.streams(),
        await store.owed(),
        await store.command_answer("c"),
        (await store.load("a")).snapshot,
        await store.select("balances", {}),
        await store.select("deposits", {}),
    )


class EventStoreContract:
    @pytest.fixture
    async def make(self) -> Make:
        raise NotImplementedError

    @pytest.fixture
    async def store(self, make: Make) -> EventStore:
        return await make(projections=[Balances()])

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

    # Read models

    async def test_rows_are_counted_by_a_column(self, store: EventStore) -> None:
        assert await store.count("deposits", "amount") == {}
        await store.append(step("a", 0, 3))
        await store.append(step("b", 0, 2))
        assert await store.count("deposits", "amount") == {1: 2, 2: 2, 3: 1}
        assert await store.count("balances", "note") == {None: 2}
        for table, by in (("deposits", "colour"), ("nothing", "amount")):
            with pytest.raises(EventStoreError, match=by if table == "deposits" else table):
                await store.count(table, by)

    async def test_read_models_are_right_when_the_append_returns(self, store: EventStore) -> None:
        await store.append(step("a", 0, 3))
        assert await store.select("balances", {}) == [{"stream": "a", "total": 6, "mean": 2.0, "note": None}]
        await store.append(Append("a", 3, (event(type_="Closed"), event(4, note="한"))))
        assert await store.select("balances", {"note": "한"}) == [
            {"stream": "a", "total": 4, "mean": 0.8, "note": "한"}
        ]
        assert len(await store.select("deposits", {"stream": "a"})) == 4

    async def test_a_projection_that_fails_fails_its_step_only(self, store: EventStore) -> None:
        await store.append(step("a", 0))
        before = await contents(store)
        exploding = Append("a", 1, (event(), event(type_="Exploded")), command_id="c", put=[owed("o")])
        failed, fine = await asyncio.gather(store.append(exploding), store.append(step("b", 0)), return_exceptions=True)
        assert isinstance(failed, EventStoreError)
        assert str(failed) == "projection balances failed on Exploded of a (version 3): no such thing"
        assert not isinstance(fine, BaseException)
        assert await store.select("deposits", {"stream": "a"}) == before[-1]
        assert (await store.owed(), await store.command_answer("c"), len(await store.read("a"))) == ([], None, 1)
        assert await store.drift() == {"balances": 0, "deposits": 0}

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"stream": "a"}, "names every column once; wrong: mean, note, total"),
            ({"stream": "a", "total": 1, "mean": 1.0, "note": None, "more": 1}, "wrong: more"),
            ({"stream": None, "total": 1, "mean": 1.0, "note": None}, "the key of balances is"),
            ({"stream": "a", "total": "1", "mean": 1.0, "note": None}, "balances.total is INTEGER, not str"),
            ({"stream": "a", "total": 1, "mean": 1.0, "note": 5}, "balances.note is TEXT, not int"),
        ],
    )
    async def test_a_row_that_does_not_fit_its_table(self, make: Make, row: dict[str, Any], message: str) -> None:
        class Careless(Balances):
            def apply(self, event: Any, rows: Any) -> None:
                rows.put("balances", row)

        store = await make(projections=[Careless()])
        with pytest.raises(EventStoreError, match=message):
            await store.append(step("a", 0))
        assert await store.read_all() == []

    async def test_values_come_back_in_the_columns_type(self, make: Make) -> None:
        class Loose(Balances):
            def apply(self, event: Any, rows: Any) -> None:
                rows.put("balances", {"stream": "a", "total": True, "mean": 2, "note": None})
                assert rows.get("balances", ("a",)) == {"stream": "a", "total": 1, "mean": 2.0, "note": None}

        store = await make(projections=[Loose()])
        await store.append(step("a", 0))
        (row,) = await store.select("balances", {"total": True, "mean": 2})
        assert [type(value) for value in row.values()] == [str, int, float, type(None)]

    async def test_a_row_in_hand_is_a_copy(self, make: Make) -> None:
        class Forgetful(Balances):
            def apply(self, event: Any, rows: Any) -> None:
                super().apply(event, rows)
                rows.get("balances", (event.stream,))["total"] = 99

        store = await make(projections=[Forgetful()])
        await store.append(step("a", 0))
        (row,) = await store.select("balances", {})
        row["total"] = 98
        assert (await store.select("balances", {}))[0]["total"] == 1

    async def test_a_projection_reaches_its_own_tables_only(self, make: Make) -> None:
        class Curious(Balances):
            name = "curious"

            def __init__(self) -> None:
                super().__init__()
                self.tables = (Table("mine", {"id": "TEXT"}, ("id",)),)

            def apply(self, event: Any, rows: Any) -> None:
                rows.get("balances", ("a",))

        store = await make(projections=[Balances(), Curious()])
        with pytest.raises(EventStoreError, match="the projection has no table 'balances'"):
            await store.append(step("a", 0))

    @pytest.mark.parametrize(
        ("tables", "message"),
        [
            ([Table("balances", {"id": "TEXT"}, ("id",))], "two projections keep a table 'balances'"),
            ([Table("events", {"id": "TEXT"}, ("id",))], "'events' is one of the store's own tables"),
            ([Table("x; DROP TABLE y", {"id": "TEXT"}, ("id",))], "cannot name a table or a column"),
            ([Table("x", {'i"d': "TEXT"}, ('i"d',))], "cannot name a table or a column"),
            ([Table("x", {"id": "TEXT"}, ())], "table x has no key"),
            ([Table("x", {"id": "TEXT"}, ("id",), (("when",),))], "table x has no column 'when'"),
        ],
    )
    async def test_tables_that_cannot_be_kept(self, make: Make, tables: list[Table], message: str) -> None:
        other = Balances()
        other.name, other.tables = "other", tables
        with pytest.raises(EventStoreError, match=message):
            await make(projections=[Balances(), other])

    async def test_rebuilding_mends_what_drifted(self, make: Make) -> None:
        projection = Balances()
        store = await make(projections=[projection])
        await store.append(step("a", 0, 3))
        await store.append(Append("b", 0, (event(5), event(type_="Closed"))))
        assert await store.drift() == {"balances": 0, "deposits": 0}

        projection._factor = 10
        assert await store.drift() == {"balances": 1, "deposits": 0}
        assert await store.rebuild("balances") == 5
        assert await store.drift() == {"balances": 0, "deposits": 0}
        assert (await store.select("balances", {}))[0]["total"] == 60
        projection._factor = 1
        assert await store.rebuild() == 5
        assert (await store.select("balances", {}))[0]["total"] == 6
        with pytest.raises(EventStoreError, match="no projection 'nonsense'"):
            await store.rebuild("nonsense")

    async def test_selecting_agrees_with_sorting(self, store: EventStore) -> None:
        dice = random.Random(7)
        rows = []
        for number in range(40):
            note = dice.choice([None, "x", "y", "가"])
            stream = f"s{number:02}"
            await store.append(Append(stream, 0, (event(dice.randrange(5), note=note),)))
            (row,) = await store.select("balances", {"stream": stream})
            rows.append(row)
        for descending in (False, True):
            wanted = sorted(rows, key=lambda row: (row["total"], row["stream"]), reverse=descending)
            assert await store.select("balances", {}, order=["total"], descending=descending) == wanted
            found: list[Any] = []
            before = None
            while page := await store.select(
                "balances", {}, order=["total", "stream"], descending=descending, before=before, limit=7
            ):
                found += page
                before = (page[-1]["total"], page[-1]["stream"])
            assert found == wanted
            by_note = sorted(rows, key=lambda row: (row["note"] or "", row["stream"]), reverse=descending)
            assert await store.select("balances", {}, order=["note"], descending=descending) == by_note
        with_note = [row for row in rows if row["note"] == "x" and row["total"] == 3]
        assert await store.select("balances", {"note": "x", "total": 3}) == with_note
        assert await store.select("balances", {"note": None}) == [row for row in rows if row["note"] is None]
        assert await store.select("balances", {"note": "x"}, limit=0) == []
        after_x = await store.select("balances", {}, order=["note", "stream"], before=("x", "s99"))
        assert {row["note"] for row in after_x} == {"y", "가"}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"table": "events"}, "no read model has a table 'events'"),
            ({"where": {"total; --": 1}}, "has no column 'total; --'"),
            ({"where": {"total": "1"}}, "balances.total is INTEGER, not str"),
            ({"order": ["when"]}, "has no column 'when'"),
            ({"before": (1,)}, "`before` needs a value for each column"),
            ({"order": ["total"], "before": (1, 2)}, "`before` needs a value for each column"),
            ({"order": ["note"], "before": (None,)}, "cannot begin after an absent value"),
            ({"limit": -1}, "limit is -1"),
        ],
    )
    async def test_a_question_that_makes_no_sense(
        self, store: EventStore, arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(EventStoreError, match=message):
            await store.select(**{"table": "balances", "where": {}, **arguments})

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
