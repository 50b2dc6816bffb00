"""How a command that runs until it is stopped speaks."""

from __future__ import annotations

import logging
from collections.abc import Callable

import typer

from s3palette import logs
from s3palette.settings import Settings

__all__ = ["sayer"]

log = logging.getLogger(__name__)


def sayer(settings: Settings, process: str) -> Callable[[str], None]:
    """To a person, or with S3P_LOG_FORMAT=json to whatever collects its lines; its log goes to standard error."""
    logs.to_stderr(settings, process)
    return typer.echo if settings.log_format == "text" else lambda line: log.info("%s", line)
