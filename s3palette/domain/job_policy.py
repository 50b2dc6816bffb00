"""How long a job waits, how often it tries, what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["JobPolicy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPolicy:
    """A change holds for what begins after it."""

    upload_within: timedelta = timedelta(hours=24)
    execute_within: timedelta = timedelta(days=7)
    photo_within: timedelta = timedelta(minutes=15)
    photo_within_external: timedelta = timedelta(minutes=60)
    fault_backoff: tuple[timedelta, ...] = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=16))
    """Wait before each retry after a fault; as many retries as there are entries."""
    max_timeouts: int = 3
    """The answer that is missing for the n-th time fails the photo."""
    max_photo_bytes: int = 60_000_000
    offers: bool = False
    """The photos of external jobs are offered to an engine outside. False: its workers know of them by themselves."""
