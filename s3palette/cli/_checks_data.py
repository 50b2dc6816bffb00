"""What `doctor` looks at in the settings and the data dir. Nothing is written, nothing made."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing

from event_store import SCHEMA_VERSION, EventStoreError, SqliteEventStore, schema_version
from s3palette.cli._finding import Finding
from s3palette.settings import MIN_SECRET_CHARS, Settings, SettingsError, check_device_key, unknown_variables

__all__ = ["dead_letters", "event_log", "secrets", "settings_given"]


def settings_given(settings: Settings) -> Finding:
    if unknown := unknown_variables():
        return Finding("warn", f"{', '.join(unknown)}: no such setting; check the spelling.")
    short = [name for name in settings.short_secrets if os.environ.get(name)]  # the others are still to be made
    if short:
        return Finding("warn", f"{', '.join(short)}: fewer than {MIN_SECRET_CHARS} characters; use a longer secret.")
    return Finding("ok", "Every S3P_ variable is a setting and can be used.")


def secrets(settings: Settings) -> Finding:
    try:
        check_device_key(settings)
    except SettingsError as error:
        return Finding("fail", str(error))
    folder = settings.secrets_dir
    if not folder.exists():
        return Finding("ok", "There are no secrets yet; the first start makes them.")
    try:
        files = [folder, *folder.iterdir()]
        open_to_others = [path for path in files if path.stat().st_mode & 0o077]
        short = [path for path in files[1:] if len(path.read_bytes().strip()) < MIN_SECRET_CHARS]
    except OSError as error:
        return Finding("fail", f"The secrets in {folder} cannot be read ({error.strerror}); run as their owner.")
    if short:
        return Finding("fail", f"The secret in {short[0]} is too short; delete the file to have a new one made.")
    if open_to_others:
        return Finding("warn", f"{open_to_others[0]} can be read by others; run 'chmod -R go= {folder}'.")
    return Finding("ok", f"The secrets in {folder} are their owner's alone.")


def event_log(settings: Settings) -> Finding:
    path = settings.log_path
    if not path.exists():
        return Finding("ok", "There is no event log yet; the first start makes it.")
    try:
        schema = schema_version(path)
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as log:
            (health,) = log.execute("PRAGMA quick_check(1)").fetchone()
            count = 0 if schema is None else log.execute("SELECT count(*) FROM events").fetchone()[0]
    except (EventStoreError, sqlite3.Error) as error:
        return Finding("fail", f"The event log {path} cannot be read ({error}); restore it from a backup.")
    if health != "ok":
        return Finding("fail", f"The event log {path} is damaged ({health}); restore it from a backup.")
    told = f"The event log has {count} events in schema {schema}"
    if schema is not None and schema < SCHEMA_VERSION:
        return Finding("ok", f"{told}; the next start upgrades it to {SCHEMA_VERSION}, so make a backup before.")
    return Finding("ok", f"{told}.")


def dead_letters(settings: Settings) -> Finding:
    if not settings.log_path.exists():
        return Finding("ok", "Nothing has failed for good.")
    try:
        count = asyncio.run(_count_dead(settings))
    except EventStoreError:
        return Finding("ok", "What failed for good can be told once the event log is upgraded or restored.")
    if count:
        return Finding("warn", f"{count} messages failed for good; see 's3palette dead list'.")
    return Finding("ok", "Nothing has failed for good.")


async def _count_dead(settings: Settings) -> int:
    log = await SqliteEventStore.open(settings.log_path, read_only=True)
    try:
        return len(await log.dead())
    finally:
        await log.close()
