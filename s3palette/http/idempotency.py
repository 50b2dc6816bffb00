"""Idempotency-Key: a request that is sent again because its answer was lost is carried out once.

The key, the caller, the route and the body together name a command; a command that was carried out gets its first
answer again, for as long as answers are kept (S3P_COMMAND_ANSWERS_DAYS). What was refused changed nothing and is not
kept: the same key may succeed later. The same key with another body is another request.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from s3palette.domain.errors import ValidationFailed

__all__ = ["HEADER", "PARAMETER", "command_id"]

HEADER = "Idempotency-Key"
_KEY = r"[!-~]{1,128}"

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of your own, new for each request and the same when you send that request again. "
    "A repeat gets the first answer and changes nothing.",
    "schema": {"type": "string", "pattern": f"^{_KEY}$"},
    "example": "0b9f3f1e-6f0f-4b0e-9d3e-1c2f5a7b8c9d",
}
"""The header in the OpenAPI document."""


def command_id(key: str, user_id: str, method: str, path: str, body: Any) -> str:
    """Id of the command that the request stands for; `body` is its JSON value, None without one.

    Raises ValidationFailed where the key is not 1 to 128 visible ASCII characters.
    """
    if not re.fullmatch(_KEY, key):
        raise ValidationFailed(f"{HEADER}: must have 1 to 128 visible ASCII characters")
    request = json.dumps([user_id, method, path, key, body], sort_keys=True)
    return f"key-{hashlib.sha256(request.encode()).hexdigest()}"
