"""The shape every read model shares: domain events in, rows out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from event_store.types import RecordedEvent, Row, Rows, Table
from s3palette.domain.codec import decode_event
from s3palette.domain.model import Event

__all__ = ["EventProjection", "Fact", "existing"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One event, decoded, with its place in the log."""

    entity: str
    """Id of the user or job it happened to."""
    event: Event
    version: int
    """In the entity's stream."""
    seq: int
    """In the whole log."""


@dataclass(slots=True)
class EventProjection:
    """A projection that sees only the events it names, decoded."""

    name: str
    version: int
    tables: Sequence[Table]
    on: Callable[[Fact, Rows], None]
    events: tuple[type[Event], ...]
    _names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._names = frozenset(event.__name__ for event in self.events)

    def apply(self, event: RecordedEvent, rows: Rows) -> None:
        if event.type in self._names:
            entity = event.stream.partition("-")[2]
            decoded = decode_event(event.type, event.schema_version, event.data)
            self.on(Fact(entity, decoded, event.version, event.global_position), rows)


def existing(rows: Rows, table: str, *key: str | int) -> Row:
    """The row an earlier event of the same entity must have written."""
    row = rows.get(table, key)
    if row is None:
        raise LookupError(f"{table} has no row {key}: an event came before the one that begins its entity")
    return row
