"""up and down: one machine's whole system."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from actors import control
from actors.cluster import ClusterError, Running, System, running
from actors.running import is_held
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._say import sayer
from s3palette.settings import (
    MIN_SECRET_CHARS,
    Settings,
    SettingsError,
    load_settings,
    read_settings,
    unknown_variables,
)

__all__ = ["DataDir", "down", "settings_from", "up"]

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Event log, objects and secrets (S3P_DATA_DIR).")]
STARTS_WITHIN_S = 180.0
STOPS_WITHIN_S = 60.0


def settings_from(*, make_secrets: bool = False, **overrides: Any) -> Settings:
    """Settings with the options that were given on the command line; a wrong one ends the command.

    Only a command that starts a system makes secrets: one that looks at a mistyped data dir must leave nothing there.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    with one_sentence(SettingsError):
        return load_settings(**given) if make_secrets else read_settings(**given)


def up(
    port: Annotated[int | None, typer.Option(help="HTTP port (S3P_HTTP_PORT).")] = None,
    data_dir: DataDir = None,
    engine: Annotated[
        Literal["auto", "classical", "sam3", "external"] | None, typer.Option(help="Who segments (S3P_ENGINE).")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready; stop it with 'down'.")] = False,
) -> None:
    """Start everything on this machine and say when it is ready."""
    os.umask(0o077)  # photos, log and secrets are for their owner, whatever the shell says
    settings = settings_from(make_secrets=True, http_port=port, data_dir=data_dir, engine=engine)
    if detach:
        _up_detached(settings)
        return
    for variable in settings.short_secrets:
        typer.echo(
            f"{variable} has fewer than {MIN_SECRET_CHARS} characters; use a longer one in production.", err=True
        )
    for variable in unknown_variables():
        typer.echo(f"{variable} is not a setting; check its spelling.", err=True)
    began = time.monotonic()
    say = sayer(settings, "up")
    with one_sentence(ClusterError), System(settings, _targets, say=say) as system:
        for signum in (signal.SIGINT, signal.SIGTERM):  # now, because Ray sets handlers of its own when it starts
            signal.signal(signum, lambda *_: system.stop())
        say(f"Ready after {time.monotonic() - began:.1f} s on {system.url}, API docs at {system.url}/docs")
        say(f"Data in {settings.data_dir}. Ctrl-C or 's3palette down' stops it.")
        system.wait()
        say("Stopping: photos under way end first. Once more Ctrl-C stops at once.")
        if left := system.drain():
            say(f"{left} photos have not ended; the next start takes them up.")


def _targets(settings: Settings) -> Sequence[Any]:
    import serve_app  # Ray Serve reads its environment on import, and System sets it first

    return serve_app.targets(settings)


def _up_detached(settings: Settings) -> None:
    with one_sentence(ClusterError):
        if (told := running(settings.data_dir)) is not None:
            raise fail(f"A system already runs on {settings.data_dir} at {told.url}; stop it with 's3palette down'.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    log, lock = settings.data_dir / "up.log", settings.data_dir / "lock"
    if lock.exists() and is_held(lock):
        raise fail(f"A system is starting or stopping on {settings.data_dir}, see {log}; try again in a minute.")
    command = [sys.executable, "-m", "s3palette", "up", "--port", str(settings.http_port)]
    command += ["--data-dir", str(settings.data_dir), "--engine", settings.engine]
    with log.open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        if child.poll() is not None:
            lines = log.read_text().strip().splitlines()
            raise fail(lines[-1] if lines else f"It did not start; see {log}.")
        told = running(settings.data_dir)
        if told is not None and told.pid == child.pid:
            typer.echo(f"Ready on {told.url}, API docs at {told.url}/docs (log: {log})")
            return
        time.sleep(0.1)
    child.terminate()
    raise fail(f"It was not ready within {STARTS_WITHIN_S:.0f} s and was stopped; see {log}.")


def down(
    timeout: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds photos under way may take to end (S3P_STOP_WITHIN_S); 0: none."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Stop the system: new work is refused, photos under way end; the next start takes up what was not done."""
    settings = settings_from(data_dir=data_dir)
    with one_sentence(ClusterError):
        told = running(settings.data_dir)
    if told is None:
        typer.echo(f"Nothing runs on {settings.data_dir}.")
        return
    _ask_to_stop(told, timeout)
    within_s = (settings.stop_within_s if timeout is None else timeout) + STOPS_WITHIN_S
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if not is_held(settings.data_dir / "lock"):
            typer.echo(f"Stopped {told.url}.")
            return
        time.sleep(0.1)
    raise fail(f"Process {told.pid} did not stop within {within_s:.0f} s; end it with 'kill -9 {told.pid}'.")


def _ask_to_stop(told: Running, within_s: float | None) -> None:
    try:
        control.ask(told.control, {"do": "stop", "within_s": within_s})
    except (OSError, ValueError):  # another version's, or one that hangs
        with contextlib.suppress(ProcessLookupError):
            os.kill(told.pid, signal.SIGTERM)
