"""Signed, expiring addresses: whoever holds one may do one thing with one object until a given second.

    {base}/storage/{key}?op=put|get&expires=<unix seconds>&sig=<HMAC-SHA256, hex>

The signature covers op, key and expiry, each on a line of its own; none of them can contain a line break.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import quote

from s3palette.storage.errors import AddressRefused

__all__ = ["AddressSigner", "Operation"]

Operation = Literal["put", "get"]


class AddressSigner:
    """Makes and checks addresses. `ttl` in seconds; `clock` gives seconds since the epoch."""

    def __init__(self, secret: str, ttl: int, clock: Callable[[], float] = time.time) -> None:
        self._keyed = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        self._ttl = ttl
        self._clock = clock

    def sign(self, op: Operation, key: str, base_url: str) -> str:
        """The address of `key` for `op`, valid for `ttl` seconds from now."""
        expires = str(int(self._clock()) + self._ttl)
        return f"{base_url}/storage/{quote(key)}?op={op}&expires={expires}&sig={self._signature(op, key, expires)}"

    def check(self, op: Operation, key: str, query: Mapping[str, str]) -> None:
        """Raises AddressRefused unless `query` allows `op` on `key` now."""
        expires, signature = query.get("expires", ""), query.get("sig", "")
        genuine = hmac.compare_digest(self._signature(op, key, expires).encode(), signature.encode("utf-8", "replace"))
        if query.get("op") != op or not genuine:
            raise AddressRefused(f"this address is not signed to {op} this object")
        if self._clock() >= int(expires):
            raise AddressRefused("this address has expired; ask for a fresh one")

    def _signature(self, op: str, key: str, expires: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(f"{op}\n{key}\n{expires}".encode("utf-8", "replace"))
        return keyed.hexdigest()
