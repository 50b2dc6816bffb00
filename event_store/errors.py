"""The event store's errors.

EventStoreError
├── ConcurrencyError     the stream has moved on: reload, decide again
├── CommandRepeated      this command was carried out before; carries the first answer
├── ChainBroken          the hash chain does not hold
├── SchemaTooNew         the file was written by a newer version
└── StoreClosed          used after close()
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ChainBroken",
    "CommandRepeated",
    "ConcurrencyError",
    "EventStoreError",
    "SchemaTooNew",
    "StoreClosed",
]


class EventStoreError(Exception):
    """Root of the event store's errors."""


class ConcurrencyError(EventStoreError):
    """The stream is not at the expected version; nothing of the append was written."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream} is at version {actual}, expected {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.stream, self.expected, self.actual)


class CommandRepeated(EventStoreError):
    """The command id was recorded before; nothing of the append was written. `answer` is what was recorded then."""

    def __init__(self, command_id: str, answer: bytes) -> None:
        super().__init__(f"command {command_id} was carried out before")
        self.command_id, self.answer = command_id, answer

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.command_id, self.answer)


class ChainBroken(EventStoreError):
    """An event was changed, removed or swapped after it was recorded. `stream` and `version` say which."""

    def __init__(self, stream: str, version: int, what: str) -> None:
        super().__init__(f"stream {stream}: event {version} {what}")
        self.stream, self.version, self.what = stream, version, what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.stream, self.version, self.what)


class SchemaTooNew(EventStoreError):
    """The log was written by a newer version of this program."""


class StoreClosed(EventStoreError):
    """The store was used after `close()`."""
