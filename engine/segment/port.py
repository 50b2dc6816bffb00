"""The Segmenter port: decoded photos and resolved prompts in, instances out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine.types import Exemplar, Photo, Prompt, Segmentation

__all__ = ["BatchSegmenter", "Segmenter"]


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

        A concept that is not in the photo is `absent`; one this segmenter has no way to find, or to
        rule out, is `needs_model`.
        """
        ...


class BatchSegmenter(Segmenter, Protocol):
    """A segmenter on a device that is best asked for several photos at once.

    The same answers as `Segmenter.segment` gives, in two steps: one that any thread can do while the device is busy,
    and one for a single thread.
    """

    @property
    def batch(self) -> int:
        """Photos to hand over at once at most, as the device's memory allows now."""
        ...

    def prepare(self, photo: Photo, prompts: Sequence[Prompt], exemplars: Sequence[Exemplar] = ()) -> Any:
        """What needs no device: one opaque object for `answer`. Thread-safe."""
        ...

    def answer(self, asks: Sequence[Any]) -> list[list[Segmentation]]:
        """Answer prepared photos, each by itself, in order; prompts may differ between photos. One thread at a time."""
        ...

    def check(self) -> None:
        """Raise what the device raises when it can no longer compute."""
        ...
