"""Messages and states as JSON bytes: what the log, the outbox and the snapshots keep.

One registry knows every message by its class name. An event carries its schema version; an event that was written in
an older shape goes through `UPCASTERS` step by step until it is in today's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from s3palette.domain import job_messages, user_messages
from s3palette.domain.model import Address, Command, Effect, Event, OfferPhotos, RunPhoto, Tell, Wake

__all__ = [
    "COMMANDS",
    "EVENTS",
    "PERSONAL_FIELDS",
    "UPCASTERS",
    "UnknownMessage",
    "decode_command",
    "decode_effect",
    "decode_event",
    "dump_state",
    "encode_command",
    "encode_effect",
    "encode_event",
    "load_state",
]

M = TypeVar("M")
_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {}
"""Built when first used: a pydantic adapter takes about a millisecond to make, and microseconds to use."""
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class UnknownMessage(ValueError):
    """Bytes of a message or schema version this build does not know."""


def _of(kind: type[M]) -> Mapping[str, type[M]]:
    return {
        name: value
        for module in (user_messages, job_messages)
        for name in module.__all__
        if isinstance(value := getattr(module, name), type) and issubclass(value, kind)
    }


EVENTS: Final[Mapping[str, type[Event]]] = _of(Event)
"""Every event by name."""
COMMANDS: Final[Mapping[str, type[Command]]] = {**_of(Command), Wake.__name__: Wake}
"""Every command by name."""

UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = {
    ("UploadConfirmed", 1): lambda old: {**old, "etags": {}},
    ("JobQueued", 1): lambda old: {**old, "photos": {}},
    ("JobQueued", 2): lambda old: {**old, "references": {}},
}
"""(event, schema version n) -> its JSON object in version n + 1."""

PERSONAL_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "UserSignedUp": ("device_key",),
    "RuleCreated": ("name",),
    "RuleUpdated": ("name",),
    "CreditsGranted": ("reason",),
    "PhotoDelivered": ("warnings",),
    "PhotoFailed": ("error", "warnings"),
    "PhotoRetried": ("error",),
}
"""Event -> fields that say something about a person or hold free text; what an erasure must make unreadable. Ids and
keys are pseudonyms: they name nobody once these are gone."""


def encode_event(event: Event) -> tuple[str, int, bytes]:
    """(type, schema version, JSON)."""
    kind = type(event)
    return kind.__name__, kind.schema_version, _adapter(kind).dump_json(event)


def decode_event(
    type_: str, schema_version: int, data: bytes, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
) -> Event:
    """The event in today's shape. Raises UnknownMessage for a name, version or content this build does not know."""
    kind = EVENTS.get(type_)
    if kind is None or not 1 <= schema_version <= kind.schema_version:
        raise UnknownMessage(f"event {type_} of schema version {schema_version}")
    if schema_version == kind.schema_version:
        return _decode(kind, data)
    fields = json.loads(data)
    for version in range(schema_version, kind.schema_version):
        step = upcasters.get((type_, version))
        if step is None:
            raise UnknownMessage(f"event {type_} of schema version {version}: no upcaster")
        fields = step(fields)
    return _read(kind, fields)


def encode_command(command: Command) -> tuple[str, bytes]:
    """(type, JSON)."""
    kind = type(command)
    return kind.__name__, _adapter(kind).dump_json(command)


def decode_command(type_: str, data: bytes) -> Command:
    """Raises UnknownMessage."""
    kind = COMMANDS.get(type_)
    if kind is None:
        raise UnknownMessage(f"command {type_}")
    return _decode(kind, data)


def encode_effect(effect: Effect) -> tuple[Literal["tell", "task", "offer"], bytes]:
    """(kind of outbox row, JSON)."""
    if isinstance(effect, RunPhoto):
        return "task", _adapter(RunPhoto).dump_json(effect)
    if isinstance(effect, OfferPhotos):
        return "offer", _adapter(OfferPhotos).dump_json(effect)
    # The command's own JSON goes in as it is: parsing it only to write it again would cost twice.
    to = json.dumps([effect.to.kind, effect.to.id]).encode()
    refused = b"null" if effect.on_refused is None else _named(effect.on_refused)
    first = b"true" if effect.await_first else b"false"
    command = _named(effect.command)
    return "tell", b'{"to":%b,"command":%b,"await_first":%b,"on_refused":%b}' % (to, command, first, refused)


def decode_effect(data: bytes) -> Effect:
    """Raises UnknownMessage."""
    try:
        fields = json.loads(data)
        if "idxs" in fields:
            return _read(OfferPhotos, fields)
        if "to" not in fields:
            return _read(RunPhoto, fields)
        kind, id_ = fields["to"]
        refused = fields["on_refused"]
        return Tell(
            Address(kind, id_),
            _unnamed(*fields["command"]),
            await_first=fields["await_first"],
            on_refused=None if refused is None else _unnamed(*refused),
        )
    except UnknownMessage:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise UnknownMessage(f"effect: {error}") from error


def dump_state(state: Any, version: int) -> bytes:
    """A state for a snapshot, marked with the version of its shape. Defaults are left out: a job has 200 photos."""
    return b"%d\n" % version + _adapter(type(state)).dump_json(state, exclude_defaults=True)


def load_state(kind: type[M], version: int, data: bytes) -> M | None:
    """None where the snapshot has another shape: the events tell it all again."""
    mark, _, body = data.partition(b"\n")
    if mark != b"%d" % version:
        return None
    try:
        return _adapter(kind).validate_json(body)
    except ValidationError:
        return None


def _adapter(kind: type[M]) -> TypeAdapter[M]:
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter


def _decode(kind: type[M], data: bytes) -> M:
    try:
        return _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise UnknownMessage(f"{kind.__name__}: {error}") from error


def _read(kind: type[M], fields: Any) -> M:
    try:
        return _adapter(kind).validate_python(fields)
    except ValidationError as error:
        raise UnknownMessage(f"{kind.__name__}: {error}") from error


def _named(command: Command) -> bytes:
    name, data = encode_command(command)
    return b'["%b",%b]' % (name.encode(), data)


def _unnamed(name: str, fields: Any) -> Command:
    kind = COMMANDS.get(name)
    if kind is None:
        raise UnknownMessage(f"command {name}")
    return _read(kind, fields)
