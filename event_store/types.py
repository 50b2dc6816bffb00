"""What goes into an event store and what comes out. The store knows streams and bytes, nothing of what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

__all__ = [
    "Append",
    "Appended",
    "EventStore",
    "Loaded",
    "NewEvent",
    "OutboxRow",
    "PayloadCodec",
    "Projection",
    "RecordedEvent",
    "Row",
    "Rows",
    "Snapshot",
    "Table",
]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEvent:
    event_id: str
    type: str
    schema_version: int
    data: bytes
    metadata: bytes
    """JSON: correlation, causation, command id, writer id and epoch."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    global_position: int
    """Rises with every event of the log, from 1; gaps are possible."""
    stream: str
    version: int
    """Rises by one with every event of the stream, from 1."""
    event_id: str
    type: str
    schema_version: int
    data: bytes
    """As it was appended: the payload codec is already undone."""
    metadata: bytes
    recorded_at: str
    """ISO-8601 UTC with microseconds."""
    prev_hash: bytes
    hash: bytes
    """SHA-256 over the previous hash and every stored column but the global position."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    stream: str
    version: int
    data: bytes


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something that is still owed. Written with the events that owe it, deleted when it is done."""

    id: str
    """Unique; putting a row whose id exists replaces it (an entity has one alarm)."""
    stream: str
    """Who owes it."""
    shard: int
    """Logical shard of that stream: a host recovers the rows of its own shards."""
    kind: str
    """"tell", "task", "offer", "alarm"; opaque to the store."""
    payload: bytes
    due_at: float
    """Not before this time, seconds since the epoch."""
    attempts: int = 0
    error: str | None = None
    """Why the last attempt failed."""
    owed_at: float = 0.0
    """Since when, seconds since the epoch."""
    dead_at: float | None = None
    """When it failed for good, seconds since the epoch: kept for the operator and not delivered. None: it is owed."""


@dataclass(frozen=True, slots=True)
class Append:
    """One atomic step of one stream: all of it is written, or nothing."""

    stream: str
    expected_version: int
    """Version the stream must be at; 0 for a stream that does not exist yet."""
    events: Sequence[NewEvent] = ()
    command_id: str | None = None
    answer: bytes = b"null"
    """Recorded under `command_id`."""
    put: Sequence[OutboxRow] = ()
    done: Sequence[str] = ()
    """Ids of outbox rows that this step settles; unknown ids are ignored."""
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    version: int
    """Version of the stream now."""
    events: tuple[RecordedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stream as an entity needs it to wake: the newest snapshot and what came after."""

    snapshot: Snapshot | None
    events: tuple[RecordedEvent, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A read model's table."""

    name: str
    columns: Mapping[str, Literal["TEXT", "INTEGER", "REAL"]]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = field(default=())


class Rows(Protocol):
    """A projection's hands: rows by key, inside the transaction of the append."""

    def get(self, table: str, key: Sequence[Any]) -> Row | None: ...

    def put(self, table: str, row: Row) -> None:
        """Insert or replace; the row names every column."""
        ...

    def delete(self, table: str, key: Sequence[Any]) -> None: ...


class Projection(Protocol):
    """What an event does to the rows of a read model. Pure but for `rows`; deterministic, so it can be rebuilt."""

    name: str
    version: int
    """Raise it when the meaning of the rows changes: the store rebuilds them at the next start."""
    tables: Sequence[Table]

    def apply(self, event: RecordedEvent, rows: Rows) -> None: ...


class PayloadCodec(Protocol):
    """Hook for encrypting `data` at rest (crypto-erasure). The hash covers the encoded bytes."""

    def encode(self, stream: str, data: bytes) -> tuple[bytes, str | None]:
        """(stored bytes, id of the key or None)."""
        ...

    def decode(self, stream: str, data: bytes, key_id: str | None) -> bytes: ...


class EventStore(Protocol):
    """The contract every backend keeps; tests/event_store/contract.py is its executable form."""

    async def append(self, step: Append) -> Appended:
        """Write one step durably. Raises ConcurrencyError, CommandRepeated (a recorded command id wins over a
        version conflict), StoreClosed. A cancelled caller does not undo or disturb the steps committed beside its own.
        """
        ...

    async def load(self, stream: str) -> Loaded: ...

    async def read(
        self, stream: str, after: int = 0, upto: int | None = None, until: str | None = None
    ) -> list[RecordedEvent]:
        """Events of a stream in order: after < version <= upto, recorded_at <= until."""
        ...

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent]:
        """Events of the whole log in global order, global_position > after."""
        ...

    async def streams(self, prefix: str = "") -> list[tuple[str, int]]:
        """(stream, version) of every stream whose name begins with `prefix`, by name."""
        ...

    async def command_answer(self, command_id: str) -> bytes | None: ...

    async def prune_commands(self, before: str) -> int:
        """Forget answers recorded before that ISO time; how many."""
        ...

    async def owed(self, shards: Sequence[int] | None = None) -> list[OutboxRow]:
        """Outbox rows that are not dead, by due time."""
        ...

    async def dead(self) -> list[OutboxRow]:
        """Outbox rows that failed for good, by the time they did."""
        ...

    async def put_owed(self, row: OutboxRow) -> None:
        """Replace a row that still exists (attempts, due time, error, dead); a row that is gone stays gone."""
        ...

    async def revive(self, ids: Sequence[str], due_at: float) -> list[OutboxRow]:
        """Owe dead rows again, due then and with no attempts counted: those that were dead, each to one caller only."""
        ...

    async def settle(self, ids: Sequence[str]) -> None:
        """Delete outbox rows; unknown ids are ignored."""
        ...

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        before: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Rows of a read model with all columns of `where` equal. `order` names columns; with `before` only rows that
        come after that value tuple in the order (keyset paging)."""
        ...

    async def count(self, table: str, by: str) -> dict[Any, int]:
        """Value of a read model's column -> rows that have it."""
        ...

    async def rebuild(self, projection: str | None = None) -> int:
        """Empty the read models and replay the log into them, in one transaction; number of events."""
        ...

    async def drift(self) -> dict[str, int]:
        """Read model table -> rows that differ from a replay from zero; all 0 when live state is right."""
        ...

    async def verify(self, stream: str | None = None) -> int:
        """Check the hash chains; number of events checked. Raises ChainBroken naming stream and version."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then close. Idempotent."""
        ...
