"""What the server answers, typed. Fields that this client does not know are ignored: the server may add some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Download", "Job", "JobItem", "Me", "NewJob", "Rule", "SignIn", "Upload"]

_ENDED = ("done", "failed", "canceled")
_CONCEPT = re.compile(r"\w[\w-]{0,63}")
"""A label map's file is named after its concept: no server chooses a folder of ours."""


class _Read:
    """A result whose fields have the API's own names."""

    __slots__: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the object of the API. Raises KeyError where a field is missing."""
        return cls(**{name: data[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class SignIn(_Read):
    user_id: str
    token: str
    plan: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Me(_Read):
    user_id: str
    plan: str
    credits: int
    rule_slots: int
    """In use."""
    max_rule_slots: int
    concurrent_jobs: int
    max_concurrent_jobs: int


@dataclass(frozen=True, slots=True)
class Rule(_Read):
    """A saved rule; `run` and `execute` take its id."""

    id: str
    name: str
    preset_id: str
    concepts: Mapping[str, Any]
    """In the shape of the API."""
    protect: list[str]
    created_at: str
    """ISO-8601, UTC."""
    updated_at: str


@dataclass(frozen=True, slots=True)
class Upload(_Read):
    idx: int
    url: str
    key: str


@dataclass(frozen=True, slots=True)
class NewJob:
    job_id: str
    uploads: tuple[Upload, ...]
    """One a photo; the addresses live for an hour."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the answer to POST /jobs."""
        return cls(data["job_id"], tuple(Upload.read(upload) for upload in data["presigned_urls"]))


@dataclass(frozen=True, slots=True)
class JobItem:
    """One photo."""

    idx: int
    status: str
    """pending, running, done or failed."""
    error: str | None
    warnings: tuple[str, ...]
    masks: Mapping[str, str]
    """Concept -> address of its label map."""
    instances_url: str | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From an entry of the job's "items"."""
        return cls(
            idx=data["idx"],
            status=data["status"],
            error=data.get("error"),
            warnings=tuple(data.get("warnings") or ()),
            masks={name: url for name, url in (data.get("masks") or {}).items() if _CONCEPT.fullmatch(name)},
            instances_url=data.get("instances_url"),
        )


@dataclass(frozen=True, slots=True)
class Download(_Read):
    idx: int
    output_url: str
    preview_url: str


@dataclass(frozen=True, slots=True)
class Job:
    job_id: str
    status: str
    """created, uploaded, queued, running, done, failed or canceled."""
    preset: str
    total_items: int
    done_items: int
    failed_items: int
    items: tuple[JobItem, ...]
    downloads: tuple[Download, ...]
    """Delivered photos only."""
    uploads: tuple[Upload, ...]
    """Fresh addresses while the job waits for its photos."""

    @property
    def ended(self) -> bool:
        return self.status in _ENDED

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the "job" object of the API."""
        return cls(
            job_id=data["job_id"],
            status=data["status"],
            preset=data["preset"],
            total_items=data["total_items"],
            done_items=data["done_items"],
            failed_items=data["failed_items"],
            items=tuple(JobItem.read(item) for item in data["items"]),
            downloads=tuple(Download.read(download) for download in data["download_urls"]),
            uploads=tuple(Upload.read(upload) for upload in data.get("presigned_urls") or ()),
        )
