"""An answer is data, or an error of the one tree (`s3palette.domain.errors`)."""

from __future__ import annotations

import json
from typing import Any

from s3palette.client._steps import Answer
from s3palette.domain import errors
from s3palette.domain.errors import PaletteError

__all__ = ["UnknownAnswer", "accepted", "data_of"]

_CLASSES = {cls.code: cls for name in errors.__all__ if (cls := getattr(errors, name)) is not PaletteError}


class UnknownAnswer(PaletteError):
    """Not what this client knows: a newer server's code, an object store's refusal, a proxy's page.

    `code` is the server's own, or NOT_OURS where there is no envelope; `status` is HTTP's.
    """

    def __init__(self, code: str, message: str, status: int, *, retry_after: int | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.code, self.status = code, status  # type: ignore[misc]  # a class's own everywhere else in the tree

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.message, self.status, self.retry_after)


def _rebuild(code: str, message: str, status: int, retry_after: int | None) -> UnknownAnswer:
    return UnknownAnswer(code, message, status, retry_after=retry_after)


def accepted(answer: Answer) -> Answer:
    """The answer, if it is a good one. Raises PaletteError."""
    if answer.good:
        return answer
    asked = answer.headers.get("retry-after", "")
    wait = int(asked) if asked.isascii() and asked.isdigit() else None
    try:
        error = json.loads(answer.body)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        raise _not_ours(answer, wait) from None
    known = _CLASSES.get(code)
    if known is None:
        raise UnknownAnswer(code, message, answer.status, retry_after=wait)
    raise known(message, retry_after=wait)


def data_of(answer: Answer) -> Any:
    """The envelope's data. Raises PaletteError."""
    accepted(answer)
    try:
        return json.loads(answer.body)["data"]
    except (ValueError, KeyError, TypeError):
        raise _not_ours(answer) from None


def _not_ours(answer: Answer, wait: int | None = None) -> UnknownAnswer:
    message = f"{answer.host} answered HTTP {answer.status}, and not as an S3 Palette server does."
    return UnknownAnswer("NOT_OURS", message, answer.status, retry_after=wait)
