"""The user: plan, credits, slots and rules, decided and remembered.

At any moment: granted = balance + reserved + spent. A reservation holds a slot and its credits from ReserveJob until
the job's settlement (or the release of a job that never came to be), and ends exactly once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from s3palette.domain import codec, rules
from s3palette.domain.errors import (
    ConcurrencyLimit,
    CreditsExhausted,
    InvalidTransition,
    ItemLimit,
    RuleNotFound,
    RuleSlotFull,
    TokenInvalid,
    ValidationFailed,
)
from s3palette.domain.job_messages import CreateJob
from s3palette.domain.materials import Catalogue, load_materials
from s3palette.domain.model import Address, Command, Decision, Event, Query, Tell, Wake
from s3palette.domain.palette import Preset
from s3palette.domain.plans import MAX_ITEMS, PLANS, SIGN_UP_PLAN, Plan, plan_of
from s3palette.domain.presets import load_presets
from s3palette.domain.user_messages import (
    CreateRule,
    CreditsGranted,
    CreditsReserved,
    DeleteRule,
    EndStatus,
    GetRule,
    GetUser,
    GrantCredits,
    JobSettled,
    PlanChanged,
    ReleaseReservation,
    ReservationReleased,
    ReserveJob,
    RuleCreated,
    RuleDeleted,
    RuleUpdated,
    SetPlan,
    SettleJob,
    SignUp,
    UpdateRule,
    UserSignedUp,
)
from s3palette.domain.user_state import Rule, UserState, evolve

__all__ = [
    "MAX_GRANT",
    "CreateRule",
    "CreditsGranted",
    "CreditsReserved",
    "DeleteRule",
    "EndStatus",
    "GetRule",
    "GetUser",
    "GrantCredits",
    "JobSettled",
    "PlanChanged",
    "ReleaseReservation",
    "ReservationReleased",
    "ReserveJob",
    "Rule",
    "RuleCreated",
    "RuleDeleted",
    "RuleUpdated",
    "SetPlan",
    "SettleJob",
    "SignUp",
    "UpdateRule",
    "UserBehaviour",
    "UserSignedUp",
    "UserState",
]

_STATE_VERSION: Final = 1
MAX_GRANT: Final = 1_000_000
"""Credits at once."""
_MAX_NAME: Final = 80


class UserBehaviour:
    """Users as the actors run them. `presets` and `catalogue`: what rules are checked against."""

    kind: Literal["user"] = "user"

    def __init__(self, presets: Mapping[str, Preset] | None = None, catalogue: Catalogue | None = None) -> None:
        self._presets = load_presets() if presets is None else presets
        self._catalogue = load_materials() if catalogue is None else catalogue

    def decide(self, state: UserState | None, command: Command) -> Decision:
        if isinstance(command, SignUp):
            return _sign_up(state, command)
        known = _known(state)
        match command:
            case CreateRule():
                return self._create_rule(known, command)
            case UpdateRule():
                return self._update_rule(known, command)
            case DeleteRule():
                rule = _rule(known, command.rule_id)
                deleted = RuleDeleted(at=command.at, rule_id=rule.id)
                return Decision((deleted,), reply={"id": rule.id, "deleted": True})
            case ReserveJob():
                return self._reserve(known, command)
            case SettleJob():
                return _settle(known, command)
            case ReleaseReservation():
                return _release(known, command)
            case SetPlan():
                return _set_plan(known, command)
            case GrantCredits():
                return _grant(known, command)
            case Wake():
                return Decision()
            case _:
                raise TypeError(f"a user does not understand {type(command).__name__}")

    def evolve(self, state: UserState | None, event: Event) -> UserState:
        return evolve(state, event)

    def answer(self, state: UserState | None, query: Query) -> Any:
        known = _known(state)
        match query:
            case GetUser():
                return known.as_json()
            case GetRule():
                return _rule(known, query.rule_id).as_json(known.user_id)
            case _:
                raise TypeError(f"a user does not understand {type(query).__name__}")

    def deadline(self, state: UserState | None) -> datetime | None:
        """Never: what a user waits for is a job, and every job has deadlines of its own."""
        return None

    def dump(self, state: UserState) -> bytes:
        return codec.dump_state(state, _STATE_VERSION)

    def load(self, data: bytes) -> UserState | None:
        return codec.load_state(UserState, _STATE_VERSION, data)

    def _preset(self, field_name: str, preset_id: str) -> Preset:
        preset = self._presets.get(preset_id)
        if preset is None:
            raise ValidationFailed(f"{field_name}: {preset_id[:40]} is none of {', '.join(self._presets)}")
        return preset

    def _create_rule(self, state: UserState, command: CreateRule) -> Decision:
        if command.rule_id in state.rules:
            return Decision(reply=state.rules[command.rule_id].as_json(state.user_id))
        preset = self._preset("preset_id", command.preset_id)
        checked = rules.normalise(preset, self._catalogue, command.concepts, command.protect)
        slots = PLANS[state.plan].rule_slots
        event = RuleCreated(
            at=command.at,
            rule_id=command.rule_id,
            name=_rule_name(command.name),
            preset_id=preset.id,
            concepts=checked.concepts,
            protect=checked.protect,
        )
        if len(state.rules) >= slots:
            raise RuleSlotFull(f"the {state.plan} plan keeps {slots} rules, and all slots are taken")
        return Decision((event,), reply=Rule.created(event).as_json(state.user_id))

    def _update_rule(self, state: UserState, command: UpdateRule) -> Decision:
        rule = _rule(state, command.rule_id)
        name = rule.name if command.name is None else _rule_name(command.name)
        checked = rules.Rule(rule.concepts, rule.protect)
        if command.concepts is not None or command.protect is not None:
            concepts = rule.concepts if command.concepts is None else command.concepts
            protect = list(rule.protect) if command.protect is None else command.protect
            checked = rules.normalise(self._preset("preset_id", rule.preset_id), self._catalogue, concepts, protect)
        if name == rule.name and checked == rules.Rule(rule.concepts, rule.protect):
            return Decision(reply=rule.as_json(state.user_id))
        event = RuleUpdated(
            at=command.at, rule_id=rule.id, name=name, concepts=checked.concepts, protect=checked.protect
        )
        return Decision((event,), reply=rule.updated(event).as_json(state.user_id))

    def _reserve(self, state: UserState, command: ReserveJob) -> Decision:
        job_id, count = command.job_id, command.item_count
        reply = {"job_id": job_id, "item_count": count}
        preset = self._preset("preset", command.preset)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_ITEMS:
            raise ValidationFailed(f"item_count: must be a whole number from 1 to {MAX_ITEMS}")
        if job_id in state.ended or state.reservations.get(job_id) == count:
            return Decision(reply=reply)
        if job_id in state.reservations:
            raise InvalidTransition(f"job {job_id} is reserved with {state.reservations[job_id]} photos")
        plan = PLANS[state.plan]
        _check_limits(state, plan, count)
        reserved = CreditsReserved(at=command.at, job_id=job_id, preset=preset.id, amount=count)
        create = CreateJob(at=command.at, job_id=job_id, user_id=state.user_id, preset=preset.id, item_count=count)
        release = ReleaseReservation(at=command.at, job_id=job_id, reason="the job could not be created")
        tell = Tell(Address("job", job_id), create, await_first=True, on_refused=release)
        return Decision((reserved,), (tell,), reply)


def _sign_up(state: UserState | None, command: SignUp) -> Decision:
    if state is not None:
        return Decision(reply={"user_id": state.user_id, "plan": state.plan, "is_new": False})
    plan = SIGN_UP_PLAN
    events = (
        UserSignedUp(at=command.at, user_id=command.user_id, device_key=command.device_key, plan=plan.id),
        CreditsGranted(at=command.at, amount=plan.credits, source="sign-up", reason=""),
    )
    return Decision(events, reply={"user_id": command.user_id, "plan": plan.id, "is_new": True})


def _check_limits(state: UserState, plan: Plan, count: int) -> None:
    if len(state.reservations) >= plan.max_jobs:
        raise ConcurrencyLimit(f"the {plan.id} plan runs {plan.max_jobs} job(s) at once; wait for an end or cancel one")
    if count > plan.max_items:
        raise ItemLimit(f"the {plan.id} plan takes {plan.max_items} photos a job, not {count}")
    if count > state.balance:
        raise CreditsExhausted(f"{count} photos cost {count} credits, and {state.balance} are left")


def _settle(state: UserState, command: SettleJob) -> Decision:
    amount = state.reservations.get(command.job_id)
    if amount is None:
        return Decision(reply={"settled": False})
    if min(command.delivered, command.refunded) < 0 or command.delivered + command.refunded != amount:
        raise ValidationFailed(
            f"settlement of {command.job_id}: {command.delivered} + {command.refunded} is not the {amount} reserved"
        )
    settled = JobSettled(
        at=command.at,
        job_id=command.job_id,
        status=command.status,
        delivered=command.delivered,
        refunded=command.refunded,
    )
    return Decision((settled,), reply={"settled": True})


def _release(state: UserState, command: ReleaseReservation) -> Decision:
    amount = state.reservations.get(command.job_id)
    if amount is None:
        return Decision(reply={"released": False})
    released = ReservationReleased(at=command.at, job_id=command.job_id, amount=amount, reason=command.reason)
    return Decision((released,), reply={"released": True})


def _set_plan(state: UserState, command: SetPlan) -> Decision:
    plan = plan_of(command.plan)
    events: list[Event] = []
    if plan.id != state.plan:
        events.append(PlanChanged(at=command.at, plan=plan.id))
    # Only what the plan grants beyond earlier ones: stepping down and up again must not mint credits.
    if plan.credits > state.plan_credits:
        events.append(CreditsGranted(at=command.at, amount=plan.credits - state.plan_credits, source="plan", reason=""))
    return Decision(tuple(events), reply={"plan": plan.id})


def _grant(state: UserState, command: GrantCredits) -> Decision:
    amount = command.amount
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MAX_GRANT:
        raise ValidationFailed(f"amount: must be a whole number from 1 to {MAX_GRANT}")
    granted = CreditsGranted(at=command.at, amount=amount, source="operator", reason=command.reason)
    return Decision((granted,), reply={"credits": state.balance + amount})


def _known(state: UserState | None) -> UserState:
    if state is None:
        raise TokenInvalid("this user never signed up")
    return state


def _rule(state: UserState, rule_id: str) -> Rule:
    rule = state.rules.get(rule_id)
    if rule is None:
        raise RuleNotFound("there is no such rule")
    return rule


def _rule_name(name: Any) -> str:
    if not isinstance(name, str) or not len(name.strip()) >= 1 or len(name) > _MAX_NAME:
        raise ValidationFailed(f"name: must have 1 to {_MAX_NAME} characters")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        raise ValidationFailed("name: control characters and lone surrogates are not text")
    return name
