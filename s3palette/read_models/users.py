"""`users`: one row a user, as GET /me shows it."""

from __future__ import annotations

from typing import Final

from event_store.types import Rows, Table
from s3palette.domain.times import iso
from s3palette.domain.user_messages import (
    CreditsGranted,
    CreditsReserved,
    JobSettled,
    PlanChanged,
    ReservationReleased,
    RuleCreated,
    RuleDeleted,
    UserSignedUp,
)
from s3palette.read_models._base import EventProjection, Fact, existing

__all__ = ["USERS"]

_TABLE: Final = Table(
    "users",
    {
        "user_id": "TEXT",
        "plan": "TEXT",
        "credits": "INTEGER",
        "reserved": "INTEGER",
        "spent": "INTEGER",
        "granted": "INTEGER",
        "rule_slots": "INTEGER",
        "concurrent_jobs": "INTEGER",
        "created_at": "TEXT",
        "updated_at": "TEXT",
        "seq": "INTEGER",
    },
    key=("user_id",),
    indexes=(("seq",),),
)


def _on(fact: Fact, rows: Rows) -> None:
    event = fact.event
    if isinstance(event, UserSignedUp):
        counters = dict.fromkeys(("credits", "reserved", "spent", "granted", "rule_slots", "concurrent_jobs"), 0)
        at = iso(event.at)
        row = {"user_id": fact.entity, "plan": event.plan, "created_at": at, "updated_at": at, "seq": fact.seq}
        rows.put("users", {**row, **counters})
        return
    row = existing(rows, "users", fact.entity)
    match event:
        case CreditsGranted():
            _add(row, credits=event.amount, granted=event.amount)
        case CreditsReserved():
            _add(row, credits=-event.amount, reserved=event.amount, concurrent_jobs=1)
        case JobSettled():
            held = event.delivered + event.refunded
            _add(row, credits=event.refunded, spent=event.delivered, reserved=-held, concurrent_jobs=-1)
        case ReservationReleased():
            _add(row, credits=event.amount, reserved=-event.amount, concurrent_jobs=-1)
        case RuleCreated():
            _add(row, rule_slots=1)
        case RuleDeleted():
            _add(row, rule_slots=-1)
        case PlanChanged():
            row["plan"] = event.plan
    rows.put("users", {**row, "updated_at": iso(event.at)})


def _add(row: dict[str, object], **changes: int) -> None:
    for column, change in changes.items():
        value = row[column]
        assert isinstance(value, int)
        row[column] = value + change


USERS: Final = EventProjection(
    "users",
    1,
    (_TABLE,),
    _on,
    (
        UserSignedUp,
        CreditsGranted,
        CreditsReserved,
        JobSettled,
        ReservationReleased,
        PlanChanged,
        RuleCreated,
        RuleDeleted,
    ),
)
