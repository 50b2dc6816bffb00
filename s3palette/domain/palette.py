"""A preset: the components of one domain, what protects them by default, and what is made of the photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

__all__ = ["Concept", "Finder", "OutputTemplate", "PixelLayer", "Preset", "RuleSet", "Surface"]

Finder = Literal["wall", "floor", "ceiling", "product", "body", "background", "text", "logo", "highlight", "grout"]
Surface = Literal["floor", "ceiling", "wall", "counter", "front"]
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Concept:
    """One component: a palette button of the client."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    prompt: str | None = None
    """What a promptable model is asked for; None: found from the pixels."""
    finder: Finder | None = None
    """The classical engine's way to find it; None: it takes a model."""
    several: bool = False
    """A photo usually shows several instances."""
    surface: Surface = "front"
    """How it lies in space; for patterns."""
    metres: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Real length of its longer side, about; for patterns on what faces the camera."""


@dataclass(frozen=True, slots=True)
class PixelLayer:
    """Found from the pixels, without a button: it can be protected, not selected."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    finder: Finder


@dataclass(frozen=True, slots=True)
class OutputTemplate:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    name: str
    name_en: str
    description: str
    description_en: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A rule that ships with the domain, in the shape of the API."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    name: str
    name_en: str
    description: str
    concepts: Mapping[str, Any]
    protect: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    name: str
    name_en: str
    description: str
    description_en: str
    concepts: tuple[Concept, ...]
    """In the order a client shows them."""
    painting_order: tuple[str, ...]
    """Every concept once: where two overlap, the later one has the pixel."""
    protect_defaults: tuple[str, ...]
    output_templates: tuple[OutputTemplate, ...]
    """The first one is open to every plan."""
    rule_sets: tuple[RuleSet, ...]
    layers: tuple[PixelLayer, ...] = ()

    @property
    def concept_names(self) -> tuple[str, ...]:
        return tuple(concept.name for concept in self.concepts)

    @property
    def protectable(self) -> tuple[str, ...]:
        """Names a rule may protect: the concepts, then the pixel layers."""
        return self.concept_names + tuple(layer.name for layer in self.layers)

    def template(self, key: str) -> OutputTemplate | None:
        """The output template with that id or Korean name."""
        return next((template for template in self.output_templates if key in (template.id, template.name)), None)
