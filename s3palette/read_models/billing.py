"""`billing_events`: one row a grant, reservation, spend or refund, with the balance after it.

The sum of `balance_change` over a user's rows is that user's balance; grants less spends less what is reserved is the
same number. `billing_accounts` carries the running balance from one row to the next.
"""

from __future__ import annotations

from typing import Final, Literal

from event_store.types import Rows, Table
from s3palette.domain.model import Event
from s3palette.domain.times import iso
from s3palette.domain.user_messages import CreditsGranted, CreditsReserved, JobSettled, ReservationReleased
from s3palette.read_models._base import EventProjection, Fact

__all__ = ["BILLING_EVENTS"]

_EVENTS: Final = Table(
    "billing_events",
    {
        "user_id": "TEXT",
        "version": "INTEGER",
        "kind": "TEXT",
        "amount": "INTEGER",
        "balance_change": "INTEGER",
        "balance_after": "INTEGER",
        "job_id": "TEXT",
        "reason": "TEXT",
        "at": "TEXT",
        "seq": "INTEGER",
    },
    key=("user_id", "version", "kind"),
    indexes=(("user_id", "seq"), ("job_id",)),
)
_ACCOUNTS: Final = Table("billing_accounts", {"user_id": "TEXT", "balance": "INTEGER"}, key=("user_id",))

Kind = Literal["grant", "reserve", "spend", "refund"]


def _on(fact: Fact, rows: Rows) -> None:
    account = rows.get("billing_accounts", (fact.entity,)) or {"user_id": fact.entity, "balance": 0}
    balance: int = account["balance"]
    for kind, amount, change in _entries(fact.event):
        if amount == 0:
            continue
        balance += change
        rows.put(
            "billing_events",
            {
                "user_id": fact.entity,
                "version": fact.version,
                "kind": kind,
                "amount": amount,
                "balance_change": change,
                "balance_after": balance,
                "job_id": getattr(fact.event, "job_id", None),
                "reason": _reason(fact.event),
                "at": iso(fact.event.at),
                "seq": fact.seq,
            },
        )
    rows.put("billing_accounts", {"user_id": fact.entity, "balance": balance})


def _entries(event: Event) -> tuple[tuple[Kind, int, int], ...]:
    """(kind, amount, change of the balance). A spend changes nothing: its credits left the balance when reserved."""
    match event:
        case CreditsGranted(amount=amount):
            return (("grant", amount, amount),)
        case CreditsReserved(amount=amount):
            return (("reserve", amount, -amount),)
        case JobSettled(delivered=delivered, refunded=refunded):
            return (("refund", refunded, refunded), ("spend", delivered, 0))
        case ReservationReleased(amount=amount):
            return (("refund", amount, amount),)
        case _:
            return ()


def _reason(event: Event) -> str | None:
    match event:
        case CreditsGranted():
            return event.reason or event.source
        case JobSettled():
            return event.status
        case ReservationReleased():
            return event.reason
        case _:
            return None


BILLING_EVENTS: Final = EventProjection(
    "billing_events",
    1,
    (_EVENTS, _ACCOUNTS),
    _on,
    (CreditsGranted, CreditsReserved, JobSettled, ReservationReleased),
)
