"""What the edge needs of the rest of the system. It knows the actors only by these protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from time import time_ns
from typing import Any, Protocol

from s3palette.domain.model import Address, Command, Query
from s3palette.settings import Settings
from s3palette.storage import ObjectStore

__all__ = ["Brain", "Deps", "Observe", "Readiness", "Reads", "SignupLimiter", "sortable_id", "utc_now"]


class Brain(Protocol):
    """The way to the entities."""

    async def ask(
        self, to: Address, message: Command | Query, command_id: str | None = None, correlation: str = ""
    ) -> Any:
        """The entity's reply, a JSON value, once its events are committed. Raises PaletteError. `command_id` makes a
        repeat harmless; None: every call is a new command. `correlation` goes into the log: the request's id."""
        ...


class Reads(Protocol):
    """Lists and history from the read models, see `event_store.EventStore.select`."""

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        before: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]: ...


class Readiness(Protocol):
    async def __call__(self) -> Mapping[str, bool]:
        """Part of the system (hosts, log, store, engine) -> whether it answers."""
        ...


class SignupLimiter(Protocol):
    """Counts sign-ups an address, in one place for all replicas of the edge."""

    async def take(self, address: str) -> int:
        """Count one. 0: allowed; else the whole seconds until the next one is."""
        ...


Observe = Callable[[str, str, int, float], None]
"""(method, route template, status, seconds) of every request that was answered; 499: the client hung up first.
Method and template come from bounded sets: what we do not know is "OTHER" and "other"."""


def utc_now() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)


def sortable_id() -> str:
    """28 hex digits that sort by the millisecond they were made in; 64 bits of them are random."""
    return f"{time_ns() // 1_000_000:012x}{token_hex(8)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything `create_app` is given."""

    settings: Settings
    brain: Brain
    reads: Reads
    store: ObjectStore
    ready: Readiness
    signups: SignupLimiter
    clock: Callable[[], datetime] = field(default=utc_now)
    new_id: Callable[[], str] = field(default=sortable_id)
    observe: Observe | None = None
    echoes_request_id: bool = True
    """Put the request's id into the answer's X-Request-Id; False where the server around the application does."""
