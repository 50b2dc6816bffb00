"""When a failed step is worth another attempt, and after what pause."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import httpx

from s3palette.client._answers import UnknownAnswer
from s3palette.client._steps import Answer, Flow, Pause, Step
from s3palette.domain.errors import InternalError, PaletteError

__all__ = ["Patience"]

T = TypeVar("T")

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_FEW_ATTEMPTS = 3
_GATEWAY = (502, 503, 504)
_OURS_TO_MEND = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Patience:
    """Retries of one client: pauses that double from 0.2 to 5 s, each shortened by chance, `patience_s` in all.

    A server that was never reached is tried three times: its address is more likely wrong than it is away.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._met = False

    def retry(self, step: Step, read: Callable[[Answer], T], *, api: bool) -> Flow[T]:
        """What `read` makes of the step's answer. `api`: the server must speak our envelope; a store need not.

        Raises the last attempt's PaletteError or httpx.TransportError.
        """
        spent, attempt = 0.0, 0
        while True:
            began = time.monotonic()
            failure: PaletteError | httpx.TransportError
            try:
                result = read((yield step))
            except (PaletteError, httpx.TransportError) as error:
                failure = error
            else:
                self._met = True
                return result
            self._met = self._met or _is_there(failure)
            pause = _pause(attempt, failure)
            attempt += 1
            spent += time.monotonic() - began + pause
            if spent > self._patience_s or attempt >= self._attempts(failure, api):
                raise failure
            yield Pause(pause)

    def _attempts(self, failure: Exception, api: bool) -> float:
        if not _may_pass(failure, api):
            return 1
        if isinstance(failure, InternalError) or not self._met:
            return _FEW_ATTEMPTS
        return float("inf")


def _is_there(failure: Exception) -> bool:
    """Our envelope, or a proxy that speaks of a server behind it."""
    if not isinstance(failure, PaletteError):
        return False
    return not isinstance(failure, UnknownAnswer) or failure.status in _GATEWAY


def _may_pass(failure: Exception, api: bool) -> bool:
    """True for what a server shows while it is busy or a part of it is replaced: no answer, 5xx, a page not its own."""
    if isinstance(failure, PaletteError):
        return failure.status >= 500 or (api and isinstance(failure, UnknownAnswer) and failure.code == "NOT_OURS")
    return not isinstance(failure, _OURS_TO_MEND)


def _pause(attempt: int, failure: Exception) -> float:
    """Seconds. Spread by chance, so that clients that failed together do not come back together."""
    asked = failure.retry_after or 0 if isinstance(failure, PaletteError) else 0
    own = min(_FIRST_PAUSE_S * 2.0**attempt, _LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)
    return max(own, asked * random.uniform(1.0, 1.2))
