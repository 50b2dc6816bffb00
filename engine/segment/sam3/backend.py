"""The port between the segmenter and a SAM 3 implementation: tensors in, tensors out.

Shapes: B photos, P (photo, prompt) pairs, Q object queries (200), C channels (256), L text tokens (32), S input side
(1008). All tensors but `BoxPrompts` live on the backend's device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["BoxPrompts", "Detection", "Sam3Backend", "TextFeatures", "VisionFeatures"]


@dataclass(frozen=True, slots=True, eq=False)
class VisionFeatures:
    """What the vision encoder says about B photos; a prompt changes nothing of it."""

    levels: tuple[Tensor, ...]
    """(B, C, h, w) each, finest first: 288², 144², 72²."""
    position: Tensor
    """(1, C, h, w), position encoding of the coarsest level: the same for every photo."""

    def __len__(self) -> int:
        return int(self.levels[0].shape[0])

    def photos(self, start: int, stop: int) -> VisionFeatures:
        """A view of photos start..stop-1."""
        return VisionFeatures(tuple(level[start:stop] for level in self.levels), self.position)


@dataclass(frozen=True, slots=True, eq=False)
class TextFeatures:
    """K encoded prompts."""

    tokens: Tensor
    """(K, L, C)."""
    valid: Tensor
    """(K, L) bool, False at padding."""

    @classmethod
    def cat(cls, parts: Sequence[TextFeatures]) -> TextFeatures:
        """All prompts of `parts`, in order."""
        return cls(torch.cat([part.tokens for part in parts]), torch.cat([part.valid for part in parts]))


@dataclass(frozen=True, slots=True, eq=False)
class BoxPrompts:
    """Boxes that refine P pairs, padded to the longest list of them (N, which may be 0). On the CPU."""

    boxes: Tensor
    """(P, N, 4) float32, centre x, centre y, width, height, 0..1 of the photo."""
    positive: Tensor
    """(P, N) bool: shows the concept, or excludes it."""
    valid: Tensor
    """(P, N) bool, False at padding; the valid ones come first."""


class Detection(Protocol):
    """The head's answer for P pairs; masks are made only for those asked for."""

    presence: Tensor
    """(P,) float32, 0..1."""
    scores: Tensor
    """(P, Q) float32, 0..1: sigma(logit) * sigma(presence)."""
    boxes: Tensor
    """(P, Q, 4) float32: x0, y0, x1, y1, 0..1 of the photo."""

    def masks(self, pairs: Tensor, queries: Tensor) -> Tensor:
        """(N, h, w) float32 mask logits of N queries; `pairs` and `queries` are (N,) int64, `pairs` ascending."""
        ...


class Sam3Backend(Protocol):
    """One implementation of SAM 3 with its weights. Not thread-safe; makes no gradients."""

    name: str
    device: torch.device
    image_size: int
    """S: photos are squashed to (S, S)."""

    def encode_images(self, pixels: Tensor) -> VisionFeatures:
        """One vision pass over (B, 3, S, S) uint8 sRGB, on the device."""
        ...

    def encode_text(self, texts: Sequence[str]) -> TextFeatures:
        """Encode prompts; longer ones are cut at L tokens."""
        ...

    def detect(self, vision: VisionFeatures, photos: Tensor, text: TextFeatures, boxes: BoxPrompts) -> Detection:
        """One pass of the head over P pairs: pair i asks `text` row i of photo `photos[i]` ((P,) int64)."""
        ...
