"""Streams of events with a hash chain, an outbox, answered commands and read models, all in one transaction.

    store = await SqliteEventStore.open("events.db", projections=[users])
    await store.append(Append("user/u_1", expected_version=0, events=[signed_up]))

The store knows streams and bytes, nothing of what they mean.
"""

from event_store._schema import SCHEMA_VERSION, schema_version
from event_store.errors import (
    ChainBroken,
    CommandRepeated,
    ConcurrencyError,
    EventStoreError,
    SchemaTooNew,
    StoreClosed,
)
from event_store.memory import MemoryEventStore
from event_store.sqlite import SqliteEventStore
from event_store.types import (
    Append,
    Appended,
    EventStore,
    Loaded,
    NewEvent,
    OutboxRow,
    PayloadCodec,
    Projection,
    RecordedEvent,
    Row,
    Rows,
    Snapshot,
    Table,
)

__all__ = [
    "SCHEMA_VERSION",
    "Append",
    "Appended",
    "ChainBroken",
    "CommandRepeated",
    "ConcurrencyError",
    "EventStore",
    "EventStoreError",
    "Loaded",
    "MemoryEventStore",
    "NewEvent",
    "OutboxRow",
    "PayloadCodec",
    "Projection",
    "RecordedEvent",
    "Row",
    "Rows",
    "SchemaTooNew",
    "Snapshot",
    "SqliteEventStore",
    "StoreClosed",
    "Table",
    "schema_version",
]
