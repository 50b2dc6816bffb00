"""Time as the store writes it: ISO-8601 UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from event_store.errors import EventStoreError

__all__ = ["Clock", "normalised", "stamp"]

Clock = Callable[[], float]
"""Seconds since the epoch, as `time.time`."""

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def stamp(seconds: float) -> str:
    """`1.5` -> `1970-01-01T00:00:01.500000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORMAT)


def normalised(moment: str) -> str:
    """Any ISO-8601 date or time in the store's own form; without an offset it is taken as UTC.

    Raises EventStoreError when it is not ISO-8601.
    """
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        raise EventStoreError(f"{moment!r} is not an ISO-8601 time") from None
    return (parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)).strftime(_FORMAT)
