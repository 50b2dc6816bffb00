"""Which keys objects can have, and what a browser is told is in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from s3palette.storage.errors import BadKey

__all__ = ["MEDIA_TYPES", "checked_key", "checked_prefix", "media_type"]

MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {".jpg": "image/jpeg", ".png": "image/png", ".json": "application/json", ".zip": "application/zip"}
)
"""Suffix -> media type. Nothing else is ever named to a browser, whatever an upload called itself."""

_KEY = re.compile(r"(?:inputs|outputs|previews|masks|sets)(?:/[\w-][\w.-]*){1,6}")
_MAX_KEY_BYTES = 512
_MAX_NAME_BYTES = 200


def checked_key(key: str) -> str:
    """The key itself, if it can name an object. Raises BadKey.

    A known top folder, then 1-6 names of letters (of any script), digits, "_", "-" and "." that do not begin with
    ".": no "..", no empty name, no backslash, no NUL, nothing absolute. At most 512 bytes, 200 a name.
    """
    if not _KEY.fullmatch(key) or len(key.encode()) > _MAX_KEY_BYTES:
        raise BadKey("the key is not one an object can have")
    if any(len(name.encode()) > _MAX_NAME_BYTES for name in key.split("/")):
        raise BadKey("a name in the key is too long")
    return key


def checked_prefix(prefix: str) -> str:
    """A folder of objects, ending with "/" whether it was given so or not. Raises BadKey."""
    return checked_key(prefix.removesuffix("/")) + "/"


def media_type(key: str) -> str:
    """Media type of the object under a key, by its suffix."""
    return MEDIA_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")
