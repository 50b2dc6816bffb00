"""Events carried to projections."""

from __future__ import annotations

from collections.abc import Iterable

from event_store.errors import EventStoreError
from event_store.types import Projection, RecordedEvent, Rows

__all__ = ["apply_all"]


def apply_all(events: Iterable[RecordedEvent], hands: Iterable[tuple[Projection, Rows]]) -> None:
    """Every event to every projection. Raises EventStoreError naming the projection and the event that it failed on."""
    pairs = list(hands)
    for event in events:
        for projection, rows in pairs:
            try:
                projection.apply(event, rows)
            except Exception as error:
                what = f"{event.type} of {event.stream} (version {event.version})"
                raise EventStoreError(f"projection {projection.name} failed on {what}: {error}") from error
