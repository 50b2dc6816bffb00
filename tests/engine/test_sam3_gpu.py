"""SAM 3 on a CUDA machine: `pytest -m gpu`. The official package's tests also need S3P_SAM3_WEIGHTS (a folder with both
safetensors and sam3.pt) and S3P_SAM3_BPE."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.segment.sam3.load import load_backend, load_sam3
from engine.segment.sam3.options import Sam3Options
from engine.segment.sam3.random_weights import random_backend
from engine.segment.sam3.segmenter import Sam3Segmenter
from engine.types import Prompt

from ._sam3 import LENIENT, assert_same, backend, photo, prompts, save_tiny

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA machine")]

WEIGHTS = Path(os.environ.get("S3P_SAM3_WEIGHTS", "nowhere"))
needs_both = pytest.mark.skipif(
    not ((WEIGHTS / "sam3.pt").is_file() and (WEIGHTS / "config.json").is_file()),
    reason="needs S3P_SAM3_WEIGHTS with safetensors and sam3.pt",
)
CONCEPTS = [Prompt(text, text) for text in ("wall", "floor", "window", "a purple elephant")]


def test_the_gpu_finds_what_the_cpu_finds() -> None:
    pixels = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    gpu = random_backend("tiny", device="cuda")
    for ours, theirs in zip(
        gpu.encode_images(pixels.cuda()).levels, backend().encode_images(pixels).levels, strict=True
    ):
        assert torch.nn.functional.cosine_similarity(ours.float().cpu().flatten(), theirs.flatten(), dim=0) > 0.999


@pytest.mark.parametrize("compiled", ["off", "default", "reduce-overhead"])
def test_batches_of_every_size_answer_as_one_by_one(tmp_path: Path, compiled: str) -> None:
    weights = str(save_tiny(tmp_path))
    model = load_sam3(replace(LENIENT, weights=weights, device="cuda", compile=compiled))  # type: ignore[arg-type]
    photos, asked = [photo(seed) for seed in range(5)], prompts(3)
    together = model.answer([model.prepare(seen, asked) for seen in photos])
    for seen, answers in zip(photos, together, strict=True):
        alone = model.answer([model.prepare(seen, asked)])[0]
        assert [a.presence for a in answers] == pytest.approx([a.presence for a in alone], abs=0.02)


def test_the_batch_follows_the_free_memory() -> None:
    model = Sam3Segmenter(random_backend("full", device="cuda"), Sam3Options(max_batch=64))
    free = torch.cuda.mem_get_info()[0]
    hog = torch.empty(max(0, free - 6 * 2**30), dtype=torch.uint8, device="cuda")
    model.warm_up()
    assert 1 <= model.batch < 64
    del hog
    torch.cuda.empty_cache()


@needs_both
def test_both_adapters_give_the_same_masks_from_the_same_weights() -> None:
    options = Sam3Options(weights=str(WEIGHTS), bpe=os.environ.get("S3P_SAM3_BPE"), device="cuda", compile="off")
    seen = photo(1, (600, 800))
    answers = []
    for name in ("transformers", "official"):
        model = Sam3Segmenter(load_backend(replace(options, backend=name)))  # type: ignore[arg-type]
        answers.append(model.answer([model.prepare(seen, CONCEPTS)])[0])
    for one, other in zip(*answers, strict=True):
        assert one.presence == pytest.approx(other.presence, abs=0.05)
        assert len(one.instances) == len(other.instances)
        for a, b in zip(one.instances, other.instances, strict=True):
            assert np.mean((a.mask >= 0.5) == (b.mask >= 0.5)) > 0.99


@needs_both
def test_the_official_package_answers_all_concepts_as_one_by_one() -> None:
    options = Sam3Options(weights=str(WEIGHTS), bpe=os.environ.get("S3P_SAM3_BPE"), device="cuda", backend="official")
    model = Sam3Segmenter(load_backend(options))
    seen = photo(2, (600, 800))
    together = model.answer([model.prepare(seen, CONCEPTS)])[0]
    alone = [model.answer([model.prepare(seen, [prompt])])[0][0] for prompt in CONCEPTS]
    assert_same(together, alone, 0.05)
