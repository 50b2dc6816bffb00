"""A segmenter with some masks in its hand: made by a person or another program, for one photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np

from engine.errors import BadMask
from engine.segment.port import Segmenter
from engine.types import Exemplar, Instance, LabelMap, Photo, Prompt, Segmentation

__all__ = ["GivenMasks"]

_COARSE: Final = 288
"""Longest side of the masks of single instances; the label map itself is kept as it is."""


class GivenMasks:
    """Answers the given concepts of one photo with their label maps, exactly; asks another segmenter for the rest.

    A `Segmenter`. It bears the other's name, which is not asked at all where every concept is given.
    """

    def __init__(self, masks: Mapping[str, LabelMap], rest: Segmenter) -> None:
        """Take the masks of one photo.

        Args:
            masks: concept -> (H, W) uint16 at the upright photo's size: 0 = none, k = instance #k, numbered from 1
                without gaps. A map of zeros says that the concept is absent.
            rest: who answers for every other concept.

        Raises:
            BadMask: a number is missing between 1 and a map's highest.
        """
        self.name = rest.name
        self._masks = dict(masks)
        self._rest = rest
        for concept, labels in masks.items():
            present = np.unique(labels[labels > 0])
            if present.size and present[-1] != present.size:
                missing = next(k for k, number in enumerate(present, start=1) if number != k)
                raise BadMask(
                    f"The mask given for {concept} has an instance #{present[-1]} but no #{missing}; instances are "
                    "numbered from 1 without gaps, and a mask has no soft edges."
                )

    def encode_images(self, photos: Sequence[Photo]) -> Sequence[Photo]:
        """The photos themselves: the other segmenter may not be needed.

        Raises:
            BadMask: a label map that has not the photo's size.
        """
        for photo in photos:
            for concept, labels in self._masks.items():
                if labels.shape != photo.size:
                    height, width = photo.size
                    raise BadMask(
                        f"The mask given for {concept} is {labels.shape[1]}x{labels.shape[0]} pixels, "
                        f"the photo, upright, is {width}x{height}."
                    )
        return photos

    def encode_text(self, prompts: Sequence[Prompt]) -> Sequence[Any]:
        """The other segmenter's texts; None for a concept that is given."""
        known = iter(self._rest.encode_text([prompt for prompt in prompts if prompt.concept not in self._masks]))
        return [None if prompt.concept in self._masks else next(known) for prompt in prompts]

    def segment(
        self, features: Photo, prompts: Sequence[Prompt], texts: Sequence[Any], exemplars: Sequence[Exemplar] = ()
    ) -> list[Segmentation]:
        """See `Segmenter.segment`; exemplars change nothing of a mask that is given."""
        asked = [(p, text) for p, text in zip(prompts, texts, strict=True) if p.concept not in self._masks]
        others: list[Segmentation] = []
        if asked:
            (encoded,) = self._rest.encode_images([features])
            others = self._rest.segment(encoded, [p for p, _ in asked], [text for _, text in asked], exemplars)
        rest = iter(others)
        return [
            _answer(prompt, self._masks[prompt.concept]) if prompt.concept in self._masks else next(rest)
            for prompt in prompts
        ]


def _answer(prompt: Prompt, labels: LabelMap) -> Segmentation:
    count = int(labels.max(initial=0))
    if not count:
        return Segmentation(prompt, "absent", 0.0, source="given")
    instances = tuple(_instance(labels, number) for number in range(1, count + 1))
    return Segmentation(prompt, "found", 1.0, instances, "given", labels)


def _instance(labels: LabelMap, number: int) -> Instance:
    inside = cv2.inRange(labels, number, number)
    x, y, width, height = cv2.boundingRect(inside)
    scale = min(1.0, _COARSE / max(inside.shape))
    size = max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale))
    mask = cv2.resize(inside, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return Instance(1.0, (float(x), float(y), float(x + width), float(y + height)), mask)
