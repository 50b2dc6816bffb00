"""dead: what the outbox gave up, and how it is owed again."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from actors.cluster import ClusterError, connect
from actors.outbox import DeadLetter
from actors.step import open_effect
from event_store import EventStoreError, OutboxRow
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._log import reading
from s3palette.cli._shown import when
from s3palette.cli.system import DataDir, settings_from
from s3palette.domain.model import OfferPhotos, RunPhoto

__all__ = ["app"]

app = typer.Typer(help="What could not be delivered: look at it, and have it tried again.", no_args_is_help=True)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False, data_dir: DataDir = None
) -> None:
    """Every dead letter with its reason, oldest first; the system may run or not."""
    settings = settings_from(data_dir=data_dir)

    async def read() -> list[OutboxRow]:
        async with reading(settings) as log:
            return await log.dead()

    with one_sentence(EventStoreError):
        rows = asyncio.run(read())
    if as_json:
        for row in rows:
            typer.echo(json.dumps(_facts(row), ensure_ascii=False))
        return
    for row in rows:
        facts = _facts(row)
        typer.echo(f"{facts['id']}  {facts['what']}  dead since {facts['dead_at']}, attempts: {facts['attempts']}")
        typer.echo(f"  {facts['error']}")
    typer.echo(f"{len(rows)} dead; 's3palette dead retry ID' has one tried again." if rows else "Nothing is dead.")


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As 'dead list' shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Owe dead letters again, with all their attempts; needs a running system. Receivers do nothing twice."""
    if bool(ids) == everything:
        raise fail("Name the dead letters to retry, or give --all.")
    settings = settings_from(data_dir=data_dir)
    with one_sentence(ClusterError):
        told = connect(settings.data_dir)
    import ray

    from actors.refs import host_handle

    wanted = None if everything else ids
    with one_sentence(ray.exceptions.RayError):
        revived = sum(ray.get([host_handle(index).revive.remote(wanted) for index in range(told.hosts)]))
    typer.echo(f"{revived} owed again; 's3palette dead list' shows what dies again.")
    if ids and revived < len(set(ids)):
        raise fail(f"{len(set(ids)) - revived} of those ids are not dead.")


def _facts(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "stream": row.stream,
        "kind": row.kind,
        "what": _what(row),
        "attempts": row.attempts,
        "error": row.error,
        "owed_at": when(row.owed_at),
        "dead_at": when(row.dead_at or 0.0),
    }


def _what(row: OutboxRow) -> str:
    if row.kind == "alarm":
        return f"alarm of {row.stream}"
    try:
        _, effect = open_effect(row)
    except DeadLetter:
        return f"unreadable {row.kind} of {row.stream}"
    if isinstance(effect, RunPhoto):
        return f"photo {effect.idx} of {row.stream}, attempt {effect.attempt}"
    if isinstance(effect, OfferPhotos):
        return f"offer of {len(effect.idxs)} photos of {row.stream} to the engine outside, attempt {effect.attempt}"
    return f"{type(effect.command).__name__} from {row.stream} to {effect.to.stream}"
