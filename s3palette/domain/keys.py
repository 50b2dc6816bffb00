"""Keys of the object storage: who owns what, readable from the key itself.

inputs/{user}/{job}/{idx}.jpg             original
outputs/{user}/{job}/{idx}_result.png     result
previews/{user}/{job}/{idx}_thumb.jpg     preview
masks/{user}/{job}/{idx}_{concept}.png    label map
masks/{user}/{job}/{idx}_instances.json   boxes, scores, areas, states
sets/{user}/{job}/{template}.zip          exported set
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "AREAS",
    "Area",
    "Key",
    "folder",
    "input_key",
    "instances_key",
    "is_within",
    "mask_key",
    "output_key",
    "parse_key",
    "preview_key",
    "set_key",
]

Area = Literal["inputs", "outputs", "previews", "masks", "sets"]
AREAS: Final[tuple[Area, ...]] = ("inputs", "outputs", "previews", "masks", "sets")

_MAX_LENGTH: Final = 512
_PART: Final = r"[A-Za-z0-9_-]{1,128}"
_IDX: Final = r"(?P<idx>0|[1-9][0-9]{0,3})"
_NAMES: Final[dict[Area, str]] = {
    "inputs": rf"{_IDX}\.jpg",
    "outputs": rf"{_IDX}_result\.png",
    "previews": rf"{_IDX}_thumb\.jpg",
    "masks": rf"{_IDX}_(?:instances\.json|(?P<concept>[A-Za-z0-9_-]{{1,64}})\.png)",
    "sets": r"(?P<template>[A-Za-z0-9_-]{1,64})\.zip",
}
_KEYS: Final = {
    area: re.compile(rf"{area}/(?P<user>{_PART})/(?P<job>{_PART})/{name}", re.ASCII) for area, name in _NAMES.items()
}
# A worker outside may choose its own file names below its job's folder, but no path steps and nothing unprintable.
_FREE_NAME: Final = re.compile(
    r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){0,3}", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key taken apart."""

    area: Area
    user_id: str
    job_id: str
    idx: int | None = None
    """None for an exported set."""
    concept: str | None = None
    """Of a label map."""
    template: str | None = None
    """Of an exported set."""


def folder(area: Area, user_id: str, job_id: str) -> str:
    """Common beginning of all keys of one job in one area, with the slash."""
    return f"{area}/{user_id}/{job_id}/"


def input_key(user_id: str, job_id: str, idx: int) -> str:
    return f"{folder('inputs', user_id, job_id)}{idx}.jpg"


def output_key(user_id: str, job_id: str, idx: int) -> str:
    return f"{folder('outputs', user_id, job_id)}{idx}_result.png"


def preview_key(user_id: str, job_id: str, idx: int) -> str:
    return f"{folder('previews', user_id, job_id)}{idx}_thumb.jpg"


def mask_key(user_id: str, job_id: str, idx: int, concept: str) -> str:
    return f"{folder('masks', user_id, job_id)}{idx}_{concept}.png"


def instances_key(user_id: str, job_id: str, idx: int) -> str:
    return f"{folder('masks', user_id, job_id)}{idx}_instances.json"


def set_key(user_id: str, job_id: str, template: str) -> str:
    return f"{folder('sets', user_id, job_id)}{template}.zip"


def parse_key(key: str) -> Key | None:
    """A key of the layout above taken apart; None for anything else, path traversal included."""
    area = next((area for area in AREAS if key.startswith(f"{area}/")), None)
    found = _KEYS[area].fullmatch(key) if area is not None and len(key) <= _MAX_LENGTH else None
    if area is None or found is None:
        return None
    parts = found.groupdict()
    idx = parts.get("idx")
    return Key(
        area,
        parts["user"],
        parts["job"],
        int(idx) if idx is not None else None,
        parts.get("concept"),
        parts.get("template"),
    )


def is_within(key: str, area: Area, user_id: str, job_id: str) -> bool:
    """Does the key lie in that job's folder, whatever the file's name, without a way out of it?"""
    start = folder(area, user_id, job_id)
    return len(key) <= _MAX_LENGTH and key.startswith(start) and _FREE_NAME.fullmatch(key, len(start)) is not None
