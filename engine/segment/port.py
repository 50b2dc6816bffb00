"""The Segmenter port: decoded photos and resolved prompts in, instances out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine.types import Exemplar, Photo, Prompt, Segmentation

__all__ = ["Segmenter"]


class Segmenter(Protocol):
    """Finds every instance of every prompted concept.

    Three steps, so that what is costly is done once: a photo is encoded once for all its concepts (and again for none
    when a user refines one of them), a text is encoded once for good, and one call answers all prompts of a photo.
    Features and texts are opaque to the caller and belong to the segmenter that made them.
    """

    name: str
    """Written into every `Segmentation.source`."""

    def encode_images(self, photos: Sequence[Photo]) -> Sequence[Any]:
        """One feature object a photo, in order. Photos of different jobs may share a call."""
        ...

    def encode_text(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        """One text object a prompt, in order; cheap for a prompt seen before."""
        ...

    def segment(
        self, features: Any, prompts: Sequence[Prompt], texts: Sequence[Any], exemplars: Sequence[Exemplar] = ()
    ) -> list[Segmentation]:
        """Answer all prompts of one photo, in the order of `prompts`.

        A concept that is not in the photo is `absent`; one this segmenter has no way to find is `needs_model`.
        """
        ...
