"""The catalogue every domain shares: materials by id, and the named tones."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from s3palette.domain.actions import Tone

__all__ = ["Catalogue", "Material", "Pattern", "load_materials", "parse_materials"]

_STRICT = ConfigDict(extra="forbid", strict=True)


_Hex = Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
_Metres = Annotated[float, Field(gt=0, le=10)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the texture action draws; the engine's `Pattern` says what the numbers mean."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal[
        "boards", "herringbone", "bamboo", "tile", "brick", "slate", "marble", "terrazzo", "concrete", "brushed",
        "linen", "denim", "knit", "leather",
    ]  # fmt: skip
    unit: tuple[_Metres, _Metres]
    """Metres."""
    joint: Annotated[float, Field(ge=0, le=0.05)] = 0.0
    """Metres."""
    joint_hex: _Hex = "#3C3630"
    contrast: Annotated[float, Field(ge=0, le=4)] = 1.0
    variety: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    turn: Annotated[float, Field(ge=-180, le=180)] = 0.0
    """Degrees."""
    seed: Annotated[int, Field(ge=0)] = 1


@dataclass(frozen=True, slots=True)
class Material:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
    name: str
    """Korean."""
    name_en: str
    hex: _Hex
    """sRGB, "#RRGGBB"."""
    presets: tuple[str, ...]
    """Domains it suits, by preset id."""
    pattern: Pattern | None = None
    """What the texture action lays."""

    @property
    def texture(self) -> bool:
        """Has a pattern the texture action can lay."""
        return self.pattern is not None


@dataclass(frozen=True, slots=True)
class Catalogue:
    materials: Mapping[str, Material]
    """By id, in the catalogue's order."""
    tones: Mapping[str, Tone]
    """Named tones."""


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    materials: tuple[Material, ...]
    tones: dict[str, Tone]


def parse_materials(text: str) -> Catalogue:
    """The catalogue from its TOML. Raises ValueError saying which entry is wrong and why."""
    # JSON mode: strict about numbers and strings, yet an array is a tuple.
    read = TypeAdapter(_File).validate_json(json.dumps(tomllib.loads(text)))
    materials = {material.id: material for material in read.materials}
    if len(materials) != len(read.materials):
        raise ValueError("materials: an id is there twice")
    return Catalogue(MappingProxyType(materials), MappingProxyType(read.tones))


@cache
def load_materials() -> Catalogue:
    """The catalogue that ships with the package."""
    return parse_materials(files("s3palette.domain").joinpath("materials.toml").read_text("utf-8"))
