"""One entity awake: the mailbox is a fair lock, the rest is its state and version."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from event_store import RecordedEvent, Snapshot
from s3palette.domain import codec
from s3palette.domain.model import Address, Behaviour

__all__ = ["Entity"]


@dataclass(slots=True, eq=False)
class Entity:
    """A resident entity. About 1 KB beside its state."""

    address: Address
    behaviour: Behaviour[Any]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """First come, first served: messages of one entity are handled one at a time, in order."""
    state: Any = None
    version: int = 0
    snapshot_version: int = 0
    alarm_due: float | None = None
    """When the alarm row in the outbox goes off, seconds since the epoch; None: there is no row."""
    awake: bool = False
    """False: `state` is not to be trusted, it has to be loaded from the stream."""
    users: int = 0
    """Messages in or before their turn; an entity in use is not put to sleep."""
    used_at: float = 0.0

    def wake(self, snapshot: Snapshot | None, events: Sequence[RecordedEvent]) -> bool:
        """Take the state from a snapshot and the events after it. False: the snapshot is of an older shape."""
        state, version = None, 0
        if snapshot is not None:
            state, version = self.behaviour.load(snapshot.data), snapshot.version
            if state is None:
                return False
        self.snapshot_version = version
        for recorded in events:
            event = codec.decode_event(recorded.type, recorded.schema_version, recorded.data)
            state = self.behaviour.evolve(state, event)
            version = recorded.version
        self.state, self.version, self.awake = state, version, True
        deadline = self.behaviour.deadline(state)
        self.alarm_due = None if deadline is None else deadline.timestamp()
        return True
