"""What one of `doctor`'s checks found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from s3palette.settings import Settings

__all__ = ["Check", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: one sentence, and with "warn" and "fail" what to do."""

    level: Literal["ok", "warn", "fail"]
    sentence: str


Check = Callable[[Settings], Finding]
