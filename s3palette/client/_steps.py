"""What a client does on the wire, as data.

A flow is a generator: it yields steps, gets each one's outcome back (or has its exception raised at the yield), and
returns a result. Flows hold all of the logic and do no I/O; `_sync` and `_async` carry their steps out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

__all__ = ["Answer", "Fetch", "Flow", "Pause", "Put", "Send", "Step", "Together"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """A JSON request to the API; its outcome is an Answer."""

    method: str
    path: str
    body: Any = None
    """None: no body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    """None: the client's own."""


@dataclass(frozen=True, slots=True)
class Put:
    """A photo's raw bytes to a signed address; its outcome is an Answer."""

    url: str
    photo: Path | bytes


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a signed address holds, into `to` (whole or not at all) or into the Answer's body."""

    url: str
    to: Path | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Its outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Together:
    """Flows side by side, `at_once` at a time; the outcome is their results in order.

    `on_done` gets the position of each that ended well, from one thread. The first failure stops the others.
    """

    flows: Sequence[Flow[Any]]
    at_once: int
    on_done: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    """Empty where a good answer went into a file."""
    host: str
    """Who answered."""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


Step: TypeAlias = Send | Put | Fetch | Pause | Together
Flow: TypeAlias = Generator[Step, Any, T]
