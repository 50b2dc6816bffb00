"""What an album run gives back, and how far it is while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = ["AlbumResult", "PhotoResult", "Progress", "Report", "ResultFile"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Photos of the whole album."""

    phase: Literal["upload", "edit", "download"]
    """What is under way."""
    done: int
    """Photos through this phase."""
    failed: int
    """Photos that failed for good so far."""
    total: int


Report: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One downloaded file, in memory or on disk."""

    name: str
    """Its path below the folder it is saved in, "living_result.png"."""
    source: bytes | Path

    def read(self) -> bytes:
        """The content. Raises OSError where the file is gone."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def save(self, folder: Path | str) -> Path:
        """Write it below `folder`, which is made if absent. Returns its path."""
        to = Path(folder) / self.name
        if to != self.source:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(self.read())
        return to


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """One photo of the album, in the album's order."""

    idx: int
    """Place in the album, from 0."""
    name: str
    """The file's name without its suffix, with its place before it where two files share one."""
    job_id: str
    error: str | None
    """Why it failed, in a sentence; None where it was delivered."""
    warnings: tuple[str, ...]
    output: ResultFile | None
    """The PNG; None where the photo failed."""
    masks: Mapping[str, ResultFile]
    """Concept -> label map (0 none, k instance k), where `masks=True` was asked for."""
    instances: ResultFile | None
    """JSON: boxes, scores, areas and states of the instances, where `masks=True` was asked for."""

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class AlbumResult:
    photos: tuple[PhotoResult, ...]

    @property
    def ok(self) -> bool:
        """Every photo was delivered."""
        return not self.failed

    @property
    def failed(self) -> tuple[PhotoResult, ...]:
        return tuple(photo for photo in self.photos if not photo.ok)

    @property
    def job_ids(self) -> tuple[str, ...]:
        """One job for every 200 photos."""
        return tuple(dict.fromkeys(photo.job_id for photo in self.photos))

    def save(self, folder: Path | str) -> list[Path]:
        """Write every delivered result, and the masks that were asked for, below `folder`. The results' paths."""
        saved = []
        for photo in self.photos:
            if photo.output is not None:
                saved.append(photo.output.save(folder))
            for extra in (*photo.masks.values(), *([photo.instances] if photo.instances else ())):
                extra.save(folder)
        return saved
