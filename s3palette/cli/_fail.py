"""How a command ends when a person has to do something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

__all__ = ["fail", "one_sentence"]


def fail(message: str) -> typer.Exit:
    """Print one sentence on stderr; raise what this returns."""
    typer.echo(message, err=True)
    return typer.Exit(1)


@contextmanager
def one_sentence(*expected: type[Exception]) -> Iterator[None]:
    """Turn errors a person can mend into their one sentence and exit code 1."""
    try:
        yield
    except expected as error:
        raise fail(str(error)) from None
