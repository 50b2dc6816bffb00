"""A bound on what one replica works on at once: past it a request is refused at once instead of waiting in a pile.

A request that waits longer than its client does is work for nobody, and the next ones wait behind it.
"""

from __future__ import annotations

import random
from types import TracebackType

from s3palette.domain.errors import Overloaded

__all__ = ["Gate"]

_COME_BACK_S = (1, 3)
"""Spread, so that those who were refused together do not return together."""


class Gate:
    """`with gate:` holds one of `places`. Raises Overloaded where all are taken. For one event loop."""

    def __init__(self, places: int, message: str) -> None:
        self._free = places
        self._message = message

    def __enter__(self) -> None:
        if self._free == 0:
            raise Overloaded(self._message, retry_after=random.randint(*_COME_BACK_S))
        self._free -= 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._free += 1
