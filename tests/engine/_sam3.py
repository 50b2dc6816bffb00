"""A tiny SAM 3 with random weights, and photos and prompts for it. Needs the `sam3` extra."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.segment.sam3.options import Sam3Options
from engine.segment.sam3.random_weights import random_backend, random_model
from engine.segment.sam3.segmenter import Sam3Segmenter
from engine.segment.sam3.transformers_backend import TransformersBackend
from engine.types import Photo, Prompt, Segmentation

torch.set_num_threads(1)

# Random weights are sure of nothing: everything that is not quite improbable counts as found.
LENIENT = Sam3Options(threshold=0.2, same_iou=0.95, cross_iou=0.999)
TEXTS = ("wall", "window", "light switch or power outlet", "door", "grout line between tiles")


@cache
def backend() -> TransformersBackend:
    return random_backend("tiny")


def segmenter(options: Sam3Options = LENIENT) -> Sam3Segmenter:
    return Sam3Segmenter(backend(), options)


def photo(seed: int, size: tuple[int, int] = (90, 140)) -> Photo:
    """Blocks of colours with noise: something to see, differently in every corner."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (4, 6, 3)).repeat(-(-size[0] // 4), 0).repeat(-(-size[1] // 6), 1)
    noisy = blocks[: size[0], : size[1]] + rng.normal(0, 8, (*size, 3))
    return Photo(np.clip(noisy, 0, 255).astype(np.uint8))


def prompts(count: int, several: bool = False) -> list[Prompt]:
    return [Prompt(f"C{k}", f"{TEXTS[k % len(TEXTS)]} {k}", several=several) for k in range(count)]


def assert_same(one: list[Segmentation], other: list[Segmentation], tolerance: float = 1e-5) -> None:
    assert [a.prompt for a in one] == [b.prompt for b in other]
    for a, b in zip(one, other, strict=True):
        assert a.status == b.status
        assert a.presence == pytest.approx(b.presence, abs=tolerance)
        assert [i.score for i in a.instances] == pytest.approx([i.score for i in b.instances], abs=1e-4)
        for left, right in zip(a.instances, b.instances, strict=True):
            np.testing.assert_allclose(left.box, right.box, atol=tolerance * 1000)
            np.testing.assert_allclose(left.mask, right.mask, atol=tolerance)


def save_tiny(folder: Path) -> Path:
    """A weights folder as the hub has it: config, safetensors and a tokenizer whose words are letters."""
    from transformers import CLIPTokenizer

    random_model("tiny").save_pretrained(folder)
    letters = [chr(code) for code in range(97, 123)]
    words = ["<pad>", *letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = CLIPTokenizer(
        vocab=vocabulary, merges=[], pad_token="<pad>", unk_token="<|endoftext|>", model_max_length=32
    )
    tokenizer.save_pretrained(folder)
    return folder
