"""What one decision becomes in the event store: events, outbox rows, alarm, snapshot, one atomic append."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.entity import Entity
from actors.outbox import DeadLetter
from actors.placement import shard_of
from event_store import Append, NewEvent, OutboxRow, Snapshot
from s3palette.domain import codec
from s3palette.domain.model import Address, Decision, Effect, RunPhoto

__all__ = ["Step", "Trace", "alarm_id", "open_effect", "plan", "sender_of"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a step comes from; written into every event's metadata."""

    command_id: str | None
    correlation: str
    """Id of the request that began it all."""
    settles: Sequence[str]
    """Outbox rows that are done with this step; the first is its cause."""
    writer: str
    epoch: str
    """Tells the lives of one writer apart."""


@dataclass(frozen=True, slots=True)
class Step:
    """An append, and what the entity and the outbox are once it is committed."""

    append: Append
    state: Any
    version: int
    effects: tuple[tuple[OutboxRow, Effect], ...]
    alarm: OutboxRow | None
    """The alarm row that this step sets; None: it stays as it was or is cleared."""
    alarm_due: float | None
    cleared: tuple[str, ...]
    """Outbox rows that this step deletes besides those it settles."""


def plan(entity: Entity, decision: Decision, trace: Trace, now: datetime, snapshot_every: int) -> Step:
    """Pure but for the events' ids. `now` is when effects without a time of their own become due."""
    stream, behaviour = entity.address.stream, entity.behaviour
    metadata = json.dumps(
        {
            "command": trace.command_id,
            "causation": trace.settles[0] if trace.settles else trace.command_id,
            "correlation": trace.correlation,
            "writer": trace.writer,
            "epoch": trace.epoch,
        },
        separators=(",", ":"),
    ).encode()
    events, state = [], entity.state
    for event in decision.events:
        type_, schema_version, data = codec.encode_event(event)
        events.append(NewEvent(uuid.uuid4().hex, type_, schema_version, data, metadata))
        state = behaviour.evolve(state, event)
    version = entity.version + len(events)
    effects = tuple(
        (_effect_row(entity.address, f"{stream}:{version}:{number}", effect, trace.correlation, now), effect)
        for number, effect in enumerate(decision.effects)
    )
    alarm, cleared, alarm_due = _alarm(entity, state, now)
    snapshot = None
    if version - entity.snapshot_version >= snapshot_every:
        snapshot = Snapshot(stream, version, behaviour.dump(state))
    append = Append(
        stream=stream,
        expected_version=entity.version,
        events=events,
        command_id=trace.command_id,
        answer=json.dumps(decision.reply).encode(),
        put=(*(row for row, _ in effects), *([alarm] if alarm else ())),
        done=(*trace.settles, *cleared),
        snapshot=snapshot,
    )
    return Step(append, state, version, effects, alarm, alarm_due, cleared)


def alarm_id(stream: str) -> str:
    """Id of an entity's one alarm row."""
    return f"{stream}:alarm"


def open_effect(row: OutboxRow) -> tuple[str, Effect]:
    """(correlation, effect) of a row that `plan` made. Raises DeadLetter for what no build of today can read."""
    correlation, _, payload = row.payload.partition(b"\n")
    try:
        return correlation.decode(), codec.decode_effect(payload)
    except ValueError as error:
        raise DeadLetter(f"it cannot be read ({error})") from error


def sender_of(row: OutboxRow) -> Address:
    """The entity that owes the row."""
    kind, _, id_ = row.stream.partition("-")
    if kind not in ("user", "job"):
        raise DeadLetter(f"no such kind of entity: {row.stream}")
    return Address(kind, id_)  # type: ignore[arg-type]


def _effect_row(sender: Address, row_id: str, effect: Effect, correlation: str, now: datetime) -> OutboxRow:
    kind, payload = codec.encode_effect(effect)
    due = effect.not_before if isinstance(effect, RunPhoto) else now
    return OutboxRow(
        id=row_id,
        stream=sender.stream,
        shard=shard_of(sender),
        kind=kind,
        payload=correlation.encode() + b"\n" + payload,
        due_at=due.timestamp(),
        owed_at=now.timestamp(),
    )


def _alarm(entity: Entity, state: Any, now: datetime) -> tuple[OutboxRow | None, tuple[str, ...], float | None]:
    """(row to put, rows to delete, when the alarm goes off then).

    A deadline that only moves back keeps its row: waking too early is harmless, and a write is saved a photo.
    """
    stream = entity.address.stream
    deadline = entity.behaviour.deadline(state)
    if deadline is None:
        return None, (alarm_id(stream),) if entity.alarm_due is not None else (), None
    due = deadline.timestamp()
    if entity.alarm_due is not None and entity.alarm_due <= due:
        return None, (), entity.alarm_due
    shard = shard_of(entity.address)
    return OutboxRow(alarm_id(stream), stream, shard, "alarm", b"", due, owed_at=now.timestamp()), (), due
