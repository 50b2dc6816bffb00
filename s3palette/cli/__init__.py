"""The `s3palette` command."""

from __future__ import annotations

import sys

import typer

from s3palette.cli import apply, backup, dead, demo, doctor, events, status, system, user, worker

__all__ = ["app", "main"]

app = typer.Typer(
    help="Name a domain's components, apply one rule to a whole album, deliver a consistent set.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(system.up)
app.command("down")(system.down)
app.command("status")(status.status)
app.command("worker")(worker.worker)
app.command("backup")(backup.backup)
app.command("doctor")(doctor.doctor)
app.command("apply")(apply.apply)
app.command("demo")(demo.demo)
app.add_typer(dead.app, name="dead")
app.add_typer(events.app, name="events")
app.add_typer(user.app, name="user")


def main() -> None:
    """Entry point; an error a person can mend is one line on stderr and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
