"""How times are written everywhere outside the domain: ISO-8601 UTC with microseconds, so that they sort as text."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["iso"]


def iso(at: datetime) -> str:
    """ "2026-11-23T14:00:00.000000Z". `at` must be aware."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
