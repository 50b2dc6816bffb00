"""The part of the store's contract that is about read models: `contract.EventStoreContract` takes it in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from event_store import (
    Append,
    EventStore,
    EventStoreError,
    Table,
)

from .samples import Balances, event, owed, step

Make = Callable[..., Awaitable[EventStore]]
"""make(projections=, codec=, clock=, faults=): a new, empty store, closed when the test ends."""


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


class ReadModelContract:
    @pytest.fixture
    async def make(self) -> Make:
        raise NotImplementedError

    @pytest.fixture
    async def store(self, make: Make) -> EventStore:
        return await make(projections=[Balances()])

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
