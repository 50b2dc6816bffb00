"""doctor: look at everything this machine needs and say what to do, a sentence each."""

from __future__ import annotations

import typer

from s3palette.cli.system import DataDir, settings_from

__all__ = ["doctor"]


def doctor(data_dir: DataDir = None) -> None:
    """Check settings, disk, log, store, port, Ray, engine and GPU; exit code 1 when something has to be mended."""
    from s3palette.cli._checks import CHECKS

    settings = settings_from(data_dir=data_dir)
    broken = False
    for name, check in CHECKS.items():
        finding = check(settings)
        broken = broken or finding.level == "fail"
        typer.echo(f"{finding.level:<5} {name:<14} {finding.sentence}")
    if broken:
        raise typer.Exit(1)
