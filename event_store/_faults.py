"""Points at which a test may make a store fail or die."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

__all__ = ["CrashPoint", "FaultHook", "no_faults"]

CrashPoint = Literal["before_begin", "after_events", "before_commit", "after_commit"]
"""Of one write: nothing done; its events inserted but not its rows; all written, not durable; durable, not answered."""

FaultHook = Callable[[CrashPoint], None]
"""Called by a store at every point it passes; what it raises goes to the callers of that write."""


def no_faults(point: CrashPoint) -> None:
    """The hook of every store outside tests."""
