"""Which browsers' pages may call us: any on localhost, and the origins of the settings."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Cors"]

_LOCAL = re.compile(r"http://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?")
_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
_HEADERS = "Authorization, Content-Type, X-Request-Id, X-Callback-Secret, Idempotency-Key"
_EXPOSED = "X-Request-Id, Retry-After, ETag"
_MAX_AGE_S = "86400"

RawHeaders = list[tuple[bytes, bytes]]


class Cors:
    """Adds the headers; `origins` are exact, "*" is any. Credentials are never allowed: we use no cookies."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origins)

    def allows(self, origin: str) -> bool:
        return self._any or origin in self._origins or _LOCAL.fullmatch(origin) is not None

    def headers(self, origin: str | None) -> RawHeaders:
        """For any answer. Vary is there without an Origin too: a cache must not give the answer to another page."""
        headers = [(b"vary", b"Origin")]
        if origin is not None and self.allows(origin):
            headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
            headers.append((b"access-control-expose-headers", _EXPOSED.encode()))
        return headers

    def preflight(self, origin: str) -> dict[str, str]:
        """More headers for the answer to a preflight request."""
        if not self.allows(origin):
            return {}
        return {
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": _MAX_AGE_S,
        }
