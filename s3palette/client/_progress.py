"""Where progress goes: nowhere, to a callback, or to a bar on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from s3palette.client._album import Progress, Report

__all__ = ["reporting"]

_WORDS = {"upload": "Uploading", "edit": "Editing", "download": "Downloading"}


@contextmanager
def reporting(progress: bool | Callable[[Progress], None]) -> Iterator[Report]:
    """True: a bar a phase, on stderr."""
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield lambda told: None
    else:
        with _bar() as report:
            yield report


@contextmanager
def _bar() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(told: Progress) -> None:
            if told.phase not in tasks:
                tasks[told.phase] = bars.add_task(_WORDS[told.phase], total=told.total)
            ended = told.done + (0 if told.phase == "upload" else told.failed)
            bars.update(tasks[told.phase], completed=ended)

        yield show
