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
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from actors.entity import Entity
from actors.outbox import DeadLetter, Outbox
from actors.placement import SHARDS, shard_of
from actors.step import Trace, open_effect, plan, sender_of
from event_store import CommandRepeated, ConcurrencyError, EventStore, OutboxRow
from s3palette import logs
from s3palette.domain.errors import Overloaded, PaletteError
from s3palette.domain.model import (
    Address,
    Behaviour,
    Command,
    Decision,
    Effect,
    Event,
    OfferPhotos,
    Query,
    RunPhoto,
    Tell,
    Wake,
)

__all__ = ["Ask", "Committed", "EntityHost", "OfferSender", "PhotoRunner"]

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
OfferSender = Callable[[Address, OfferPhotos, OutboxRow, str], Any]
"""(job, offer, row, correlation) -> awaitable; brings photos to the engine outside and settles the row."""

Committed = Callable[[Any, Any, Sequence[Event]], None]
"""(state before, state after, events) of every step, once it is durable."""


class EntityHost:
    """Keeps the entities of its shards awake while they are used.

    `admit` raises PaletteError for a command that the entity would carry out and the system has no room for.
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
        send_offer: OfferSender | None = None,
        admit: Callable[[Command], None] = lambda command: None,
        route: Ask | None = None,
        observe: Committed | None = None,
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
        self._send_offer = send_offer
        self._admit = admit
        self._route: Ask = route or self.ask
        self._observe = observe
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
            store,
            {"tell": self._tell, "task": self._task, "offer": self._offer, "alarm": self._alarm},
            lambda: now().timestamp(),
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

    async def revive(self, ids: Sequence[str] | None = None) -> int:
        """Deliver dead outbox rows of this host's shards again, these or all; how many were dead."""
        dead = [row.id for row in await self._store.dead() if row.shard in self._shards]
        return await self.outbox.revive([row_id for row_id in dead if ids is None or row_id in ids])

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
        if isinstance(message, Query):
            async with self._in_turn(to) as entity:
                return entity.behaviour.answer(entity.state, message)
        # A caller that hangs up must not tear a turn in two: what is committed is also evolved and delivered.
        trace = Trace(command_id, correlation, settles, self._writer, self._epoch)
        return await asyncio.shield(self._spawn(self._turn(to, message, trace)))

    async def _turn(self, to: Address, command: Command, trace: Trace) -> Any:
        logs.begin(request_id=trace.correlation, stream=to.stream, **{to.kind: to.id})
        async with self._in_turn(to) as entity:
            return await self._step(entity, command, trace)

    @asynccontextmanager
    async def _in_turn(self, to: Address) -> AsyncIterator[Entity]:
        """The entity, awake, for as long as it is nobody else's turn."""
        entity = self._entities.get(to)
        if entity is None:
            entity = self._entities[to] = Entity(to, self._behaviours[to.kind])
            self._make_room()
        self._entities.move_to_end(to)
        entity.users += 1
        try:
            async with entity.turn:
                if not entity.awake:
                    await self._wake(entity)
                yield entity
        finally:
            entity.users -= 1
            entity.used_at = asyncio.get_running_loop().time()

    async def _wake(self, entity: Entity) -> None:
        stream = entity.address.stream
        loaded = await self._store.load(stream)
        if not entity.wake(loaded.snapshot, loaded.events):
            entity.wake(None, await self._store.read(stream))

    async def _step(self, entity: Entity, command: Command, trace: Trace) -> Any:
        for _ in range(RETRIES_AFTER_CONFLICT):
            try:
                decision = entity.behaviour.decide(entity.state, command)
                self._admit(command)
            except PaletteError:
                first = await self._first_answer(trace)
                if first is None:
                    raise
                return json.loads(first)
            if not decision.events and not decision.effects:
                first = await self._first_answer(trace)
                await self._settle(trace)
                return decision.reply if first is None else json.loads(first)
            try:
                await self._commit(entity, decision, trace)
            except CommandRepeated as repeated:
                await self._settle(trace)
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

    async def _first_answer(self, trace: Trace) -> bytes | None:
        if trace.command_id is None:
            return None
        first = await self._store.command_answer(trace.command_id)
        if first is not None:
            await self._settle(trace)
        return first

    async def _settle(self, trace: Trace) -> None:
        if trace.settles:
            await self._store.settle(trace.settles)

    async def _commit(self, entity: Entity, decision: Decision, trace: Trace) -> None:
        step = plan(entity, decision, trace, self._now(), self._snapshot_every)
        await self._store.append(step.append)
        before = entity.state
        entity.state, entity.version, entity.alarm_due = step.state, step.version, step.alarm_due
        if step.append.snapshot is not None:
            entity.snapshot_version = step.version
        self.outbox.forget(step.cleared)
        if step.alarm is not None:
            self.outbox.accept([step.alarm])
        awaited = self.outbox.accept(row for row, effect in step.effects if _is_awaited(effect))
        self.outbox.accept(row for row, effect in step.effects if not _is_awaited(effect))
        if decision.events:
            _tell_the_log(step.state, step.version, decision.events)
            if self._observe is not None:
                self._observe(before, step.state, decision.events)
        if awaited:
            await asyncio.wait(awaited, timeout=FIRST_DELIVERY_S)

    async def _tell(self, row: OutboxRow) -> None:
        correlation, effect = open_effect(row)
        if not isinstance(effect, Tell):
            raise DeadLetter(f"not a message: {effect!r}")
        logs.add(request_id=correlation)
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
                sender_of(row), command, command_id=f"{row.id}:refused", correlation=correlation, settles=(row.id,)
            )
        except Exception as error:  # the row is still owed: deliver, be refused and tell again
            log.warning("%s could not be told of a refusal: %r", row.stream, error)
            self.outbox.accept([replace(row, attempts=row.attempts + 1, due_at=self._now().timestamp() + 5.0)])

    async def _task(self, row: OutboxRow) -> None:
        correlation, effect = open_effect(row)
        if not isinstance(effect, RunPhoto) or self._run_photo is None:
            raise DeadLetter(f"this host has no engine for {effect!r}")
        logs.add(request_id=correlation)
        try:
            await self._run_photo(sender_of(row), effect, row, correlation)
        except PaletteError as refusal:
            if refusal.retryable or refusal.status >= 500:
                raise
            raise DeadLetter(f"{row.stream} refused what came back: {refusal.message}") from refusal

    async def _offer(self, row: OutboxRow) -> None:
        correlation, effect = open_effect(row)
        if not isinstance(effect, OfferPhotos) or self._send_offer is None:
            raise DeadLetter(f"this host knows no engine outside for {effect!r}")
        logs.add(request_id=correlation)
        await self._send_offer(sender_of(row), effect, row, correlation)

    async def _alarm(self, row: OutboxRow) -> None:
        to = sender_of(row)
        await self.ask(to, Wake(at=self._now()))
        # The deadline may have moved back and kept its row, perhaps in a former life: set the row to what holds now.
        async with self._in_turn(to) as entity:
            deadline = entity.behaviour.deadline(entity.state)
            if deadline is not None:
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


def _is_awaited(effect: Effect) -> bool:
    return isinstance(effect, Tell) and effect.await_first


def _tell_the_log(state: Any, version: int, events: Sequence[Event]) -> None:
    if log.isEnabledFor(logging.INFO):
        about = {"user": getattr(state, "user_id", None), "version": version}
        for name, field in (("photo", "idx"), ("attempt", "attempt")):
            about[name] = next((getattr(event, field) for event in events if hasattr(event, field)), None)
        log.info(", ".join(type(event).__name__ for event in events), extra=about)
