"""Users and jobs together, their effects delivered in any order, late and more than once, with restarts in between."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from s3palette.domain import codec
from s3palette.domain.job import CancelJob, ConfirmUpload, Execute
from s3palette.domain.model import Address, RunPhoto, Wake
from s3palette.domain.user import (
    CreateRule,
    DeleteRule,
    GetUser,
    GrantCredits,
    ReserveJob,
    SetPlan,
    SignUp,
)

from ._world import COLORS, World

USERS = st.sampled_from(["u_1", "u_2"])
JOBS = st.sampled_from([f"j_{n}" for n in range(4)])
CHOICE = st.integers(0, 10_000)
OWNER = st.sampled_from([None, None, None, None, "u_1", "u_2"])
USUALLY = st.sampled_from([True, True, True, False])
RULE = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
REFERENCE = st.sampled_from([None, None, 0, 1, 2])


class Palette(World, RuleBasedStateMachine):
    # -- what people and machines do

    @initialize(counts=st.lists(st.integers(1, 3), max_size=3), plan=st.sampled_from(["free", "pro"]))
    def people_sign_up_and_some_have_begun(self, counts: list[int], plan: str) -> None:
        for user_id in ("u_1", "u_2"):
            user = Address("user", user_id)
            self.send(user, SignUp(at=self.now, user_id=user_id, device_key=None))
        self.send(Address("user", "u_1"), SetPlan(at=self.now, plan=plan))
        for number, count in enumerate(counts):
            self.reserve("u_1", f"j_{number}", count)
            for _ in range(2 * number):
                self.the_owner_goes_on(number, external=False, reference=count - 1)

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, external=st.booleans(), reference=REFERENCE)
    def the_owner_goes_on(self, number: int, external: bool, reference: int | None) -> None:
        """The next step of a job whose owner knows the way."""
        job, _ = self.some_job(number, None)
        status = self.states[job].status if job in self.states else None
        if status == "created":
            self.confirm(number, None, True)
        elif status == "uploaded":
            self.execute(number, None, external, reference)
        elif self.owed:
            self.deliver(number, acknowledged=True, outcome="done")

    @rule(user=USERS, job=JOBS, count=st.sampled_from([0, 1, 1, 2, 2, 3, 3, 4, 9, 12, 201]))
    def reserve(self, user: str, job: str, count: int) -> None:
        command = ReserveJob(at=self.now, job_id=job, preset="interior", item_count=count)
        self.send(Address("user", user), command)

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, who=OWNER, complete=USUALLY)
    def confirm(self, number: int, who: str | None, complete: bool) -> None:
        sizes = dict.fromkeys(range(20 if complete else 1), 10)
        job, user = self.some_job(number, who)
        self.send(job, ConfirmUpload(at=self.now, user_id=user, sizes=sizes))

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, who=OWNER, external=st.booleans(), reference=REFERENCE)
    def execute(self, number: int, who: str | None, external: bool, reference: int | None) -> None:
        dispatch: Any = "external" if external else "engine"
        job, user = self.some_job(number, who)
        named = None if reference is None else {"Wall": reference}
        command = Execute(at=self.now, user_id=user, plan="free", concepts=RULE, references=named, dispatch=dispatch)
        self.send(job, command)

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, who=OWNER)
    def cancel(self, number: int, who: str | None) -> None:
        job, user = self.some_job(number, who)
        self.send(job, CancelJob(at=self.now, user_id=user))

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, who=OWNER, idx=st.integers(-1, 4), outcome=st.sampled_from(["done", "failed"]), told=USUALLY)
    def callback(self, number: int, who: str | None, idx: int, outcome: str, told: bool) -> None:
        job, user = self.some_job(number, who)
        self.send(job, self.result(user, job.id, idx, outcome, None, COLORS if told else {}))

    @rule(user=USERS, plan=st.sampled_from(["free", "pro"]))
    def change_plan(self, user: str, plan: str) -> None:
        self.send(Address("user", user), SetPlan(at=self.now, plan=plan))

    @rule(user=USERS, amount=st.integers(0, 5))
    def grant(self, user: str, amount: int) -> None:
        self.send(Address("user", user), GrantCredits(at=self.now, amount=amount, reason="goodwill"))

    @rule(user=USERS, number=st.integers(0, 3), delete=st.booleans())
    def keep_rules(self, user: str, number: int, delete: bool) -> None:
        rule_id = f"r_{number}"
        create = CreateRule(at=self.now, rule_id=rule_id, name="Paint", preset_id="interior", concepts=RULE)
        self.send(Address("user", user), DeleteRule(at=self.now, rule_id=rule_id) if delete else create)

    @precondition(lambda self: self.owed)
    @rule(number=CHOICE, acknowledged=st.booleans(), outcome=st.sampled_from(["done", "failed", "fault", "lost"]))
    def deliver_something(self, number: int, acknowledged: bool, outcome: str) -> None:
        self.deliver(number, acknowledged=acknowledged, outcome=outcome)

    @precondition(lambda self: self.jobs())
    @rule(number=CHOICE, minutes=st.sampled_from([1, 14, 15, 15, 61, 61, 60 * 24, 60 * 24 * 7]))
    def time_passes_and_an_alarm_rings(self, number: int, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.send(self.some_job(number, None)[0], Wake(at=self.now))

    @precondition(lambda self: self.owed)
    @rule(count=st.integers(1, 6), outcome=st.sampled_from(["done", "done", "failed", "fault", "lost"]))
    def the_outbox_is_worked_off_for_a_while(self, count: int, outcome: str) -> None:
        for _ in range(min(count, len(self.owed))):
            self.deliver(0, acknowledged=True, outcome=outcome)

    @rule()
    def everything_restarts(self) -> None:
        """From the log, and from snapshots: both tell the same."""
        replayed: dict[Address, Any] = {}
        for recorded in self.log:
            kind, _, entity = recorded.stream.partition("-")
            address = Address("user" if kind == "user" else "job", entity)
            event = codec.decode_event(recorded.type, recorded.schema_version, recorded.data)
            replayed[address] = self.behaviours[kind].evolve(replayed.get(address), event)
        assert replayed == self.states
        for address, state in self.states.items():
            behaviour = self.behaviours[address.kind]
            assert behaviour.load(behaviour.dump(state)) == state
        self.states = replayed

    # -- what always holds

    @invariant()
    def the_ledger_adds_up(self) -> None:
        for address, state in self.states.items():
            if address.kind == "user":
                assert state.granted == state.balance + state.reserved + state.spent
                assert min(state.balance, state.spent, *state.reservations.values(), 0) == 0
                ledger = [row for row in self.tables.of("billing_events") if row["user_id"] == address.id]
                assert sum(row["balance_change"] for row in ledger) == state.balance
                assert ledger[-1]["balance_after"] == state.balance

    @invariant()
    def the_users_table_tells_what_the_user_tells(self) -> None:
        for address, state in self.states.items():
            if address.kind == "user":
                told = self.behaviours["user"].answer(state, GetUser())
                row = self.tables.get("users", (address.id,)) or {}
                shared = told.keys() & row.keys()
                assert len(shared) == 9
                assert {key: row[key] for key in shared} == {key: told[key] for key in shared}
                kept = {row["id"] for row in self.tables.of("rules") if row["user_id"] == address.id}
                assert kept == set(state.rules)

    @invariant()
    def a_job_shown_as_ended_holds_neither_slot_nor_credits(self) -> None:
        for row in self.tables.of("jobs_log"):
            job = self.states[Address("job", row["job_id"])]
            assert (row["done"], row["failed"], row["total"]) == (job.done, job.failed, job.total)
            if row["status"] in ("done", "failed", "canceled"):
                assert row["status"] == job.status == row["ended_as"]
                assert row["job_id"] not in self.states[Address("user", row["user_id"])].reservations
            else:
                assert row["status"] == job.status or row["ended_as"] == job.status

    @invariant()
    def who_waits_has_a_deadline_or_is_owed_something(self) -> None:
        tasks = {(sender, effect.idx) for sender, effect in self.effects() if isinstance(effect, RunPhoto)}
        for address, state in self.states.items():
            if address.kind == "job" and state.status not in ("done", "failed", "canceled"):
                due = self.behaviours["job"].deadline(state)
                waiting = any((address, idx) in tasks for idx, photo in enumerate(state.photos) if not photo.ended)
                assert due is not None or waiting

    @invariant()
    def who_waits_for_a_colour_has_not_begun(self) -> None:
        for address, state in self.states.items():
            if address.kind != "job" or not state.references or state.status == "canceled":
                continue
            colour = state.concepts["Wall"]["value"]
            others = [photo for idx, photo in enumerate(state.photos) if idx != state.references["Wall"]]
            if colour is None:
                begun = [
                    photo for photo in others if photo.status in ("running", "done") or photo.attempt > 1 or photo.due
                ]
                assert begun == []
            else:
                assert colour == COLORS["Wall"]

    def teardown(self) -> None:
        """Whatever happened: once all that is owed is delivered and all alarms have rung, every job is settled."""
        for _ in range(10_000):
            due = [(at, job) for job in self.states if (at := self.deadline(job)) is not None]
            if self.owed:
                self.deliver(0, acknowledged=True, outcome="done")
            elif due:
                self.now, job = max(self.now, min(due, key=lambda pair: pair[0])[0]), min(due, key=lambda p: p[0])[1]
                self.send(job, Wake(at=self.now))
            else:
                break
        else:
            raise AssertionError("it never comes to rest")
        self.everything_restarts()
        self.the_ledger_adds_up()
        self.a_job_shown_as_ended_holds_neither_slot_nor_credits()
        delivered = dict.fromkeys(("u_1", "u_2"), 0)
        for row in self.tables.of("jobs_log"):
            assert row["status"] in ("done", "failed", "canceled")
            delivered[row["user_id"]] += row["done"]
        for address, state in self.states.items():
            if address.kind == "user":
                assert state.reservations == {}
                assert state.spent == delivered[address.id]


TestPalette = Palette.TestCase
TestPalette.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_the_projections_write_json_that_reads_back():
    machine = Palette()
    machine.people_sign_up_and_some_have_begun([], "free")
    machine.keep_rules("u_1", 0, False)
    row = machine.tables.of("rules")[0]
    assert json.loads(row["concepts_json"]) == RULE
