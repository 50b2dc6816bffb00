"""How an event becomes a stored row, how a row becomes an event again, and the hash chain between the rows.

A stored row is a plain tuple, in the order of `COLUMNS`; both stores keep their log in this form, so that they cannot
differ in what is hashed. The hash of an event is

    SHA-256(prev_hash ‖ lengths ‖ fields)

over stream, version, event_id, type, schema_version, data as stored, key_id, metadata and recorded_at. Text is UTF-8, a
number is its decimal text. `lengths` is the number of the encoding (1) and the byte length of each field, signed 64 bit
big-endian, -1 for an absent key_id: no two different rows are encoded alike. The first event follows 32 zero bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from event_store.errors import ChainBroken, EventStoreError
from event_store.types import Append, NewEvent, PayloadCodec, RecordedEvent, Snapshot

__all__ = [
    "COLUMNS",
    "EMPTY",
    "Head",
    "StoredEvent",
    "StoredSnapshot",
    "event_hash",
    "restore",
    "restore_snapshot",
    "seal",
    "seal_snapshot",
    "verify_chains",
]

COLUMNS = (
    "global_position",
    "stream",
    "version",
    "event_id",
    "type",
    "schema_version",
    "data",
    "key_id",
    "metadata",
    "recorded_at",
    "prev_hash",
    "hash",
)

StoredEvent = tuple[Any, ...]
"""One row of the log, in the order of COLUMNS."""

StoredSnapshot = tuple[str, int, bytes, str | None]
"""stream, version, data as stored, key_id."""

_stream_of = itemgetter(1)
_LENGTHS = struct.Struct(">10q")
_ENCODING = 1


class Head(NamedTuple):
    """Where a stream's chain ends."""

    version: int
    hash: bytes
    recorded_at: str


EMPTY = Head(0, bytes(32), "")


def event_hash(
    prev_hash: bytes,
    stream: str,
    version: int,
    event_id: str,
    type_: str,
    schema_version: int,
    data: bytes,
    key_id: str | None,
    metadata: bytes,
    recorded_at: str,
) -> bytes:
    """32 bytes; the module's docstring has the formula."""
    key = b"" if key_id is None else key_id.encode()
    fields = (
        stream.encode(),
        b"%d" % version,
        event_id.encode(),
        type_.encode(),
        b"%d" % schema_version,
        data,
        key,
        metadata,
        recorded_at.encode(),
    )
    lengths = [len(field) for field in fields]
    if key_id is None:
        lengths[6] = -1
    return hashlib.sha256(b"".join((prev_hash, _LENGTHS.pack(_ENCODING, *lengths), *fields))).digest()


def seal(
    stream: str, head: Head, position: int, events: Sequence[NewEvent], now: str, codec: PayloadCodec | None
) -> tuple[list[StoredEvent], tuple[RecordedEvent, ...], Head]:
    """Chain new events to `head`; `position` is the last global position taken. The rows, the events, the new head.

    Time never runs backwards within a stream, whatever the clock does: reading up to a time is reading a prefix.
    """
    recorded_at = max(now, head.recorded_at)
    version, prev = head.version, head.hash
    rows: list[StoredEvent] = []
    recorded: list[RecordedEvent] = []
    for event in events:
        version += 1
        position += 1
        data, key_id = (event.data, None) if codec is None else codec.encode(stream, event.data)
        digest = event_hash(
            prev,
            stream,
            version,
            event.event_id,
            event.type,
            event.schema_version,
            data,
            key_id,
            event.metadata,
            recorded_at,
        )
        named = (event.event_id, event.type, event.schema_version)
        rows.append(
            (position, stream, version, *named, data, key_id, event.metadata, recorded_at, prev, digest),
        )
        recorded.append(
            RecordedEvent(position, stream, version, *named, event.data, event.metadata, recorded_at, prev, digest)
        )
        prev = digest
    return rows, tuple(recorded), Head(version, prev, recorded_at) if rows else head


def restore(row: StoredEvent, codec: PayloadCodec | None) -> RecordedEvent:
    """A stored row as the event it was; whatever the codec raises goes to the reader."""
    position, stream, version, event_id, type_, schema_version, data, key_id, metadata, recorded_at, prev, digest = row
    if codec is not None:
        data = codec.decode(stream, data, key_id)
    return RecordedEvent(
        position, stream, version, event_id, type_, schema_version, data, metadata, recorded_at, prev, digest
    )


def seal_snapshot(step: Append, version: int, codec: PayloadCodec | None) -> StoredSnapshot | None:
    """The snapshot of a step that leaves its stream at `version`, encoded as events are: it repeats what they say.

    Raises EventStoreError when it is of another stream or of a version that the stream does not have yet.
    """
    snapshot = step.snapshot
    if snapshot is None:
        return None
    if snapshot.stream != step.stream or not 0 < snapshot.version <= version:
        which = f"{snapshot.stream} at version {snapshot.version}"
        raise EventStoreError(f"a snapshot of {which} does not belong to {step.stream} at version {version}")
    data, key_id = (snapshot.data, None) if codec is None else codec.encode(step.stream, snapshot.data)
    return step.stream, snapshot.version, data, key_id


def restore_snapshot(stored: StoredSnapshot, codec: PayloadCodec | None) -> Snapshot:
    stream, version, data, key_id = stored
    return Snapshot(stream, version, data if codec is None else codec.decode(stream, data, key_id))


def verify_chains(rows: Iterable[StoredEvent], heads: Iterable[tuple[str, int, bytes]]) -> int:
    """Walk rows sorted by (stream, version) beside (stream, version, hash) of the heads, sorted by stream.

    Number of events checked. Raises ChainBroken at the first event that was changed, removed, swapped or slipped in.
    """
    checked = 0
    walk: Iterator[tuple[str, int, bytes]] = iter(heads)
    head = next(walk, None)
    for stream, group in groupby(rows, key=_stream_of):
        if head is not None and head[0] < stream:
            break
        if head is None or head[0] != stream:
            raise ChainBroken(stream, 1, "is in the log, but the stream has no recorded head")
        checked += _verify_stream(group, *head)
        head = next(walk, None)
    if head is not None:
        raise ChainBroken(head[0], 1, "was removed with every event after it")
    return checked


def _verify_stream(rows: Iterable[StoredEvent], stream: str, last: int, last_hash: bytes) -> int:
    prev, version, position = EMPTY.hash, 0, 0
    for row in rows:
        version += 1
        if row[2] != version:
            raise ChainBroken(stream, version, "is missing")
        if version > last:
            raise ChainBroken(stream, version, "lies beyond the recorded head")
        if row[10] != prev:
            raise ChainBroken(stream, version, "does not follow the event before it")
        if event_hash(prev, *row[1:10]) != row[11]:
            raise ChainBroken(stream, version, "is not what was recorded")
        if row[0] <= position:
            raise ChainBroken(stream, version, "stands before its predecessor in the global order")
        position, prev = row[0], row[11]
    if version != last:
        raise ChainBroken(stream, version + 1, "is missing")
    if prev != last_hash:
        raise ChainBroken(stream, version, "does not have the hash of the recorded head")
    return version
