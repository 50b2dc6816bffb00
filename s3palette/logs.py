"""Logs: one line an event, as text or as JSON, with what it is about: request, user, job, stream, photo.

    configure(settings, "host-0")                        # once a process: writes to data_dir/logs/host-0.log
    begin(request_id="8f…", user="u_1")                  # what this task is about, from here on
    add(job="j_1")
    log.info("queued", extra={"version": 4})             # {"time": …, "message": "queued", "request_id": "8f…", …}

Modules log with the standard library; only processes that are ours are configured, and nobody else's loggers change.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, Literal

from s3palette.domain.times import iso
from s3palette.settings import Settings

__all__ = ["FIELDS", "JsonFormatter", "TextFormatter", "add", "begin", "configure", "redacted", "to_stderr"]

_log = logging.getLogger(__name__)

FIELDS: Final = ("request_id", "user", "job", "stream", "version", "photo", "attempt")
"""What a line can be about. `version` is the stream's, `photo` its index in the job, from 0."""

FILE_BYTES: Final = 20_000_000
OLD_FILES: Final = 4
"""A process keeps its newest 100 MB at most."""
_OURS: Final = ("s3palette", "actors", "engine", "event_store", "serve_app")

_SECRET: Final = re.compile(
    r"(\bbearer\s+)[\w.~+/=-]+"
    r"|([?&](?:sig|x-amz-signature|x-amz-credential|x-amz-security-token)=)[^&\s'\"]+"
    r"|()\beyJ[\w-]+\.[\w-]+\.[\w-]+",
    re.IGNORECASE,
)
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))} | {
    0x2028: r"\u2028",
    0x2029: r"\u2029",
}
_PLAIN: Final = re.compile(r"[\w.:-]+", re.ASCII)

_about: ContextVar[dict[str, Any]] = ContextVar("s3palette_log_about", default={})  # noqa: B039 - never changed


def begin(**fields: Any) -> None:
    """What this task, and every task it starts, is about from here on; what was said before is forgotten.

    Only names of FIELDS are written. Empty values are left out.
    """
    _about.set(fields)


def add(**fields: Any) -> None:
    """As `begin`, besides what was said before."""
    _about.set(_about.get() | fields)


def configure(settings: Settings, process: str) -> None:
    """Write this process's log to `settings.logs_dir / f"{process}.log"`, rotated by size.

    A second call with another name changes the file. Where the folder cannot be used, on another machine perhaps, lines
    go to standard error, which Ray keeps among its own logs.
    """
    try:
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        handler = _File(settings.logs_dir / f"{process}.log")
    except OSError as error:
        to_stderr(settings, process)
        _log.warning("%s cannot hold logs: %s", settings.logs_dir, error)
    else:
        _install(settings, process, handler)


def to_stderr(settings: Settings, process: str) -> None:
    """Write this process's log to standard error, for a process that a supervisor watches."""
    _install(settings, process, logging.StreamHandler(sys.stderr))


def redacted(text: str) -> str:
    """The text without bearer tokens, JWTs and the signatures of addresses: the last guard, should one slip in."""
    return _SECRET.sub(lambda found: f"{found[1] or found[2] or ''}***", text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, process, logger, message, the fields that apply, exception."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)


class TextFormatter(logging.Formatter):
    """`TIME LEVEL PROCESS LOGGER: MESSAGE  request_id=… user=…`; an exception follows on lines of its own."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        # A stranger's line break in a message must not look like a line of ours.
        message = redacted(record.getMessage()).translate(_CONTROL)
        about = "".join(f" {name}={_shown(value)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:7} {self._process} {record.name}: {message}"
        line = f"{line} {about}" if about else line
        return f"{line}\n{redacted(self.formatException(record.exc_info))}" if record.exc_info else line


def _shown(value: Any) -> str:
    """A field's value as one word: a path that a stranger sent is neither a line nor a field of ours."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(redacted(text))


class _File(RotatingFileHandler):
    """The library's own formats every record twice to know how long it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace")

    def shouldRollover(self, record: logging.LogRecord) -> Literal[0, 1]:
        return 1 if self.stream is not None and self.stream.tell() >= self.maxBytes else 0


def _install(settings: Settings, process: str, handler: logging.Handler) -> None:
    handler.setFormatter(JsonFormatter(process) if settings.log_format == "json" else TextFormatter(process))
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each.formatter, JsonFormatter | TextFormatter)]:
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    level = settings.log_level.upper()
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))  # other people's debug lines are many


def _time(record: logging.LogRecord) -> str:
    return iso(datetime.fromtimestamp(record.created, UTC))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    about, said = _about.get(), record.__dict__
    found = {}
    for name in FIELDS:
        value = said.get(name, about.get(name))
        if value is not None and value != "":
            found[name] = value
    return found
