"""Steps, a read model and a codec for the tests of the event store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from event_store import Append, NewEvent, OutboxRow, RecordedEvent, Rows, Table


def event(amount: int = 1, type_: str = "Deposited", **data: Any) -> NewEvent:
    body = json.dumps({"amount": amount, **data}).encode()
    return NewEvent(uuid.uuid4().hex, type_, 1, body, b'{"writer":"test"}')


def events(count: int) -> tuple[NewEvent, ...]:
    return tuple(event(number) for number in range(1, count + 1))


def step(stream: str, expected: int, count: int = 1, **more: Any) -> Append:
    return Append(stream, expected, events(count), **more)


def owed(id_: str, due_at: float = 1.0, **more: Any) -> OutboxRow:
    row: dict[str, Any] = {"stream": "a", "shard": 0, "kind": "tell", "payload": b"{}", **more}
    return OutboxRow(id=id_, due_at=due_at, **row)


class Balances:
    """One row a stream (sum and number of amounts), and one a deposit. `Closed` removes the row; `Exploded` raises."""

    name = "balances"

    def __init__(self, version: int = 1, factor: int = 1) -> None:
        self.version = version
        self._factor = factor
        self.tables: Sequence[Table] = (
            Table(
                "balances",
                {"stream": "TEXT", "total": "INTEGER", "mean": "REAL", "note": "TEXT"},
                key=("stream",),
                indexes=(("total",),),
            ),
            Table("deposits", {"stream": "TEXT", "version": "INTEGER", "amount": "INTEGER"}, ("stream", "version")),
        )

    def apply(self, event: RecordedEvent, rows: Rows) -> None:
        if event.type == "Exploded":
            rows.put("deposits", {"stream": event.stream, "version": event.version, "amount": -1})
            raise RuntimeError("no such thing")
        if event.type == "Closed":
            rows.delete("balances", (event.stream,))
            return
        data = json.loads(event.data)
        former = rows.get("balances", (event.stream,)) or {"total": 0}
        total = former["total"] + data["amount"] * self._factor
        rows.put(
            "balances",
            {"stream": event.stream, "total": total, "mean": total / event.version, "note": data.get("note")},
        )
        rows.put("deposits", {"stream": event.stream, "version": event.version, "amount": data["amount"]})


class Xor:
    """A codec as crypto-erasure has it, but for the cipher: a key a stream, and streams without one."""

    def encode(self, stream: str, data: bytes) -> tuple[bytes, str | None]:
        if stream.startswith("plain"):
            return data, None
        return bytes(byte ^ 0x5A for byte in data), f"key-of-{stream}"

    def decode(self, stream: str, data: bytes, key_id: str | None) -> bytes:
        if key_id is None:
            return data
        assert key_id == f"key-of-{stream}"
        return bytes(byte ^ 0x5A for byte in data)


class Clock:
    """Seconds that stand until they are set."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
