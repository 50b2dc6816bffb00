"""A segmenter that answers from recorded label maps: for tests, demos and masks made by hand or elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from engine.types import Exemplar, Instance, LabelMap, Photo, Prompt, Segmentation

__all__ = ["ReplaySegmenter"]


class ReplaySegmenter:
    """Answers each recorded photo with its own label maps, at photo size. A `Segmenter`.

    A photo is known by its pixels, so no answer of one photo is ever given for another. A concept that was not recorded
    for a photo is `absent`.
    """

    name: Final = "replay"

    def __init__(
        self, recordings: Iterable[tuple[Photo, Mapping[str, LabelMap]]], needs_model: Collection[str] = ()
    ) -> None:
        """Record label maps, concept -> (H, W) uint16, for each photo.

        Args:
            recordings: photos with their label maps; numbers count from 1 without gaps.
            needs_model: concepts to be answered `needs_model`, whatever the photo.

        Raises:
            ValueError: a label map that has not its photo's size.
        """
        self._recordings: dict[bytes, Mapping[str, LabelMap]] = {}
        self._needs_model = frozenset(needs_model)
        for photo, concepts in recordings:
            for concept, labels in concepts.items():
                if labels.shape != photo.size:
                    raise ValueError(f"label map of {concept} is {labels.shape}, the photo is {photo.size}")
            self._recordings[_fingerprint(photo)] = dict(concepts)

    def encode_images(self, photos: Sequence[Photo]) -> list[Mapping[str, LabelMap]]:
        """The recordings of each photo.

        Raises:
            LookupError: a photo that was not recorded.
        """
        try:
            return [self._recordings[_fingerprint(photo)] for photo in photos]
        except KeyError:
            raise LookupError("no label maps were recorded for this photo") from None

    def encode_text(self, prompts: Sequence[Prompt]) -> list[str]:
        """Concept names: recordings are kept by them."""
        return [prompt.concept for prompt in prompts]

    def segment(
        self,
        features: Mapping[str, LabelMap],
        prompts: Sequence[Prompt],
        texts: Sequence[str],
        exemplars: Sequence[Exemplar] = (),
    ) -> list[Segmentation]:
        """Every recorded instance with score 1; exemplars change nothing."""
        return [self._answer(prompt, features.get(text)) for prompt, text in zip(prompts, texts, strict=True)]

    def _answer(self, prompt: Prompt, labels: LabelMap | None) -> Segmentation:
        if prompt.concept in self._needs_model:
            return Segmentation(prompt, "needs_model", 0.0, source=self.name)
        instances = () if labels is None else tuple(_instances(labels))
        if not instances:
            return Segmentation(prompt, "absent", 0.0, source=self.name)
        return Segmentation(prompt, "found", 1.0, instances, self.name)


def _instances(labels: LabelMap) -> Iterable[Instance]:
    for k in range(1, int(labels.max(initial=0)) + 1):
        mask = labels == k
        ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if ys.size:
            box = (float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
            yield Instance(1.0, box, mask.astype(np.float32))


def _fingerprint(photo: Photo) -> bytes:
    digest = hashlib.sha256(repr(photo.size).encode())
    digest.update(np.ascontiguousarray(photo.rgb).data)
    return digest.digest()
