"""The segmenter: one vision pass a photo, one pass of the head for all its concepts, in batches across photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import torch
from torch import Tensor

from engine.segment.classical import ClassicalSegmenter
from engine.segment.sam3.backend import Sam3Backend, TextFeatures, VisionFeatures
from engine.segment.sam3.limits import SizeLimit, bytes_each, fitting, free_bytes
from engine.segment.sam3.options import Sam3Options
from engine.segment.sam3.postprocess import instances_of, one_claim
from engine.segment.sam3.preprocess import box_prompts, to_square
from engine.segment.sam3.text_cache import TextCache
from engine.types import Exemplar, Instance, Photo, Prompt, Segmentation, Status

__all__ = ["Ask", "Sam3Segmenter"]

_WARM_TEXT: Final = "wall"
"""Encoded at warm-up: a prompt that will be asked for anyway."""


_Found = tuple[float, tuple[Instance, ...]]
"""Presence of one concept on one photo, and its instances."""


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One photo with its prompts, ready for the device."""

    pixels: Tensor
    """(3, S, S) uint8 on the CPU."""
    size: tuple[int, int]
    """(height, width) of the photo."""
    prompts: tuple[Prompt, ...]
    exemplars: tuple[Exemplar, ...]
    layers: tuple[Segmentation | None, ...]
    """Answers to the prompts without text, found from the pixels; None where the model is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One encoded photo, for `Sam3Segmenter.segment`."""

    photo: Photo
    vision: VisionFeatures


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """One concept asked of one photo of a batch."""

    photo: int
    size: tuple[int, int]
    text: TextFeatures
    boxes: tuple[Exemplar, ...]


class Sam3Segmenter:
    """Implements `engine.segment.port.BatchSegmenter` with a SAM 3 backend.

    `prepare` runs on any thread and needs no device; everything else is for one thread at a time. Prompts without text
    (specular highlights) are answered by the classical finder: they are layers of pixels, not things.
    """

    name = "sam3"

    def __init__(self, backend: Sam3Backend, options: Sam3Options | None = None) -> None:
        self._backend = backend
        self._options = options or Sam3Options()
        self._texts = TextCache(backend.encode_text)
        self._classical = ClassicalSegmenter()
        self._photos = SizeLimit(self._options.max_batch)
        self._pairs = SizeLimit(self._options.max_pairs)

    @property
    def batch(self) -> int:
        """Photos in one vision pass at most, now: what fits the device's memory."""
        return self._photos.size

    def prepare(self, photo: Photo, prompts: Sequence[Prompt], exemplars: Sequence[Exemplar] = ()) -> Ask:
        """The work that needs no device: squash the photo, find its pixel layers. Thread-safe."""
        return Ask(
            to_square(photo, self._backend.image_size),
            photo.size,
            tuple(prompts),
            tuple(exemplars),
            self._pixel_layers(photo, prompts, exemplars),
        )

    def answer(self, asks: Sequence[Ask]) -> list[list[Segmentation]]:
        """Answer every photo's prompts, in order; photos share vision passes, their concepts share head passes.

        Raises:
            torch.OutOfMemoryError: the device cannot hold a single photo.
        """
        return self._photos.run(asks, self._answer_batch)

    def encode_images(self, photos: Sequence[Photo]) -> list[Features]:
        """See `Segmenter.encode_images`: one vision pass for as many photos as fit."""
        squares = [to_square(photo, self._backend.image_size) for photo in photos]
        visions = self._photos.run(squares, self._encode_each)
        return [Features(photo, vision) for photo, vision in zip(photos, visions, strict=True)]

    def encode_text(self, prompts: Sequence[Prompt]) -> list[TextFeatures | None]:
        """See `Segmenter.encode_text`; None for a prompt without text."""
        known = iter(self._texts.get([prompt.text for prompt in prompts if prompt.text is not None]))
        return [next(known) if prompt.text is not None else None for prompt in prompts]

    def segment(
        self,
        features: Features,
        prompts: Sequence[Prompt],
        texts: Sequence[TextFeatures | None],
        exemplars: Sequence[Exemplar] = (),
    ) -> list[Segmentation]:
        """See `Segmenter.segment`. Boxes of `exemplars` refine their concept on this photo.

        Raises ValueError where `texts` and `prompts` differ in length.
        """
        layers = self._pixel_layers(features.photo, prompts, exemplars)
        pairs = [
            _Pair(0, features.photo.size, text, _boxes_of(prompt, exemplars))
            for prompt, text in zip(prompts, texts, strict=True)
            if text is not None
        ]
        return self._assemble(prompts, layers, self._detect(features.vision, pairs))

    def warm_up(self) -> None:
        """Fit the batch to the device's free memory, then run every batch size once: what is compiled compiles now."""
        blank = torch.zeros(3, self._backend.image_size, self._backend.image_size, dtype=torch.uint8)
        (text,) = self._texts.get([_WARM_TEXT])
        pair = _Pair(0, (1, 1), text, ())
        vision = self._encode([blank])
        self._detect(vision, [pair])
        if self._backend.device.type != "cuda":
            self._photos.size = 1  # a CPU gains nothing from batches
            return
        free = free_bytes(self._backend.device) // 2  # photos and pairs are on the device together
        each = bytes_each(lambda count: self._encode([blank] * count), self._backend.device)
        self._photos.size = fitting(free, each, self._photos.size)
        each = bytes_each(lambda count: self._head(vision, [pair] * count), self._backend.device)
        self._pairs.size = fitting(free, each, self._pairs.size)
        size = 1
        while size < 2 * self._photos.size:
            self._encode([blank] * min(size, self._photos.size))
            size *= 2

    def check(self) -> None:
        """Raise what the device raises when it can no longer compute."""
        torch.ones(1, device=self._backend.device).add_(1).item()

    def _answer_batch(self, asks: Sequence[Ask]) -> list[list[Segmentation]]:
        vision = self._encode([ask.pixels for ask in asks])
        pairs = [
            _Pair(row, ask.size, text, _boxes_of(prompt, ask.exemplars))
            for row, ask in enumerate(asks)
            for prompt, text in zip(ask.prompts, self.encode_text(ask.prompts), strict=True)
            if text is not None
        ]
        found = iter(self._detect(vision, pairs))
        return [
            self._assemble(ask.prompts, ask.layers, list(islice(found, sum(p.text is not None for p in ask.prompts))))
            for ask in asks
        ]

    def _encode(self, squares: Sequence[Tensor]) -> VisionFeatures:
        """One vision pass."""
        pixels = torch.stack(list(squares))
        if self._backend.device.type == "cuda":
            pixels = pixels.pin_memory()
        return self._backend.encode_images(pixels.to(self._backend.device, non_blocking=True))

    def _encode_each(self, squares: Sequence[Tensor]) -> list[VisionFeatures]:
        vision = self._encode(squares)
        return [vision.photos(row, row + 1) for row in range(len(vision))]

    def _detect(self, vision: VisionFeatures, pairs: Sequence[_Pair]) -> list[_Found]:
        return self._pairs.run(pairs, lambda part: self._head(vision, part))

    def _head(self, vision: VisionFeatures, pairs: Sequence[_Pair]) -> list[_Found]:
        """One pass of the head; `pairs` are in the order of their photos."""
        first, last = pairs[0].photo, pairs[-1].photo
        device = self._backend.device
        detection = self._backend.detect(
            vision.photos(first, last + 1),
            torch.tensor([pair.photo - first for pair in pairs], device=device),
            TextFeatures.cat([pair.text for pair in pairs]),
            box_prompts([pair.boxes for pair in pairs]),
        )
        instances = instances_of(detection, [pair.size for pair in pairs], self._options)
        return list(zip(detection.presence.tolist(), instances, strict=True))

    def _assemble(
        self, prompts: Sequence[Prompt], layers: Sequence[Segmentation | None], found: Sequence[_Found]
    ) -> list[Segmentation]:
        """Answers in the order of the prompts, one thing claimed once."""
        rest = iter(found)
        answers = []
        for prompt, layer in zip(prompts, layers, strict=True):
            if layer is not None:
                answers.append(layer)
                continue
            presence, instances = next(rest)
            status: Status = "found" if instances else "absent"
            answers.append(Segmentation(prompt, status, presence, instances, self.name))
        return one_claim(answers, self._options.cross_iou)

    def _pixel_layers(
        self, photo: Photo, prompts: Sequence[Prompt], exemplars: Sequence[Exemplar]
    ) -> tuple[Segmentation | None, ...]:
        """Answers to the prompts without text; None elsewhere."""
        layers = [prompt for prompt in prompts if prompt.text is None]
        if not layers:
            return (None,) * len(prompts)
        (features,) = self._classical.encode_images([photo])
        found = iter(self._classical.segment(features, layers, self._classical.encode_text(layers), exemplars))
        return tuple(next(found) if prompt.text is None else None for prompt in prompts)


def _boxes_of(prompt: Prompt, exemplars: Sequence[Exemplar]) -> tuple[Exemplar, ...]:
    return tuple(exemplar for exemplar in exemplars if exemplar.concept == prompt.concept)
