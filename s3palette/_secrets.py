"""Secrets that are made once and kept in files only their owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

__all__ = ["SecretsError", "load_or_make"]


class SecretsError(Exception):
    """A secret's file cannot be made or read. One sentence."""


def load_or_make(path: Path, *, min_chars: int) -> str:
    """The secret in `path`; where there is none yet, 32 random bytes as hex, mode 0600.

    Several processes may call this at once: all get the same secret. Raises SecretsError.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretsError(f"the secret {path} cannot be made or read ({error}); check who owns the folder.") from error
    if len(secret) < min_chars:
        raise SecretsError(f"the secret in {path} is too short; delete the file to have a new one made.")
    return secret


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all and never replaces: the first process wins, the others read its secret.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
