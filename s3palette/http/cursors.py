"""Opaque page cursors: the sort position of the last row of a page."""

from __future__ import annotations

import base64
import binascii

from s3palette.domain.errors import ValidationFailed

__all__ = ["decode", "encode"]

_MAX_POSITION = 2**63 - 1


def encode(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).rstrip(b"=").decode()


def decode(cursor: str) -> tuple[int]:
    """The position as a value tuple. Raises ValidationFailed for anything `encode` did not make."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        position = int(text)
    except (ValueError, binascii.Error):
        position = -1
    if not 0 <= position <= _MAX_POSITION or encode(position) != cursor:
        raise ValidationFailed("cursor: is not one that this API gave out")
    return (position,)
