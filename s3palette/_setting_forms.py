"""The forms that single settings must have: types for `Settings`, each refused in words that follow its variable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

__all__ = ["BareUrl", "BucketName", "DataDir", "Endpoint", "HeaderName", "Origins", "PathOrName", "Url"]

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(?:%\w+)?")
_INVISIBLE: Final = re.compile(r"[\s\x00-\x1f\x7f]")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+")


def _absolute(value: Path) -> Path:
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        raise ValueError("begins with the home of a user that is not there; give the whole path") from None


def _absolute_where_it_is_here(value: str) -> str:
    path = Path(value).expanduser()
    return str(path.absolute()) if value and path.exists() else value


def _url(value: str) -> str:
    if not _is_address(value) or urlsplit(value).query:
        raise ValueError("is not an address; give it as https://host or http://host:port")
    return value.rstrip("/")


def _endpoint(value: str) -> str:
    if not _is_address(value):
        raise ValueError("is not an address; give it as https://host/path")
    return value


def _bare_url(value: str) -> str:
    cleaned = _url(value)
    if urlsplit(cleaned).path or "@" in cleaned:
        raise ValueError("must be a bare address, which is what S3 signs; give it as https://host or http://host:port")
    return cleaned


def _is_address(value: str) -> bool:
    """Whether a client could go there: http or https, a host that can be, a port that can be, nothing invisible."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        named = host if ":" in host else host.encode("idna").decode()
        return (
            parts.scheme in ("http", "https")
            and _HOST.fullmatch(named) is not None
            and parts.port != 0
            and not parts.fragment
            and _INVISIBLE.search(value) is None
        )
    except ValueError:
        return False


def _bucket_name(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        raise ValueError("is not a bucket's name; use 3 to 63 lower-case letters, digits, dots and hyphens")
    return value


def _header_name(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError("is not a header name; give one such as X-Forwarded-For")
    return value


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    for origin in value:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"names {origin!r}, which is not an origin; write scheme://host[:port] without a path")
    return value


DataDir = Annotated[Path, AfterValidator(_absolute)]
"""A folder; made absolute, so that every process means the same one."""
PathOrName = Annotated[str, AfterValidator(_absolute_where_it_is_here)]
"""A path, made absolute where it is there, or the name of something elsewhere."""
Url = Annotated[str, AfterValidator(_url)]
"""An http address that paths are put behind; without a last slash."""
Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""An http address that is asked as it is."""
BareUrl = Annotated[str, AfterValidator(_bare_url)]
"""Scheme, host and port alone."""
BucketName = Annotated[str, AfterValidator(_bucket_name)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_origins)]
"""Origins of web pages or "*", separated by commas in the environment."""
