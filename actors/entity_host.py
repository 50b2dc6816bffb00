"""A host of virtual actors, in plain asyncio: thousands of entities, one mailbox each, no Ray.

An entity is loaded from its stream by its first message, handles one message at a time, and is put to sleep when it
is idle. A reply leaves only after the commit. Two hosts may for a while believe that they keep the same entity; the
event store's expected version is the fence: the stale one forgets its state, loads again and decides again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from actors.entity import Entity
from actors.outbox import DeadLetter, Outbox
from actors.placement import SHARDS, shard_of
from event_store import (
    Append,
    CommandRepeated,
    ConcurrencyError,
    EventStore,
    NewEvent,
    OutboxRow,
    Snapshot,
)
from s3palette.domain import codec
from s3palette.domain.errors import Overloaded, PaletteError
from s3palette.domain.model import Address, Behaviour, Command, Decision, Query, RunPhoto, Tell, Wake

__all__ = ["Ask", "EntityHost", "PhotoRunner"]

log = logging.getLogger(__name__)

FIRST_DELIVERY_S = 2.0
"""How long a turn waits for an effect that is to be delivered before its reply."""
RETRIES_AFTER_CONFLICT = 5
TAKE_UP_AFTER_S = 1.0
EARLIEST_WAKE_S = 0.05
"""An alarm that changed nothing is not set again sooner than this."""


class Ask(Protocol):
    """Send a message to an entity wherever it lives, and get its reply."""

    async def __call__(
        self,
        to: Address,
        message: Command | Query,
        *,
        command_id: str | None = None,
        correlation: str = "",
        settles: Sequence[str] = (),
    ) -> Any: ...


PhotoRunner = Callable[[Address, RunPhoto, OutboxRow, str], Any]
"""(job, task, row, correlation) -> awaitable; carries a photo through the engine and settles the row."""


class EntityHost:
    """Keeps the entities of its shards awake while they are used.

    `route` sends to entities of other hosts (default: every entity is here). `resident` bounds how many entities are
    awake at once, `idle_s` how long one stays awake unused, `snapshot_every` how many events lie between snapshots.
    """

    def __init__(
        self,
        store: EventStore,
        behaviours: Sequence[Behaviour[Any]],
        *,
        now: Callable[[], datetime],
        run_photo: PhotoRunner | None = None,
        route: Ask | None = None,
        shards: Sequence[int] = tuple(range(SHARDS)),
        writer: str = "host-0",
        resident: int = 10_000,
        idle_s: float = 300.0,
        snapshot_every: int = 100,
    ) -> None:
        self._store = store
        self._behaviours: Mapping[str, Behaviour[Any]] = {each.kind: each for each in behaviours}
        self._now = now
        self._run_photo = run_photo
        self._route: Ask = route or self.ask
        self._shards = shards
        self._writer = writer
        self._epoch = uuid.uuid4().hex
        self._resident = resident
        self._idle_s = idle_s
        self._snapshot_every = snapshot_every
        self._entities: OrderedDict[Address, Entity] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self.outbox = Outbox(
            store, {"tell": self._tell, "task": self._task, "alarm": self._alarm}, lambda: now().timestamp()
        )

    async def start(self) -> int:
        """Take up what a former life still owes; number of outbox rows."""
        self._sweeper = asyncio.create_task(self._sweep())
        return await self.outbox.recover(self._shards)

    async def close(self, patience_s: float = 10.0) -> None:
        """Let deliveries that run end within `patience_s` seconds, then stop. The store stays open."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self.outbox.close(patience_s)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)

    @property
    def awake(self) -> int:
        """How many entities are resident."""
        return len(self._entities)

    async def ask(
        self,
        to: Address,
        message: Command | Query,
        *,
        command_id: str | None = None,
        correlation: str = "",
        settles: Sequence[str] = (),
    ) -> Any:
        """Handle one message of one entity in its turn.

        A command with a `command_id` that was carried out before gets the first answer. `settles` names outbox rows
        that are done with this command, in the same transaction. Raises PaletteError when the entity refuses.
        """
        entity = self._entities.get(to)
        if entity is None:
            entity = self._entities[to] = Entity(to, self._behaviours[to.kind])
            self._make_room()
        self._entities.move_to_end(to)
        entity.users += 1
        if isinstance(message, Query):
            try:
                async with entity.turn:
                    await self._ensure_awake(entity)
                    return entity.behaviour.answer(entity.state, message)
            finally:
                self._leave(entity)
        # A caller that hangs up must not tear a turn in two: what is committed is also evolved and delivered.
        turn = self._spawn(self._turn(entity, message, command_id, correlation, settles))
        return await asyncio.shield(turn)

    async def _turn(
        self, entity: Entity, command: Command, command_id: str | None, correlation: str, settles: Sequence[str]
    ) -> Any:
        try:
            async with entity.turn:
                await self._ensure_awake(entity)
                return await self._step(entity, command, command_id, correlation, settles)
        finally:
            self._leave(entity)

    def _leave(self, entity: Entity) -> None:
        entity.users -= 1
        entity.used_at = asyncio.get_running_loop().time()

    async def _ensure_awake(self, entity: Entity) -> None:
        if not entity.awake:
            await self._wake(entity)

    async def _wake(self, entity: Entity) -> None:
        stream = entity.address.stream
        loaded = await self._store.load(stream)
        if not entity.wake(loaded.snapshot, loaded.events):
            entity.wake(None, await self._store.read(stream))

    async def _step(
        self, entity: Entity, command: Command, command_id: str | None, correlation: str, settles: Sequence[str]
    ) -> Any:
        for _ in range(RETRIES_AFTER_CONFLICT):
            try:
                decision = entity.behaviour.decide(entity.state, command)
            except PaletteError:
                first = await self._first_answer(command_id)
                if first is None:
                    raise
                await self._settle(settles)
                return json.loads(first)
            if not decision.events and not decision.effects:
                first = await self._first_answer(command_id)
                await self._settle(settles)
                return decision.reply if first is None else json.loads(first)
            try:
                await self._commit(entity, decision, command_id, correlation, settles)
            except CommandRepeated as repeated:
                await self._settle(settles)
                return json.loads(repeated.answer)
            except ConcurrencyError as conflict:
                log.warning("%s: %s", entity.address.stream, conflict)
                await self._wake(entity)
                continue
            except BaseException:
                entity.awake = False  # whether it was written is not known: the stream is the truth
                self._spawn(self._take_up(entity.address))
                raise
            return decision.reply
        raise Overloaded("Too many writers at once for this record; try again.", retry_after=1)

    async def _first_answer(self, command_id: str | None) -> bytes | None:
        return None if command_id is None else await self._store.command_answer(command_id)

    async def _settle(self, rows: Sequence[str]) -> None:
        if rows:
            await self._store.settle(rows)

    async def _commit(
        self, entity: Entity, decision: Decision, command_id: str | None, correlation: str, settles: Sequence[str]
    ) -> None:
        behaviour, stream = entity.behaviour, entity.address.stream
        metadata = json.dumps(
            {
                "command": command_id,
                "causation": settles[0] if settles else command_id,
                "correlation": correlation,
                "writer": self._writer,
                "epoch": self._epoch,
            },
            separators=(",", ":"),
        ).encode()
        events, state = [], entity.state
        for event in decision.events:
            type_, schema_version, data = codec.encode_event(event)
            events.append(NewEvent(uuid.uuid4().hex, type_, schema_version, data, metadata))
            state = behaviour.evolve(state, event)
        version = entity.version + len(events)
        shard = shard_of(entity.address)
        put = self._effect_rows(entity.address, shard, version, decision, correlation)
        alarm, cleared, alarm_due = self._alarm_row(entity, shard, state)
        snapshot = None
        if version - entity.snapshot_version >= self._snapshot_every:
            snapshot = Snapshot(stream, version, behaviour.dump(state))
        await self._store.append(
            Append(
                stream=stream,
                expected_version=entity.version,
                events=events,
                command_id=command_id,
                answer=json.dumps(decision.reply).encode(),
                put=(*put, *alarm),
                done=(*settles, *cleared),
                snapshot=snapshot,
            )
        )
        entity.state, entity.version, entity.alarm_due = state, version, alarm_due
        if snapshot is not None:
            entity.snapshot_version = version
        self.outbox.forget(cleared)
        self.outbox.accept(alarm)
        started = self.outbox.accept(put)
        awaited = [
            task
            for task, effect in zip(started, _in_row_order(decision), strict=False)
            if isinstance(effect, Tell) and effect.await_first
        ]
        if awaited:
            await asyncio.wait(awaited, timeout=FIRST_DELIVERY_S)

    def _effect_rows(
        self, sender: Address, shard: int, version: int, decision: Decision, correlation: str
    ) -> list[OutboxRow]:
        now = self._now().timestamp()
        rows = []
        for number, effect in enumerate(_in_row_order(decision)):
            kind, payload = codec.encode_effect(effect)
            due = effect.not_before.timestamp() if isinstance(effect, RunPhoto) else now
            rows.append(
                OutboxRow(
                    id=f"{sender.stream}:{version}:{number}",
                    stream=sender.stream,
                    shard=shard,
                    kind=kind,
                    payload=correlation.encode() + b"\n" + payload,
                    due_at=due,
                )
            )
        return rows

    def _alarm_row(self, entity: Entity, shard: int, state: Any) -> tuple[list[OutboxRow], list[str], float | None]:
        """(row to put, row to delete, when the alarm goes off then).

        A deadline that only moves back keeps its row: waking too early is harmless, and a write is saved a photo.
        """
        deadline = entity.behaviour.deadline(state)
        row_id = f"{entity.address.stream}:alarm"
        if deadline is None:
            return [], [row_id] if entity.alarm_due is not None else [], None
        due = deadline.timestamp()
        if entity.alarm_due is not None and entity.alarm_due <= due:
            return [], [], entity.alarm_due
        return [OutboxRow(row_id, entity.address.stream, shard, "alarm", b"", due)], [], due

    async def _tell(self, row: OutboxRow) -> None:
        correlation, payload = _open(row)
        effect = codec.decode_effect(payload)
        if not isinstance(effect, Tell):
            raise DeadLetter(f"not a message: {effect!r}")
        try:
            await self._route(effect.to, effect.command, command_id=row.id, correlation=correlation, settles=(row.id,))
        except PaletteError as refusal:
            if refusal.retryable or refusal.status >= 500:
                raise
            if effect.on_refused is None:
                raise DeadLetter(f"{effect.to.stream} refused: {refusal.message}") from refusal
            # Not awaited: the sender's turn may be waiting for this very delivery.
            self._spawn(self._tell_back(row, effect.on_refused, correlation))

    async def _tell_back(self, row: OutboxRow, command: Command, correlation: str) -> None:
        try:
            await self.ask(
                _sender(row), command, command_id=f"{row.id}:refused", correlation=correlation, settles=(row.id,)
            )
        except Exception as error:  # the row is still owed: deliver, be refused and tell again
            log.warning("%s could not be told of a refusal: %r", row.stream, error)
            self.outbox.accept([replace(row, attempts=row.attempts + 1, due_at=self._now().timestamp() + 5.0)])

    async def _task(self, row: OutboxRow) -> None:
        correlation, payload = _open(row)
        effect = codec.decode_effect(payload)
        if not isinstance(effect, RunPhoto) or self._run_photo is None:
            raise DeadLetter(f"this host has no engine for {effect!r}")
        await self._run_photo(_sender(row), effect, row, correlation)

    async def _alarm(self, row: OutboxRow) -> None:
        to = _sender(row)
        await self.ask(to, Wake(at=self._now()))
        entity = self._entities.get(to)
        if entity is None:
            return
        async with entity.turn:  # a step between the look and the write could set an earlier alarm
            deadline = entity.behaviour.deadline(entity.state) if entity.awake else None
            if deadline is not None and entity.alarm_due == row.due_at:  # woken early: the deadline had moved back
                due = max(deadline.timestamp(), self._now().timestamp() + EARLIEST_WAKE_S)
                again = replace(row, due_at=due)
                await self._store.put_owed(again)
                entity.alarm_due = due
                self.outbox.accept([again])

    async def _take_up(self, address: Address) -> None:
        """A step whose outcome is unknown may owe something that nobody scheduled."""
        await asyncio.sleep(TAKE_UP_AFTER_S)
        owed = await self._store.owed([shard_of(address)])
        self.outbox.accept(row for row in owed if row.stream == address.stream)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _make_room(self) -> None:
        excess = len(self._entities) - self._resident
        if excess > 0:
            oldest = islice(self._entities.items(), excess * 2)
            for address in [address for address, entity in oldest if not entity.users][:excess]:
                del self._entities[address]

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._idle_s / 4)
            idle_since = loop.time() - self._idle_s
            for address, entity in list(self._entities.items()):
                if not entity.users and entity.used_at < idle_since:
                    del self._entities[address]


def _in_row_order(decision: Decision) -> list[Any]:
    """Effects that start at once come first, so that started deliveries and effects can be paired."""
    return sorted(decision.effects, key=lambda effect: isinstance(effect, RunPhoto))


def _open(row: OutboxRow) -> tuple[str, bytes]:
    correlation, _, payload = row.payload.partition(b"\n")
    return correlation.decode(), payload


def _sender(row: OutboxRow) -> Address:
    kind, _, id_ = row.stream.partition("-")
    if kind not in ("user", "job"):
        raise DeadLetter(f"no such kind of entity: {row.stream}")
    return Address(kind, id_)  # type: ignore[arg-type]
