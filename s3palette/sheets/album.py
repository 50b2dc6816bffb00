"""What a rule did to a photo, as pictures: from an engine's or a server's results to overlays and rows of a sheet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s3palette.domain.materials import load_materials
from s3palette.sheets._marks import Colour, Swatch
from s3palette.sheets.contact import Row, thumbnail
from s3palette.sheets.overlay import concept_colours, overlay, with_legend

__all__ = ["AlbumRule", "PhotoView", "found_words"]

_NO_COLOUR: Colour = (224, 222, 218)
"""Of actions that have no colour of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class PhotoView:
    """One finished photo."""

    name: str
    before: NDArray[np.uint8]
    """(H, W, 3) uint8 sRGB."""
    after: NDArray[np.uint8]
    """(H, W, 3) uint8 sRGB."""
    masks: Mapping[str, bytes]
    """Concept -> label map as PNG."""
    instances: bytes
    """JSON, as the engine writes it."""
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AlbumRule:
    """The rule of an album in the shape of the API, with the concepts it protects. It fits its preset."""

    concepts: Mapping[str, Any]
    protect: tuple[str, ...]

    @property
    def colours(self) -> dict[str, Colour]:
        """Concept -> the colour its masks are drawn in: the same for every photo of the album."""
        return concept_colours((*self.concepts, *self.protect))

    def header(self) -> list[Swatch]:
        """What each concept becomes, then what is protected."""
        entries = []
        for concept, entry in self.concepts.items():
            entries.append(_becomes(concept, entry))
            own = (entry.get("instances") or {}).items()
            entries += [_becomes(f"{concept} #{number}", each) for number, each in own]
        colours = self.colours
        return entries + [Swatch(f"{name}: protected", colours[name], striped=True) for name in self.protect]

    def row(self, view: PhotoView) -> Row:
        """Before, after, what was found."""
        before, after = thumbnail(view.before), thumbnail(view.after)
        found = overlay(before, _label_maps(view.masks), self.colours, self.protect)
        legend = tuple(self._found(view.instances))
        return Row((before, after, found), view.name, legend, tuple(view.warnings))

    def masks_picture(self, view: PhotoView) -> Image.Image:
        """The photo at full size with its masks and a legend."""
        picture = overlay(view.before, _label_maps(view.masks), self.colours, self.protect)
        return with_legend(picture, self._found(view.instances, protected="protected "))

    def _found(self, instances: bytes, protected: str = "") -> list[Swatch]:
        colours = self.colours
        return [
            Swatch((protected if name in self.protect else "") + words, colours[name], name in self.protect)
            for name, words in found_words(instances, self.colours).items()
        ]


def found_words(instances: bytes, concepts: Iterable[str]) -> dict[str, str]:
    """Concept -> "Wall 0.91", or "Window 0.80 (3)" for three instances; what was found, in the order of `concepts`."""
    words = {}
    reports = json.loads(instances)["concepts"]
    for name in concepts:
        report = reports.get(name)
        if report is not None and report["status"] == "found":
            several = f" ({len(report['instances'])})" if len(report["instances"]) > 1 else ""
            words[name] = f"{name} {report['presence']:.2f}{several}"
    return words


def _becomes(concept: str, entry: Mapping[str, Any]) -> Swatch:
    action: str = entry["action"]
    value: Any = entry.get("value")
    if action in ("recolor", "texture"):
        material = load_materials().materials.get(value)
        hex_code, name = (material.hex, material.name_en) if material else (value, value)
        red, green, blue = bytes.fromhex(hex_code[1:])
        return Swatch(f"{concept}: {name}" + (" texture" if action == "texture" else ""), (red, green, blue))
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {number:+g}" for key, number in value.items())
    return Swatch(f"{concept}: {action}" + (f" {value}" if value else ""), _NO_COLOUR)


def _label_maps(masks: Mapping[str, bytes]) -> dict[str, NDArray[np.uint16]]:
    return {name: _label_map(png) for name, png in masks.items()}


def _label_map(png: bytes) -> NDArray[np.uint16]:
    pixels: Any = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    labels: NDArray[np.uint16] = pixels.astype(np.uint16)
    return labels
