"""What can be said to a user, asked of it, and what can have happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from s3palette.domain.model import Command, Event, Query

__all__ = [
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
    "RuleCreated",
    "RuleDeleted",
    "RuleUpdated",
    "SetPlan",
    "SettleJob",
    "SignUp",
    "UpdateRule",
    "UserSignedUp",
]

EndStatus = Literal["done", "failed", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp(Command):
    """-> {"user_id", "plan", "is_new"}. A repeat leaves no event and answers `is_new` False."""

    user_id: str
    device_key: str | None
    """Keyed hash of the device's own hash, never the hash itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRule(Command):
    """-> rule object. Raises ValidationFailed, RuleSlotFull."""

    rule_id: str
    name: str
    preset_id: str
    concepts: Mapping[str, Any]
    protect: list[str] | None = None
    """None: the preset's defaults, less what the rule selects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRule(Command):
    """-> rule object. None leaves a part as it is. Raises RuleNotFound, ValidationFailed."""

    rule_id: str
    name: str | None = None
    concepts: Mapping[str, Any] | None = None
    protect: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRule(Command):
    """-> {"id", "deleted": True}. Raises RuleNotFound."""

    rule_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveJob(Command):
    """-> {"job_id", "item_count"}; takes a slot and the credits, and has the job created.

    Raises ValidationFailed, ConcurrencyLimit, ItemLimit, CreditsExhausted, in this order.
    """

    job_id: str
    preset: str
    item_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleJob(Command):
    """-> {"settled": bool}. The job ended: spend what was delivered, give the rest back, free the slot. Idempotent."""

    job_id: str
    status: EndStatus
    delivered: int
    refunded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReservation(Command):
    """-> {"released": bool}. The job never came to be: everything goes back. Idempotent."""

    job_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlan(Command):
    """-> {"plan"}. The first step up to a plan tops the sign-up credits up to that plan's. Raises ValidationFailed."""

    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCredits(Command):
    """-> {"credits"}. Raises ValidationFailed unless 1 <= amount <= 1,000,000."""

    amount: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUser(Query):
    """-> {user_id, plan, credits, reserved, spent, granted, rule_slots, max_rule_slots, concurrent_jobs,
    max_concurrent_jobs, created_at}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRule(Query):
    """-> rule object. Raises RuleNotFound."""

    rule_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSignedUp(Event):
    user_id: str
    device_key: str | None
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Event):
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsGranted(Event):
    amount: int
    source: Literal["sign-up", "plan", "operator"]
    """"plan": a step up to a larger plan."""
    reason: str
    """An operator's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsReserved(Event):
    job_id: str
    preset: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettled(Event):
    job_id: str
    status: EndStatus
    delivered: int
    """Credits spent."""
    refunded: int
    """Credits given back. delivered + refunded is what was reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationReleased(Event):
    job_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCreated(Event):
    rule_id: str
    name: str
    preset_id: str
    concepts: Mapping[str, Any]
    """Normalised, in the shape of the API."""
    protect: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUpdated(Event):
    """The rule as it is from now on."""

    rule_id: str
    name: str
    concepts: Mapping[str, Any]
    protect: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDeleted(Event):
    rule_id: str
