"""demo: see the whole system work, from sign-up to a before / after sheet, and leave nothing running."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from s3palette.cli._fail import fail
from s3palette.domain.errors import PaletteError

if TYPE_CHECKING:
    from rich.console import Console

    from s3palette.client import Progress as AlbumProgress
    from s3palette.demo import Album
    from s3palette.demo.run import Outcome

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="where the pictures and the system's log go")] = Path(
        "demo-output"
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Keep the system's data: event log and objects.")] = False,
) -> None:
    """Start a system, run an interior and a seller album through it, show what came out, stop it."""
    from rich.console import Console

    from s3palette.demo import DemoFailed
    from s3palette.demo.server import SystemFailed

    # An end from outside is an end like Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    log = out / "system.log"
    data_dir = Path(tempfile.mkdtemp(prefix="s3p-demo-"))
    try:
        out.mkdir(parents=True, exist_ok=True)
        _run(out, data_dir, log, Console(highlight=False))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(130) from None
    except (DemoFailed, SystemFailed, PaletteError, httpx.TransportError, OSError) as error:
        raise fail(f"{str(error).rstrip('.')}. The system's log is {log}.") from None
    finally:
        if keep:
            typer.echo(f"Data kept in {data_dir}.")
        else:
            shutil.rmtree(data_dir, ignore_errors=True)


def _run(out: Path, data_dir: Path, log: Path, console: Console) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from s3palette.demo import ALBUMS, demo_system, run_demo

    began = time.monotonic()
    console.print("Starting a system: Ray, event log, entrance, engine ...")
    with demo_system(data_dir, log) as url:
        started = time.monotonic() - began
        console.print(f"Ready on {url} after {started:.1f} s. Two users, two jobs at once:")
        columns = (TextColumn("  {task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            bars = {album.name: progress.add_task(album.name, total=len(album.photos)) for album in ALBUMS}

            def show(album: Album, told: AlbumProgress) -> None:
                if told.phase == "edit":
                    progress.update(bars[album.name], completed=told.done + told.failed)

            outcomes = run_demo(url, out, show)
        stopping = time.monotonic()
        console.print("Stopping the system ...")
    _report(console, outcomes, started, time.monotonic() - stopping)


def _report(console: Console, outcomes: list[Outcome], started: float, stopped: float) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title="Seconds", title_justify="left")
    table.add_column("step")
    for outcome in outcomes:
        table.add_column(f"{outcome.album.name}, {len(outcome.album.photos)} photos", justify="right")
    table.add_row("start the system", f"{started:.1f}", *[""] * (len(outcomes) - 1))
    for step in outcomes[0].seconds:
        table.add_row(step, *(f"{outcome.seconds[step]:.1f}" for outcome in outcomes))
    table.add_row("stop the system", f"{stopped:.1f}", *[""] * (len(outcomes) - 1))
    console.print(table)
    for outcome in outcomes:
        sheet, *others = outcome.pictures
        console.print(f"{outcome.album.title}", style="bold")
        console.print(f"  {sheet}", soft_wrap=True)
        console.print(f"  {len(others)} results and {len(others)} mask pictures beside it", style="dim")
