"""What a user is at a moment, and how an event moves it on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from s3palette.domain.model import Event
from s3palette.domain.plans import PLANS
from s3palette.domain.times import iso
from s3palette.domain.user_messages import (
    CreditsGranted,
    CreditsReserved,
    JobSettled,
    PlanChanged,
    ReservationReleased,
    RuleCreated,
    RuleDeleted,
    RuleUpdated,
    UserSignedUp,
)

__all__ = ["Rule", "UserState", "evolve"]

_REMEMBERED: Final = 200
"""Ended reservations a user remembers, so that a late repeat of ReserveJob does not reserve again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A saved rule, normalised."""

    id: str
    name: str
    preset_id: str
    concepts: Mapping[str, Any]
    protect: tuple[str, ...]
    created_at: datetime
    updated_at: datetime

    def as_json(self, user_id: str) -> dict[str, Any]:
        """The rule object of the API."""
        return {
            "id": self.id,
            "user_id": user_id,
            "name": self.name,
            "preset_id": self.preset_id,
            "concepts": dict(self.concepts),
            "protect": list(self.protect),
            "concepts_json": json.dumps(self.concepts, ensure_ascii=False),
            "protect_json": json.dumps(self.protect, ensure_ascii=False),
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
        }

    @staticmethod
    def created(event: RuleCreated) -> Rule:
        return Rule(event.rule_id, event.name, event.preset_id, event.concepts, event.protect, event.at, event.at)

    def updated(self, event: RuleUpdated) -> Rule:
        return replace(self, name=event.name, concepts=event.concepts, protect=event.protect, updated_at=event.at)


@dataclass(frozen=True, slots=True)
class UserState:
    user_id: str
    plan: str
    created_at: datetime
    balance: int = 0
    """Credits free to use."""
    spent: int = 0
    granted: int = 0
    plan_credits: int = 0
    """Most that a plan of this user has granted so far."""
    reservations: Mapping[str, int] = field(default_factory=dict)
    """Job -> credits, of every job that holds a slot."""
    ended: tuple[str, ...] = ()
    """Jobs whose reservation ended, the last ones."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """By id, oldest first."""

    @property
    def reserved(self) -> int:
        return sum(self.reservations.values())

    def as_json(self) -> dict[str, Any]:
        """The answer to GetUser."""
        plan = PLANS[self.plan]
        return {
            "user_id": self.user_id,
            "plan": plan.id,
            "credits": self.balance,
            "reserved": self.reserved,
            "spent": self.spent,
            "granted": self.granted,
            "rule_slots": len(self.rules),
            "max_rule_slots": plan.rule_slots,
            "concurrent_jobs": len(self.reservations),
            "max_concurrent_jobs": plan.max_jobs,
            "created_at": iso(self.created_at),
        }


def evolve(state: UserState | None, event: Event) -> UserState:
    """The state after the event. Raises TypeError for an event that is not a user's, or has no user yet."""
    if isinstance(event, UserSignedUp):
        return UserState(event.user_id, event.plan, event.at)
    if state is None:
        raise TypeError(f"{type(event).__name__} before the sign-up")
    match event:
        case CreditsGranted():
            of_plan = event.amount if event.source != "operator" else 0
            return replace(
                state,
                balance=state.balance + event.amount,
                granted=state.granted + event.amount,
                plan_credits=state.plan_credits + of_plan,
            )
        case CreditsReserved():
            reservations = {**state.reservations, event.job_id: event.amount}
            return replace(state, balance=state.balance - event.amount, reservations=reservations)
        case JobSettled():
            return _end(state, event.job_id, back=event.refunded, spent=event.delivered)
        case ReservationReleased():
            return _end(state, event.job_id, back=event.amount, spent=0)
        case PlanChanged():
            return replace(state, plan=event.plan)
        case RuleCreated():
            return replace(state, rules={**state.rules, event.rule_id: Rule.created(event)})
        case RuleUpdated():
            return replace(state, rules={**state.rules, event.rule_id: state.rules[event.rule_id].updated(event)})
        case RuleDeleted():
            kept = {rule_id: rule for rule_id, rule in state.rules.items() if rule_id != event.rule_id}
            return replace(state, rules=kept)
        case _:
            raise TypeError(f"{type(event).__name__} is not a user's event")


def _end(state: UserState, job_id: str, *, back: int, spent: int) -> UserState:
    return replace(
        state,
        balance=state.balance + back,
        spent=state.spent + spent,
        reservations={job: amount for job, amount in state.reservations.items() if job != job_id},
        ended=(*state.ended, job_id)[-_REMEMBERED:],
    )
