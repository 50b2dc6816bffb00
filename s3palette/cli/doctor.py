"""doctor: look at everything this machine needs and say what to do, a sentence each."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from s3palette.cli._finding import Finding
from s3palette.cli.system import DataDir, settings_from

__all__ = ["doctor"]

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False, data_dir: DataDir = None
) -> None:
    """Check settings, disk, log, store, port, Ray, engine and GPU; exit code 1 when the system could not start."""
    from s3palette.cli._checks import CHECKS

    settings = settings_from(data_dir=data_dir)
    found: list[tuple[str, Finding]] = []
    for name, check in CHECKS.items():
        found.append((name, check(settings)))
        if not as_json:
            _show(*found[-1])
    broken = [name for name, finding in found if finding.level == "fail"]
    if as_json:
        checks = [{"check": name, "level": each.level, "sentence": each.sentence} for name, each in found]
        typer.echo(json.dumps({"ok": not broken, "checks": checks}, ensure_ascii=False))
    else:
        what = f"To be mended first: {', '.join(broken)}." if broken else "Nothing stands in the way of 's3palette up'."
        typer.echo(what)
    if broken:
        raise typer.Exit(1)


def _show(name: str, finding: Finding) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=4)
    row.add_column(width=13)
    row.add_column(overflow="fold")
    row.add_row(Text(finding.level, style=COLOURS[finding.level]), Text(name, style="bold"), Text(finding.sentence))
    Console().print(row)
