"""Who is asking: bearer tokens, known users, the callback's secret."""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime, timedelta
from typing import Any

import jwt
from starlette.datastructures import Headers

from s3palette.domain.errors import AuthRequired, CallbackUnauthorized, TokenExpired, TokenInvalid
from s3palette.http._lru import Lru
from s3palette.http.ports import Reads

__all__ = ["CallbackSecret", "DeviceHasher", "Guard", "Tokens", "bearer"]

_CACHED_TOKENS = 8_192
_SHA256_BYTES = 32
_KNOWN_USERS = 65_536


class Tokens:
    """Issues and reads JWTs: HS256, `sub` = user id, `exp`."""

    def __init__(self, secret: str, ttl: timedelta) -> None:
        # HMAC pads a key with zeros itself (RFC 2104): the signatures are the same, and a short secret, of which the
        # operator is told at the start, is not warned of again on every token.
        self._secret = secret.encode().ljust(_SHA256_BYTES, b"\0")
        self._ttl = ttl
        self._read: Lru[str, tuple[str, float]] = Lru(_CACHED_TOKENS)

    def issue(self, user_id: str, at: datetime) -> str:
        claims = {"sub": user_id, "iat": int(at.timestamp()), "exp": int((at + self._ttl).timestamp())}
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def subject(self, token: str, at: datetime) -> str:
        """User id of a valid token. Raises TokenInvalid for a wrong signature, whatever else is wrong with it;
        TokenExpired past `exp`; TokenInvalid for anything else."""
        known = self._read.get(token)
        if known is None:
            known = self._decode(token)
            self._read.put(token, known)
        user_id, expires = known
        if at.timestamp() >= expires:
            raise TokenExpired("The token has expired; sign in again.")
        return user_id

    def _decode(self, token: str) -> tuple[str, float]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                # Expiry is checked by our own clock, on every use of a cached token.
                options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except Exception as error:  # the token is a stranger's bytes: nothing it makes the parser raise may be a 500
            raise TokenInvalid("The token is not valid.") from error
        user_id, expires = claims["sub"], claims["exp"]
        if not isinstance(user_id, str) or not user_id or not _is_time(expires):
            raise TokenInvalid("The token is not valid.")
        return user_id, float(expires)


class Guard:
    """Lets signed-up users in."""

    def __init__(self, tokens: Tokens, reads: Reads) -> None:
        self._tokens = tokens
        self._reads = reads
        self._known: Lru[str, bool] = Lru(_KNOWN_USERS)

    async def user(self, authorization: str | None, at: datetime) -> str:
        """The user's id. Raises AuthRequired, TokenExpired, TokenInvalid (also for one who never signed up)."""
        if not authorization:
            raise AuthRequired("Send the header Authorization: Bearer <token>; POST /auth/anon gives one.")
        token = bearer(authorization)
        if token is None:
            raise TokenInvalid("The Authorization header is not of the form Bearer <token>.")
        user_id = self._tokens.subject(token, at)
        if self._known.get(user_id) is None:
            if not await self._reads.select("users", {"user_id": user_id}, limit=1):
                raise TokenInvalid("The token is not valid.")
            self.remember(user_id)
        return user_id

    def remember(self, user_id: str) -> None:
        """The user is known to have signed up."""
        self._known.put(user_id, True)


class CallbackSecret:
    """The secret that GPU workers outside the cluster share with us."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def check(self, headers: Headers) -> None:
        """Raises CallbackUnauthorized unless either header carries it. Takes the same time wherever they differ."""
        offered = (bearer(headers.get("authorization", "")) or "", headers.get("x-callback-secret", ""))
        matches = [hmac.compare_digest(self._secret, each.encode()) for each in offered]
        if not any(matches):
            raise CallbackUnauthorized("The callback secret is missing or wrong.")


class DeviceHasher:
    """Turns a device's hash into the user's identity; the hash itself is stored nowhere."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def digest(self, device_hash: str) -> str:
        """HMAC-SHA256, 64 hex digits."""
        return hmac.new(self._key, device_hash.encode(), hashlib.sha256).hexdigest()


def bearer(authorization: str) -> str | None:
    """The token of `Bearer <token>`; None where the header has another form."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def _is_time(value: object) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53 and not math.isnan(value)
    )
