"""What a worker says of one photo. A module of its own: whoever only hears it needs no engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PhotoOutcome"]


@dataclass(frozen=True, slots=True)
class PhotoOutcome:
    """What a worker answers: keys of what it stored, or why the photo cannot be done."""

    status: Literal["done", "failed"]
    error: str | None = None
    """One sentence a person understands."""
    output_key: str | None = None
    preview_key: str | None = None
    mask_keys: dict[str, str] = field(default_factory=dict)
    """Concept -> key of its label map."""
    instances_key: str | None = None
    warnings: tuple[str, ...] = ()
    colors: dict[str, str] = field(default_factory=dict)
    """Concept that was to be measured -> #RRGGBB."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Stage -> milliseconds: download, the engine's own (see `engine.PhotoResult`), upload."""
