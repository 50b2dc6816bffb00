"""How commands write what people read: times, durations, sizes."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["age", "size", "when"]


def when(seconds: float) -> str:
    """Seconds since the epoch as an ISO-8601 UTC time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(seconds: float) -> str:
    """A duration in its largest unit, "12 s", "3 min", "2 h", "5 d"."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def size(count: float) -> str:
    """Bytes in a decimal unit, "4.1 MB"."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count:.0f} B"
