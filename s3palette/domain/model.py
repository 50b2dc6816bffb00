"""The vocabulary of the functional core: addresses, commands, queries, events, effects, decisions.

`decide(state, command) -> Decision` and `evolve(state, event) -> state` are pure. Time and ids come in with the
command; whatever must happen afterwards goes out as an effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, TypeVar

__all__ = [
    "Address",
    "Behaviour",
    "Command",
    "Decision",
    "Effect",
    "Event",
    "OfferPhotos",
    "Query",
    "RunPhoto",
    "Tell",
    "Wake",
]

Kind = Literal["user", "job"]


@dataclass(frozen=True, slots=True)
class Address:
    """Name of one entity."""

    kind: Kind
    id: str

    @property
    def stream(self) -> str:
        """Name of the entity's event stream, "user-u_1"."""
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish. It is answered with events and a reply, or refused with a `PaletteError`."""

    at: datetime
    """When it was given, aware UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question about one entity's state; changes nothing, leaves no event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact, named in the past tense. Fields are JSON-able values, datetimes and frozen dataclasses of them."""

    schema_version: ClassVar[int] = 1
    at: datetime
    """When it happened, aware UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake(Command):
    """The entity's alarm went off: whatever deadline has passed at `at` takes effect."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a command to another entity, at least once. Its id is the effect's, so a repeat is answered, not redone."""

    to: Address
    command: Command
    await_first: bool = False
    """The sender's turn waits for the first delivery (2 s at most), so that nobody sees the one without the other."""
    on_refused: Command | None = None
    """Sent back to the sender when the receiver refuses for good."""


@dataclass(frozen=True, slots=True)
class RunPhoto:
    """A task for the engine: photo `idx` of the job that asks, `attempt` counted from 1."""

    idx: int
    attempt: int
    not_before: datetime
    """Backoff: the task is not started before this time."""


@dataclass(frozen=True, slots=True)
class OfferPhotos:
    """A task for the engine outside: the photos `idxs` of the job that asks, all at `attempt`, counted from 1."""

    idxs: tuple[int, ...]
    attempt: int


Effect = Tell | RunPhoto | OfferPhotos


@dataclass(frozen=True, slots=True)
class Decision:
    """What a command leads to. `reply` is a JSON value; it is stored, and a repeated command gets it again."""

    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    reply: Any = None


S = TypeVar("S")


class Behaviour(Protocol[S]):
    """One kind of entity as the actors run it. `S` is the state; None before the first event."""

    @property
    def kind(self) -> Kind:
        """Prefix of the streams of these entities."""
        ...

    def decide(self, state: S | None, command: Command) -> Decision:
        """Events, effects and reply. Raises `PaletteError` to refuse; then nothing has happened."""
        ...

    def evolve(self, state: S | None, event: Event) -> S:
        """The state after the event. Total: an event that was recorded always applies."""
        ...

    def answer(self, state: S | None, query: Query) -> Any:
        """The reply to a query. Raises `PaletteError` (not found, forbidden)."""
        ...

    def deadline(self, state: S | None) -> datetime | None:
        """When the entity wants to be woken next: a function of the state alone. None: never."""
        ...

    def dump(self, state: S) -> bytes:
        """The state as bytes, for a snapshot."""
        ...

    def load(self, data: bytes) -> S | None:
        """The state from a snapshot; None where the snapshot is of an older shape and events must be replayed."""
        ...
