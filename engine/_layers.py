"""The layers of a recipe onto one photo, last first: `claim` gives a later layer its pixels before an earlier one can.

What nothing may touch is one mask that grows on the way: it begins with what is protected and what is locked, and an
excluded instance joins it when its own layer's turn comes, so that the layers above it may still lie on it.

What is to be removed is filled in the end, from the picture as painted by then: a socket that goes from a repainted
wall leaves the new paint behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from engine._timed import timed
from engine.apply import Region, composite, fill_hole, fit, hole_of, measured_colour, region_of
from engine.image_io import encode_label_map
from engine.masks import binary, label_map, only
from engine.matte import Matte
from engine.planes import Facet, View, facets_of, view_of
from engine.protect import protected_mask
from engine.report import (
    absent_warning,
    concept_report,
    fully_protected_warning,
    missing_warning,
    unfilled_warning,
    unmeasured_warning,
)
from engine.types import (
    Keep,
    LabelMap,
    Layer,
    Mask,
    Photo,
    Recipe,
    Recolor,
    Refinement,
    Remove,
    Rgb,
    Segmentation,
    State,
    Texture,
    Tone,
)

__all__ = ["Painted", "paint_layers"]


@dataclass(slots=True, eq=False)
class Painted:
    """A photo with its layers on, and what was gathered on the way."""

    rgb: Rgb
    masks: dict[str, bytes] = field(default_factory=dict)
    """Concept -> label map as PNG."""
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    colours: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Concept -> the colour it shows, where it is kept."""
    warnings: list[str] = field(default_factory=list)
    timings_ms: dict[str, float] = field(default_factory=lambda: {"matte": 0.0, "apply": 0.0, "encode": 0.0})


def paint_layers(photo: Photo, found: Mapping[str, Segmentation], recipe: Recipe) -> Painted:
    """Paint every layer whose concept was found; `found` has an answer for every concept of the recipe."""
    painting = _Painting(photo, found, recipe.refinement)
    kept = protected_mask(photo.size, painting.untouchable(recipe))
    free: Matte = np.full(photo.size, 255, np.uint8)
    for layer in reversed(recipe.layers):
        if painting.is_found(layer.concept):
            painting.paint(layer, kept, free)
    painting.fill()
    return painting.done


class _Painting:
    """One photo under way."""

    def __init__(self, photo: Photo, found: Mapping[str, Segmentation], refinement: Refinement) -> None:
        self.done = Painted(photo.rgb.copy())
        self._photo = photo
        self._found = found
        self._refinement = refinement
        self._view: View | None = None
        self._holes: dict[str, tuple[Mask, Mask]] = {}
        """Concept -> what of it goes, all of it."""

    def is_found(self, concept: str) -> bool:
        return self._found[concept].status == "found"

    def untouchable(self, recipe: Recipe) -> Iterator[Mask]:
        """Masks of the protected concepts, then of the locked instances of others."""
        for concept in recipe.protect:
            if self.is_found(concept):
                yield binary(self._labels(concept))
        for concept in recipe.refinement.states:
            locked = self._numbers(concept, "locked")
            if locked and concept not in recipe.protect and self.is_found(concept):
                yield only(self._labels(concept), locked)

    def paint(self, layer: Layer, kept: Mask, free: Matte) -> None:
        """Run one layer: its instances with an action of their own by number, then the others as one region.

        `kept` gets the layer's excluded instances, `free` loses what the layer covers.
        """
        concept, count = layer.concept, len(self._found[layer.concept].instances)
        labels = self._labels(concept)
        states = self._refinement.states.get(concept, {})
        missing = sorted({number for number in (*layer.overrides, *states) if number > count})
        if missing:
            self.done.warnings.append(missing_warning(concept, missing, count))
        excluded = self._numbers(concept, "excluded")
        if excluded:
            cv2.bitwise_or(kept, only(labels, excluded), dst=kept)
        own = [number for number in sorted(layer.overrides) if number <= count and number not in states]
        rest = set(range(1, count + 1)).difference(own, states)
        groups = [((number,), layer.overrides[number]) for number in own] + [(tuple(rest), layer.action)]
        masks = ((self._mask(labels, numbers, count), action) for numbers, action in groups if numbers)
        seen = []
        for mask, action in masks:
            if mask.any():
                seen.append(
                    self._cut(concept, mask, labels, kept, free)
                    if isinstance(action, Remove)
                    else self._lay(concept, mask, action, kept, free)
                )
        if not seen and not states:
            self.done.warnings.append(absent_warning(concept))
        elif seen and not any(seen):
            self.done.warnings.append(fully_protected_warning(concept))
        elif isinstance(layer.action, Keep) and concept not in self.done.colours:
            self.done.warnings.append(unmeasured_warning(concept, named=not rest))

    def _lay(self, concept: str, mask: Mask, action: Recolor | Tone | Texture | Keep, kept: Mask, free: Matte) -> bool:
        """Fit an action to a mask and lay it on, or only measure; False where nothing may touch any of the mask."""
        rgb, timings = self._photo.rgb, self.done.timings_ms
        with timed(timings, "matte"):
            region = region_of(rgb, mask, kept, free)
        if region is None:
            return False
        with timed(timings, "apply"):
            if isinstance(action, Keep):
                colour = measured_colour(region.rgb, region.mask, region.matte)
                if colour is not None:
                    self.done.colours[concept] = colour
                return True
            facets = self._facets(concept, region) if isinstance(action, Texture) else ()
            paint = fit(action, region, facets)
            if paint is not None:
                composite(self.done.rgb, region, paint)
        return True

    def _facets(self, concept: str, region: Region) -> tuple[Facet, ...]:
        """How a region lies in space. The photo's lines are read once for all layers."""
        if self._view is None:
            self._view = view_of(self._photo.rgb)
        prompt, window = self._found[concept].prompt, region.window
        quad = next((quad for quad in self._refinement.planes if quad.concept == concept), None)
        at = window[0].start, window[1].start
        return facets_of(region.mask, self._view, prompt.surface, prompt.metres, quad, at)

    def _cut(self, concept: str, mask: Mask, labels: LabelMap, kept: Mask, free: Matte) -> bool:
        """Remember a mask as a hole; False where all of it is kept."""
        with timed(self.done.timings_ms, "matte"):
            hole = hole_of(mask, kept, free)
        if not hole.any():
            return False
        earlier = self._holes.get(concept)
        self._holes[concept] = hole if earlier is None else cv2.bitwise_or(hole, earlier[0]), binary(labels)
        return True

    def fill(self) -> None:
        """Fill all holes. Nothing is copied from another hole, nor from instances of the same concept."""
        every = [hole for hole, _ in self._holes.values()]
        with timed(self.done.timings_ms, "apply"):
            for concept, (hole, own) in self._holes.items():
                avoid = own.copy()
                for other in every:
                    cv2.bitwise_or(avoid, other, dst=avoid)
                if not fill_hole(self.done.rgb, hole, avoid):
                    self.done.warnings.append(unfilled_warning(concept))

    def _mask(self, labels: LabelMap, numbers: tuple[int, ...], count: int) -> Mask:
        return binary(labels) if len(numbers) == count else only(labels, numbers)

    def _labels(self, concept: str) -> LabelMap:
        """The concept's label map at photo size; encoded and reported on the way."""
        found, done = self._found[concept], self.done
        with timed(done.timings_ms, "matte"):
            labels = label_map(self._photo, found.instances) if found.labels is None else found.labels
        if concept not in done.masks:
            with timed(done.timings_ms, "encode"):
                done.masks[concept] = encode_label_map(labels)
            done.reports[concept] = concept_report(found, labels, self._refinement.states.get(concept))
        return labels

    def _numbers(self, concept: str, state: State) -> list[int]:
        return [number for number, own in self._refinement.states.get(concept, {}).items() if own == state]
