"""Signed messages: HMAC-SHA256 over the time of sending and the body, each message good for a few minutes.

    X-S3P-Timestamp: 1767225600
    X-S3P-Signature: v1=<HMAC-SHA256 of "1767225600." + body, hex>

The time is signed with the body, so whoever records a message cannot send it again later; within the window the
receiver's own deduplication makes a repeat harmless.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

__all__ = ["SIGNATURE", "TIMESTAMP", "WINDOW_S", "Forged", "sign", "verify"]

TIMESTAMP: Final = "X-S3P-Timestamp"
SIGNATURE: Final = "X-S3P-Signature"
WINDOW_S: Final = 300
"""How far the clocks of sender and receiver may be apart, the way included."""


class Forged(Exception):
    """The message is not signed with our secret, or not lately. One sentence."""


def sign(secret: str, body: bytes, at: float) -> dict[str, str]:
    """The headers that go with `body`; `at` in seconds since the epoch."""
    stamp = str(int(at))
    return {TIMESTAMP: stamp, SIGNATURE: f"v1={_digest(secret, stamp, body)}"}


def verify(secret: str, headers: Mapping[str, str], body: bytes, at: float) -> None:
    """Raises Forged. Takes the same time wherever the signatures differ; `headers` ignores case, as HTTP does."""
    stamp, offered = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    expected = f"v1={_digest(secret, stamp, body)}"
    if not hmac.compare_digest(expected.encode(), offered.encode("utf-8", "replace")):
        raise Forged("The signature is missing or wrong.")
    if not (stamp.isascii() and stamp.isdigit()) or abs(at - int(stamp)) > WINDOW_S:
        raise Forged(f"The message was signed more than {WINDOW_S} s from now; set the clocks right or sign it again.")


def _digest(secret: str, stamp: str, body: bytes) -> str:
    keyed = hmac.new(secret.encode(), stamp.encode("utf-8", "replace") + b".", hashlib.sha256)
    keyed.update(body)
    return keyed.hexdigest()
