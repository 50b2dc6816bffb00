"""The read models on a real event store: what lists are answered from, and that a replay tells the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_store import Append, EventStore, MemoryEventStore, NewEvent, SqliteEventStore
from s3palette.domain import codec
from s3palette.domain.job import (
    CancelJob,
    ConfirmUpload,
    CreateJob,
    Execute,
    JobBehaviour,
    RecordFault,
    RecordResult,
    StartPhoto,
)
from s3palette.domain.model import Address, Command, Tell
from s3palette.domain.user import (
    CreateRule,
    DeleteRule,
    GetRule,
    GetUser,
    GrantCredits,
    ReleaseReservation,
    ReserveJob,
    SetPlan,
    SignUp,
    UpdateRule,
    UserBehaviour,
)
from s3palette.read_models import PROJECTIONS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FLOOR = {"Floor": {"action": "recolor", "value": "oak_a"}}
USER = Address("user", "u_1")
OUT = "outputs/u_1/j_1/"


class World:
    """Users and jobs over a store. Effects wait in `owed` until they are settled by hand."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.behaviours: dict[str, Any] = {"user": UserBehaviour(), "job": JobBehaviour()}
        self.states: dict[Address, Any] = {}
        self.versions: dict[Address, int] = {}
        self.owed: list[Tell] = []

    async def send(self, to: Address, *commands: Command) -> None:
        for command in commands:
            behaviour = self.behaviours[to.kind]
            decision = behaviour.decide(self.states.get(to), command)
            encoded = [codec.encode_event(event) for event in decision.events]
            version = self.versions.get(to, 0)
            events = [
                NewEvent(f"{to.stream}-{version + n}", name, schema, data, b"{}")
                for n, (name, schema, data) in enumerate(encoded, 1)
            ]
            await self.store.append(Append(to.stream, version, events))
            self.versions[to] = version + len(events)
            for event in decision.events:
                self.states[to] = behaviour.evolve(self.states.get(to), event)
            self.owed += [effect for effect in decision.effects if isinstance(effect, Tell)]

    async def deliver(self) -> None:
        while self.owed:
            effect = self.owed.pop(0)
            await self.send(effect.to, effect.command)

    async def row(self, table: str, **key: Any) -> dict[str, Any]:
        rows = await self.store.select(table, key)
        assert len(rows) == 1
        return rows[0]


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store: EventStore
    if request.param == "memory":
        store = MemoryEventStore(PROJECTIONS)
    else:
        store = await SqliteEventStore.open(tmp_path / "events.db", projections=PROJECTIONS)
    made = World(store)
    await made.send(USER, SignUp(at=NOON, user_id="u_1", device_key=None))
    yield made
    # Whatever the test did: the live rows are what a replay from zero gives.
    assert set((await store.drift()).values()) == {0}
    await store.close()


def job(number: int) -> Address:
    return Address("job", f"j_{number}")


async def begin(world: World, number: int = 1, count: int = 2) -> Address:
    reserve = ReserveJob(at=NOON, job_id=f"j_{number}", preset="interior", item_count=count)
    await world.send(USER, reserve)
    await world.deliver()
    return job(number)


async def execute(world: World, address: Address, count: int = 2) -> None:
    confirm = ConfirmUpload(at=NOON, user_id="u_1", sizes=dict.fromkeys(range(count), 9))
    await world.send(address, confirm, Execute(at=NOON, user_id="u_1", plan="free", concepts=FLOOR))


def result(idx: int, status: Any = "done", **more: Any) -> RecordResult:
    key = f"{OUT}{idx}_result.png" if status == "done" else None
    return RecordResult(at=NOON, idx=idx, status=status, output_key=key, idempotency_key=str(idx), **more)


async def test_the_users_row_is_what_the_user_tells(world):
    create = CreateRule(at=NOON, rule_id="r_1", name="Oak", preset_id="interior", concepts=FLOOR)
    await world.send(USER, SetPlan(at=NOON, plan="pro"), create, GrantCredits(at=NOON, amount=3, reason="sorry"))
    await begin(world, 1, 4)
    row = await world.row("users", user_id="u_1")
    told = world.behaviours["user"].answer(world.states[USER], GetUser())
    shared = told.keys() & row.keys()
    assert {key: row[key] for key in shared} == {key: told[key] for key in shared}
    assert {"plan", "credits", "reserved", "spent", "granted", "rule_slots", "concurrent_jobs", "created_at"} <= shared
    assert (row["credits"], row["reserved"], row["concurrent_jobs"], row["rule_slots"]) == (199, 4, 1, 1)


async def test_a_rules_row_holds_the_whole_rule_object(world):
    create = CreateRule(at=NOON, rule_id="r_1", name="오크", preset_id="interior", concepts=FLOOR, protect=["Wall"])
    later = NOON + timedelta(minutes=5)
    await world.send(USER, create, UpdateRule(at=later, rule_id="r_1", name="Oak"))
    row = await world.row("rules", user_id="u_1", id="r_1")
    told = world.behaviours["user"].answer(world.states[USER], GetRule(rule_id="r_1"))
    concepts, protect = json.loads(row["concepts_json"]), json.loads(row["protect_json"])
    shown = {key: row[key] for key in row if key != "seq"}
    assert {**shown, "concepts": concepts, "protect": protect} == told


async def test_rules_are_listed_newest_first_and_a_change_does_not_move_one(world):
    def create(name: str) -> CreateRule:
        return CreateRule(at=NOON, rule_id=name, name=name, preset_id="interior", concepts=FLOOR)

    await world.send(USER, create("a"), create("b"), UpdateRule(at=NOON, rule_id="a", name="A"))
    rows = await world.store.select("rules", {"user_id": "u_1"}, order=("seq",), descending=True)
    assert [row["id"] for row in rows] == ["b", "a"]
    await world.send(USER, DeleteRule(at=NOON, rule_id="b"))
    assert [row["name"] for row in await world.store.select("rules", {"user_id": "u_1"})] == ["A"]


async def test_a_jobs_row_follows_the_job(world):
    address = await begin(world)
    seen = [await world.row("jobs_log", job_id="j_1")]
    await world.send(address, ConfirmUpload(at=NOON, user_id="u_1", sizes={0: 1, 1: 1}))
    seen.append(await world.row("jobs_log", job_id="j_1"))
    await world.send(address, Execute(at=NOON, user_id="u_1", plan="free", concepts=FLOOR))
    seen.append(await world.row("jobs_log", job_id="j_1"))
    await world.send(address, StartPhoto(at=NOON, idx=0, attempt=1), result(0))
    seen.append(await world.row("jobs_log", job_id="j_1"))
    assert [(row["status"], row["done"], row["failed"], row["total"]) for row in seen] == [
        ("created", 0, 0, 2),
        ("uploaded", 0, 0, 2),
        ("queued", 0, 0, 2),
        ("running", 1, 0, 2),
    ]
    assert (seen[0]["user_id"], seen[0]["preset"]) == ("u_1", "interior")
    assert seen[0]["created_at"] == "2026-01-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("outcomes", "status"), [(["done", "failed"], "done"), (["failed", "failed"], "failed"), (["done"], "canceled")]
)
async def test_the_final_status_shows_once_slot_and_credits_are_back(world, outcomes, status):
    address = await begin(world)
    await execute(world, address)
    await world.send(address, *(result(idx, outcome) for idx, outcome in enumerate(outcomes)))
    if status == "canceled":
        await world.send(address, CancelJob(at=NOON, user_id="u_1"))
    row = await world.row("jobs_log", job_id="j_1")
    assert (row["status"], row["ended_as"]) == ("running", status)
    assert (await world.row("users", user_id="u_1"))["concurrent_jobs"] == 1
    await world.deliver()
    assert (await world.row("jobs_log", job_id="j_1"))["status"] == status
    assert (await world.row("users", user_id="u_1"))["concurrent_jobs"] == 0
    assert await world.store.select("jobs_log", {"user_id": "u_1", "status": "running"}) == []


async def test_jobs_are_listed_newest_first_page_by_page(world):
    await world.send(USER, SetPlan(at=NOON, plan="pro"))
    for number in range(3):
        await begin(world, number)
    order: dict[str, Any] = {"order": ("seq",), "descending": True, "limit": 2}
    first = await world.store.select("jobs_log", {"user_id": "u_1"}, **order)
    rest = await world.store.select("jobs_log", {"user_id": "u_1"}, **order, before=(first[-1]["seq"],))
    assert [row["job_id"] for row in (*first, *rest)] == ["j_2", "j_1", "j_0"]


async def test_photos_are_logged_once_something_happens_to_them(world):
    address = await begin(world)
    await execute(world, address)
    await world.send(
        address,
        StartPhoto(at=NOON, idx=0, attempt=1),
        RecordFault(at=NOON, idx=0, attempt=1, error="worker lost"),
    )
    row = await world.row("job_items_log", job_id="j_1")
    assert (row["idx"], row["status"], row["attempt"], row["error"]) == (0, "pending", 2, "worker lost")
    timings = {"decode": 20.5, "encode": 100.0}
    done = result(0, warnings=["Wall is not in this photo."], timings_ms=timings, attempt=2)
    await world.send(address, StartPhoto(at=NOON, idx=0, attempt=2), done, result(1, "failed", error="not an image"))
    rows = await world.store.select("job_items_log", {"job_id": "j_1"}, order=("idx",))
    assert [(row["status"], row["error"]) for row in rows] == [("done", None), ("failed", "not an image")]
    assert json.loads(rows[0]["timings_json"]) == timings
    assert json.loads(rows[0]["warnings_json"]) == ["Wall is not in this photo."]
    assert rows[0]["output_key"] == f"{OUT}0_result.png"


async def test_the_ledger_has_a_row_a_movement_and_its_sum_is_the_balance(world):
    address = await begin(world, 1, 2)
    await execute(world, address)
    await world.send(address, result(0), result(1, "failed"))
    await world.deliver()
    await world.send(
        USER,
        ReserveJob(at=NOON, job_id="j_2", preset="interior", item_count=5),
        ReleaseReservation(at=NOON, job_id="j_2", reason="the job could not be created"),
        GrantCredits(at=NOON, amount=3, reason="sorry"),
    )
    rows = await world.store.select("billing_events", {"user_id": "u_1"}, order=("seq", "kind"))
    figures = [
        (row["kind"], row["amount"], row["balance_change"], row["balance_after"], row["job_id"], row["reason"])
        for row in rows
    ]
    assert figures[2:4] == [("refund", 1, 1, 9, "j_1", "done"), ("spend", 1, 0, 9, "j_1", "done")]
    assert figures[:2] + figures[4:] == [
        ("grant", 10, 10, 10, None, "sign-up"),
        ("reserve", 2, -2, 8, "j_1", None),
        ("reserve", 5, -5, 4, "j_2", None),
        ("refund", 5, 5, 9, "j_2", "the job could not be created"),
        ("grant", 3, 3, 12, None, "sorry"),
    ]
    told = world.behaviours["user"].answer(world.states[USER], GetUser())
    assert sum(row["balance_change"] for row in rows) == told["credits"] == 12


async def test_each_read_model_can_be_rebuilt_alone(world):
    address = await begin(world)
    await execute(world, address)
    await world.send(address, result(0), result(1))
    await world.deliver()
    for projection in PROJECTIONS:
        before = {table.name: await world.store.select(table.name, {}) for table in projection.tables}
        assert await world.store.rebuild(projection.name) > 0
        after = {table.name: await world.store.select(table.name, {}) for table in projection.tables}
        assert after == before
        assert all(after.values()) or projection.name == "rules"


async def test_a_log_of_users_alone_settles_too(world):
    """A settlement of a job this log does not hold is no reason to refuse the user's event."""
    await world.send(USER, ReserveJob(at=NOON, job_id="j_9", preset="interior", item_count=1))
    create = world.owed.pop()
    assert isinstance(create.command, CreateJob)
    states = JobBehaviour()
    state = states.evolve(None, states.decide(None, create.command).events[0])
    settle = states.decide(state, CancelJob(at=NOON, user_id="u_1")).effects[0]
    await world.send(USER, settle.command)
    assert (await world.row("users", user_id="u_1"))["credits"] == 10
