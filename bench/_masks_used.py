"""The masks a benchmark hands to the engine: exact ones, such as a model gives, or the classical segmenter's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import cv2
import numpy as np
from _truth import SCENES, Bits, Scene, varied

from engine.segment.classical import ClassicalSegmenter
from engine.types import Instance, Photo, Prompt, Segmentation

__all__ = ["GUARDS", "MASKS", "given", "replayed"]

MASKS: Final = ("exact", "matted", "classical")
_SIDE: Final = 288
GUARDS: Final[Mapping[str, str]] = {"body": "text", "floor": "grout"}
"""Surface -> the class that lies on it and is protected."""


def given(scene: Scene, variant: str, surface: str, masks: str) -> tuple[Segmentation, Segmentation | None] | None:
    """What the engine is told of a surface and of what lies on it; None where the classical segmenter finds none.

    "exact" is the truth. "matted" is the truth as SAM 3 would give it: probabilities at 288 x 288, the edge soft and
    off by up to a pixel of these. Protected things are always exact.
    """
    guard = GUARDS.get(surface)
    guarded = None
    if guard is not None and scene.mask(guard).any():
        guarded = replayed(guard, scene.mask(guard).astype(np.float32))
    if masks == "classical":
        answer = _classical(scene.name, variant, surface)
        return None if answer.status != "found" else (answer, guarded)
    exact = scene.mask(surface)
    return replayed(surface, _coarse(exact) if masks == "matted" else exact.astype(np.float32)), guarded


@cache
def _classical(name: str, variant: str, surface: str) -> Segmentation:
    segmenter, prompt = ClassicalSegmenter(), Prompt(surface, surface, surface)
    photo = Photo(varied(SCENES[name].base(), variant))
    (answer,) = segmenter.segment(segmenter.encode_images([photo])[0], [prompt], segmenter.encode_text([prompt]))
    return answer


def _coarse(exact: Bits) -> np.ndarray:
    small = cv2.resize(exact.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(5)
    wobble = np.stack([cv2.GaussianBlur(rng.normal(size=(_SIDE, _SIDE)), (0, 0), 6) for _ in range(2)])
    y, x = np.mgrid[:_SIDE, :_SIDE] + 0.7 * wobble / wobble.std()
    moved = cv2.remap(
        small, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.GaussianBlur(moved, (0, 0), 0.8)


def replayed(concept: str, mask: np.ndarray) -> Segmentation:
    """The answer of a segmenter that found one instance; mask (h, w), of truth values or probabilities."""
    prompt = Prompt(concept, concept)
    height, width = mask.shape
    return Segmentation(
        prompt, "found", 1.0, (Instance(1.0, (0.0, 0.0, width, height), mask.astype(np.float32)),), "replay"
    )
