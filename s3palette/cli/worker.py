"""worker: an engine outside the cluster, see docs/external.md."""

from __future__ import annotations

import signal
from typing import Annotated, Literal

import typer

from actors.ports import is_free
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._say import sayer
from s3palette.cli.system import settings_from
from s3palette.settings import Settings

__all__ = ["worker"]


def worker(
    external: Annotated[bool, typer.Option("--external", help="Take jobs over HTTP: the one kind there is.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Photos at a time (S3P_ENGINE_INFLIGHT).")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Photos it holds before it answers 503.")] = 400,
    patience: Annotated[float, typer.Option(min=0, help="Seconds a stop waits for the photos that are here.")] = 60,
    engine: Annotated[
        Literal["auto", "classical", "sam3"] | None, typer.Option(help="Who segments (S3P_ENGINE; auto).")
    ] = None,
) -> None:
    """Run an engine outside the cluster: a system with S3P_ENGINE=external sends its photos to http://HOST:PORT/jobs.

    Needs S3P_CALLBACK_SECRET, the system's own, and S3P_EXTERNAL_SECRET where the system has one. No Ray is started.
    """
    if not external:
        raise fail("Say --external; the workers inside a cluster are started by 's3palette up'.")
    settings = _settings(engine, concurrency)
    if not settings.callback_secret.get_secret_value():
        raise fail("Set S3P_CALLBACK_SECRET to the system's; it is in DATA_DIR/secrets/callback_secret there.")
    if not is_free(port, host):
        raise fail(f"Port {port} on {host} is taken; choose another with --port.")
    _serve(settings, host, port, queue, patience)


def _settings(engine: str | None, concurrency: int | None) -> Settings:
    """The environment's settings; where it is the system's own, with S3P_ENGINE=external, the worker chooses itself."""
    settings = settings_from(engine=engine, engine_inflight=concurrency)
    return settings if settings.segmenter is not None else settings_from(engine="auto", engine_inflight=concurrency)


def _serve(settings: Settings, host: str, port: int, queue: int, patience: float) -> None:
    import uvicorn

    from engine.segment.sam3 import Sam3Unavailable
    from s3palette.engines import LoadedEngine, engine_note
    from s3palette.worker import create_worker

    say = sayer(settings, "worker")
    if (note := engine_note(settings)) is not None:
        say(note)
    with one_sentence(Sam3Unavailable):
        loaded = LoadedEngine(settings)
    app = create_worker(
        loaded,
        secret=settings.outside_secret.get_secret_value(),
        callback_secret=settings.callback_secret.get_secret_value(),
        slots=settings.engine_inflight,
        capacity=queue,
        patience_s=patience,
    )
    for signum in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them again once it has stopped in order
        signal.signal(signum, lambda *_: None)
    say(f"The {loaded.name} engine takes jobs on http://{host}:{port}/jobs. Ctrl-C stops it.")
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    say("Stopped")
