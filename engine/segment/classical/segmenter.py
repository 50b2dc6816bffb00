"""The segmenter itself: which finder answers which prompt, and what a user's boxes change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from engine.segment.classical._body import find_body
from engine.segment.classical._boxes import exclude, from_boxes
from engine.segment.classical._features import MIN_SIDE, Features, encode
from engine.segment.classical._grout import find_grout
from engine.segment.classical._highlight import find_highlight
from engine.segment.classical._lines import Line, read_lines
from engine.segment.classical._logo import find_logo
from engine.segment.classical._masks import Found, binary
from engine.segment.classical._product import Cut, find_background, find_product, nothing, product_mask
from engine.segment.classical._strokes import print_copy
from engine.segment.classical._surfaces import CEILING, FLOOR, ROOM, WALL, Layout, find_surface, read_layout
from engine.segment.classical._text import SURE, find_text, letter_mask
from engine.segment.classical._tiling import Tiling, find_tiling
from engine.types import Exemplar, Mask, Photo, Prompt, Segmentation

__all__ = ["ClassicalSegmenter"]

_SURFACES = {"floor": FLOOR, "ceiling": CEILING, "wall": WALL}
_FINDERS = (*_SURFACES, "product", "body", "background", "text", "logo", "highlight", "grout")
_STUDIO = 0.92
"""Part of a border that a studio's ground explains; rooms, white ones too, stayed below 0.82."""
_TRUSTED = 0.5
"""Of the surer of a room's two borders, the ceiling's and the floor's: in a room, one at least is seen that well."""
_LEAST = 0.35
"""A finding below this confidence is not shown: better absent than wrong."""


class ClassicalSegmenter:
    """Implements `engine.segment.port.Segmenter` with OpenCV alone.

    Finds "floor", "ceiling", "wall", "product", "body", "background", "text", "logo", "highlight" and "grout"; answers
    `needs_model` to everything else, and where it sees no logo, for many it cannot see. A box that the user drew helps:
    what stands out inside is cut out.
    Deterministic, one thread, keeps no state between calls.
    """

    name = "classical"

    def encode_images(self, photos: Sequence[Photo]) -> list[Features]:
        """Read every photo once, at 0.3 MP or less."""
        return [encode(photo) for photo in photos]

    def encode_text(self, prompts: Sequence[Prompt]) -> list[str | None]:
        """The finder of every prompt; the text itself says nothing to pixels."""
        return [prompt.finder for prompt in prompts]

    def segment(
        self,
        features: Features,
        prompts: Sequence[Prompt],
        texts: Sequence[str | None],
        exemplars: Sequence[Exemplar] = (),
    ) -> list[Segmentation]:
        """Answer all prompts of one photo, in order; what several finders need is computed once.

        Raises ValueError where `texts` and `prompts` differ in length.
        """
        search = _Search(features)
        answers = []
        for prompt, finder in zip(prompts, texts, strict=True):
            shown = [e for e in exemplars if e.concept == prompt.concept and e.positive]
            hidden = [e for e in exemplars if e.concept == prompt.concept and not e.positive]
            found = from_boxes(features, shown, search.find(prompt, finder)) if shown else search.find(prompt, finder)
            answers.append(self._answer(prompt, exclude(features, found, hidden)))
        return answers

    def _answer(self, prompt: Prompt, found: Found | None) -> Segmentation:
        if found is None:
            return Segmentation(prompt, "needs_model", 0.0, source=self.name)
        presence, instances = found
        instances = tuple(i for i in instances if i.score >= _LEAST)
        if presence < _LEAST or not instances:
            return Segmentation(prompt, "absent", min(presence, _LEAST), source=self.name)
        return Segmentation(prompt, "found", presence, instances, self.name)


class _Search:
    """One photo's finders, with what several of them need computed at most once."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._found: dict[tuple[str, bool], Found | None] = {}

    def find(self, prompt: Prompt, finder: str | None) -> Found | None:
        """None where no finder of that name exists, or the one there is cannot say."""
        if finder not in _FINDERS:
            return None
        if min(self._features.shape) < MIN_SIDE:
            return 0.0, ()
        return self._once(finder, prompt.several)

    def _once(self, finder: str, several: bool = False) -> Found | None:
        key = (finder, several)
        if key not in self._found:
            self._found[key] = self._run(finder, several)
        return self._found[key]

    def _run(self, finder: str, several: bool) -> Found | None:
        match finder:
            case "product":
                return find_product(self._features, self._cut, several)
            case "background":
                return find_background(self._features, self._cut) if not self._room else (0.0, ())
            case "body":
                return self._body
            case "logo":
                return self._logo
            case "text" | "highlight" | "grout" if self._features.noisy:
                return 0.0, ()
            case "text":
                return self._text
            case "highlight":
                return find_highlight(self._features, self._cut, self._printed)
            case "grout":
                return find_grout(self._features, self._tiling)
        return find_surface(self._features, self._layout, _SURFACES[finder]) if not self._studio else (0.0, ())

    @cached_property
    def _layout(self) -> Layout:
        return read_layout(self._features)

    @property
    def _tiling(self) -> Tiling | None:
        """The joints of the floor; None where none is seen, or no floor."""
        confidence, floors = self._once("floor") or (0.0, ())
        if confidence < _LEAST or self._layout.view is None:
            return None
        return find_tiling(self._features, self._layout.view, binary(floors[0].mask, self._features.shape))

    @cached_property
    def _room(self) -> bool:
        """A photo shows a room or a product on a ground, never both; a table and a wall alone are no room."""
        trust = self._layout.trust
        return self._layout.room >= ROOM and max(trust[CEILING], trust[FLOOR]) >= _TRUSTED and not self._studio

    @property
    def _studio(self) -> bool:
        """The photo's border is one smooth ground nearly everywhere: that of no room is."""
        ground = self._features.ground
        return ground is not None and (ground.flawless or ground.studio > _STUDIO)

    @cached_property
    def _cut(self) -> Cut:
        return nothing(self._features) if self._room else product_mask(self._features)

    @cached_property
    def _lines(self) -> list[Line]:
        return read_lines(print_copy(self._features))

    @cached_property
    def _text(self) -> Found:
        return find_text(self._features, self._cut, self._lines)

    @cached_property
    def _body(self) -> Found:
        return find_body(self._features, self._cut, self._letters)

    @cached_property
    def _logo(self) -> Found | None:
        """None where nothing is plainly a logo."""
        confidence, bodies = self._body
        if self._features.noisy or confidence < _LEAST or not bodies:
            return None
        shape = self._features.shape
        text = np.zeros(shape, np.uint8)
        for line in self._lines:
            if line.confidence >= SURE:
                text |= line.block(shape)
        return find_logo(self._features, confidence, binary(bodies[0].mask, shape), binary(self._cut.mask, shape), text)

    @cached_property
    def _printed(self) -> Mask:
        """The letters, the labels with their paper, the logos."""
        printed = self._letters.copy()
        for found in (*self._text[1], *(self._logo or (0.0, ()))[1]):
            printed |= binary(found.mask, self._features.shape)
        return printed

    @cached_property
    def _letters(self) -> Mask:
        return letter_mask(self._features, self._lines)
