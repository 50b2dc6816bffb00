"""backup: a copy of the data dir that another start can run on, taken while the system runs."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from event_store import EventStoreError, SqliteEventStore
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._shown import size
from s3palette.cli.system import DataDir, settings_from
from s3palette.settings import Settings

__all__ = ["backup"]

PAGES_AT_ONCE = 2048
"""8 MB: the log's writers pass between two steps."""


def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there, and must be empty.")],
    photos: Annotated[bool, typer.Option(help="Also the folder store's photos, results and masks.")] = True,
    data_dir: DataDir = None,
) -> None:
    """Copy event log, secrets and photos to FOLDER, a data dir of its own; the system may run or not.

    The log is copied first, as of one moment: every photo it knows is in the store already. The copy is checked.
    """
    settings = settings_from(data_dir=data_dir)
    if not settings.log_path.exists():
        raise fail(f"There is no event log in {settings.data_dir}; 's3palette up' makes one.")
    if folder.resolve().is_relative_to(settings.objects_dir.resolve()):
        raise fail(f"{folder} lies in the store that is to be copied; choose a folder elsewhere.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise fail(f"{folder} is not empty; choose a new folder.")
        folder.chmod(0o700)
    except OSError as error:
        raise fail(f"{folder} cannot be used as a folder ({error.strerror}); choose another.") from None
    try:
        copy = folder / settings.log_path.name
        _copy_log(settings.log_path, copy)
        with one_sentence(EventStoreError):
            events = asyncio.run(_verify(copy))
        if settings.secrets_dir.exists():
            shutil.copytree(settings.secrets_dir, folder / settings.secrets_dir.name)
        if photos and settings.store == "folder" and settings.objects_dir.exists():
            _copy_objects(settings, folder)
    except (OSError, sqlite3.Error) as error:
        _empty(folder)
        raise fail(f"The backup could not be made ({_first(error)}); {folder} is empty again.") from None
    except BaseException:  # a chain that is not whole, Ctrl-C
        _empty(folder)
        raise
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    typer.echo(f"{size(total)} in {folder}: {events} events, every chain whole. S3P_DATA_DIR={folder} runs on it.")


def _empty(folder: Path) -> None:
    """Half a backup looks like one: it goes."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _first(error: Exception) -> object:
    """The reason; of a folder's copy, which names every file, the first."""
    return error.args[0][0][2] if isinstance(error, shutil.Error) else error


def _copy_log(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as log,
        closing(sqlite3.connect(target)) as to,
    ):
        log.backup(to, pages=PAGES_AT_ONCE, sleep=0.005)
    target.chmod(0o600)


async def _verify(copy: Path) -> int:
    # Opened for writing once: that brings the copy to this program's schema, and its journal into the file.
    log = await SqliteEventStore.open(copy)
    try:
        return await log.verify()
    finally:
        await log.close()


def _copy_objects(settings: Settings, folder: Path) -> None:
    def still_there(source: str, target: str) -> str:
        try:
            return shutil.copy2(source, target)
        except FileNotFoundError:  # an upload's draft that was finished or given up meanwhile
            return target

    shutil.copytree(settings.objects_dir, folder / settings.objects_dir.name, copy_function=still_there)
