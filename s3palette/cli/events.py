"""events: read the log, whether a system runs on it or not. Never writes to it."""

from __future__ import annotations

import asyncio
import difflib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from event_store import EventStoreError, RecordedEvent, SqliteEventStore
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._log import reading
from s3palette.cli.system import DataDir, settings_from

__all__ = ["app", "near", "shown"]

app = typer.Typer(help="Read the event log.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, with every column.")]

_POLL_S = 0.3
_AT_ONCE = 1000
_NEAR = 5


@app.command()
def show(
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="user-u_... or job-j_...")],
    upto: Annotated[int | None, typer.Option(min=1, help="Last version to show.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Last time to show, ISO-8601.")] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Every event of one stream, oldest first."""

    async def read() -> None:
        async with reading(settings_from(data_dir=data_dir)) as log:
            # Read first and judge afterwards: an empty answer may also mean that `until` lies before the first event.
            events = await log.read(stream, upto=upto, until=until)
            if not events:
                names = [name for name, _ in await log.streams()]
                if stream not in names:
                    raise fail(_unknown(stream, names))
        _print(events, as_json, with_stream=False)

    with one_sentence(EventStoreError):
        asyncio.run(read())


@app.command()
def tail(
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is recorded from now on.")] = False,
    count: Annotated[int, typer.Option("-n", min=0, help="How many of the newest events.")] = 20,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """The newest events of the whole log, oldest first."""

    async def read() -> None:
        async with reading(settings_from(data_dir=data_dir)) as log:
            last = await _last_position(log)
            _print(await _newest(log, last, count), as_json, with_stream=True)
            while follow:
                events = await log.read_all(after=last, limit=_AT_ONCE)
                _print(events, as_json, with_stream=True)
                if events:
                    last = events[-1].global_position
                else:
                    await asyncio.sleep(_POLL_S)

    try:
        with one_sentence(EventStoreError):
            asyncio.run(read())
    except KeyboardInterrupt:
        return


def shown(event: RecordedEvent, with_stream: bool) -> str:
    """One event in one line: version, time, type and its fields without the time that `recorded_at` tells already."""
    fields = json.loads(event.data)
    fields.pop("at", None)
    words = " ".join(f"{name}={_short(value)}" for name, value in fields.items() if value is not None)
    stream = f"{event.stream:<38}  " if with_stream else ""
    return f"{stream}{event.version:>5}  {event.recorded_at}  {event.type:<20}  {words}".rstrip()


def near(stream: str, names: Sequence[str]) -> list[str]:
    """A few streams that may have been meant: those that contain the text, else those spelled alike."""
    containing = [name for name in names if stream in name]
    return containing[:_NEAR] or difflib.get_close_matches(stream, names, _NEAR, cutoff=0.6)


def _unknown(stream: str, names: Sequence[str]) -> str:
    if not names:
        return f"There is no stream {stream}: the log is empty."
    found = near(stream, names)
    hint = f"Near it: {', '.join(found)}." if found else f"There are {len(names)}, such as {names[0]}."
    return f"There is no stream {stream}. {hint}"


async def _last_position(log: SqliteEventStore) -> int:
    """Global position of the newest event, 0 in an empty log: found by halving, the log may be long."""
    low, step = 0, 1
    while await log.read_all(after=low + step - 1, limit=1):
        low, step = low + step, step * 2
    high = low + step  # nothing is at `high` or beyond, something is at `low` or beyond (or low is 0)
    while high - low > 1:
        middle = (low + high) // 2
        if await log.read_all(after=middle - 1, limit=1):
            low = middle
        else:
            high = middle
    return low


async def _newest(log: SqliteEventStore, last: int, count: int) -> list[RecordedEvent]:
    """The newest `count` events up to position `last`; positions may have gaps."""
    reach = count
    while count:
        after = max(0, last - reach)
        events = [event for event in await log.read_all(after, last - after) if event.global_position <= last]
        if len(events) >= count or after == 0:
            return events[-count:]
        reach *= 2
    return []


def _print(events: Iterable[RecordedEvent], as_json: bool, with_stream: bool) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for event in events:
        typer.echo(_as_json(event) if as_json else shown(event, with_stream)[:width])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _as_json(event: RecordedEvent) -> str:
    return json.dumps(
        {
            "global_position": event.global_position,
            "stream": event.stream,
            "version": event.version,
            "event_id": event.event_id,
            "type": event.type,
            "schema_version": event.schema_version,
            "recorded_at": event.recorded_at,
            "data": json.loads(event.data),
            "metadata": json.loads(event.metadata),
            "hash": event.hash.hex(),
        },
        ensure_ascii=False,
    )
