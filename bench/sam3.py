"""SAM 3's speed: our way (one vision pass a photo, one head pass for all concepts, in batches) beside the plain way.

    python bench/sam3.py --random-weights                     # full size, on the GPU: the whole table, about 20 minutes
    python bench/sam3.py --random-weights --size tiny         # the same code on any machine, figures without meaning
    python bench/sam3.py --weights ~/sam3                     # with real weights

The plain way is what a first program does with the same library: set the image, then one prompt after another,
encoding the image again for each. Random weights cost the same arithmetic; the score threshold is set so that every
concept keeps a few instances, because masks are only made for what is found. The limit is 5.61 TFLOP a photo and 0.42 a
concept at --peak TFLOP/s (790: bfloat16 matrix products measured on an H200).
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from engine.segment.sam3 import Sam3Options
from engine.segment.sam3.backend import TextFeatures
from engine.segment.sam3.load import load_backend
from engine.segment.sam3.postprocess import instances_of
from engine.segment.sam3.preprocess import box_prompts, normalise
from engine.segment.sam3.random_weights import random_backend
from engine.segment.sam3.segmenter import Sam3Segmenter
from engine.types import Photo, Prompt

VISION_TFLOP, CONCEPT_TFLOP = 5.61, 0.42
KEPT = 3
CONCEPTS = (
    "wall", "floor", "ceiling", "window", "door", "molding and trim", "tile", "cabinet", "countertop", "light fixture",
    "door or cabinet handle", "kitchen backsplash",
)  # fmt: skip


def machine() -> str:
    if torch.cuda.is_available():
        name = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    else:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "CPU")
        name = f"{model}, {torch.get_num_threads()} threads"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    return f"{name}; {versions}"


def seconds(work: Callable[[], object], least: float) -> float:
    """Median time of a call, over `least` seconds and two calls after a first one; with 0 the time of the first one."""
    if least:
        work()
    took: list[float] = []
    while len(took) < (2 if least else 1) or sum(took) < least:
        synchronise()
        began = time.perf_counter()
        work()
        synchronise()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def photo(seed: int, side: int) -> Photo:
    rng = np.random.default_rng(seed)
    return Photo(rng.integers(0, 256, (side, side, 3), np.uint8))


def prompts(count: int) -> list[Prompt]:
    return [Prompt(text, text) for text in CONCEPTS[:count]]


def threshold(backend: Any, count: int) -> float:
    """A score that at least `KEPT` queries of each concept reach."""
    pixels = torch.from_numpy(photo(0, backend.image_size).rgb).permute(2, 0, 1)[None].to(backend.device)
    found = detect(backend, backend.encode_images(pixels), count)
    return float(found.scores.topk(KEPT, dim=1).values.min()) - 1e-4


def detect(backend: Any, vision: Any, count: int) -> Any:
    """The head for `count` concepts of every photo of `vision`, without masks."""
    photos = torch.arange(len(vision), device=backend.device).repeat_interleave(count)
    text = backend.encode_text(CONCEPTS[:count])
    text = TextFeatures(text.tokens.repeat(len(vision), 1, 1), text.valid.repeat(len(vision), 1))
    return backend.detect(vision, photos, text, box_prompts([()] * len(photos)))


def stages(backend: Any, options: Sam3Options, count: int, least: float) -> None:
    """Milliseconds of one photo's stages."""
    pixels = torch.from_numpy(photo(0, backend.image_size).rgb).permute(2, 0, 1)[None].to(backend.device)
    vision = backend.encode_images(pixels)
    found = detect(backend, vision, count)
    pairs = torch.arange(count, device=backend.device).repeat_interleave(KEPT)
    queries = found.scores.topk(KEPT, dim=1).indices.flatten()
    text = seconds(lambda: backend.encode_text(CONCEPTS[:count]), least)
    rows = {
        "vision": seconds(lambda: backend.encode_images(pixels), least),
        "text, once for good": text,
        "encoder, decoder, scores": seconds(lambda: detect(backend, vision, count), least) - text,
        "masks": seconds(lambda: found.masks(pairs, queries), least),
        "masks, order, duplicates, to the host": seconds(
            lambda: instances_of(found, [(1000, 1000)] * count, options), least
        ),
    }
    print(f"\n| stage, 1 photo, {count} concepts | ms |\n|---|---|")
    for name, took in rows.items():
        print(f"| {name} | {took * 1000:.1f} |")


def plain(backend: Any, count: int, least: float) -> float:
    """Photos a second of the plain way, with the library's own forward."""
    pixels = torch.from_numpy(photo(0, backend.image_size).rgb).permute(2, 0, 1)[None].to(backend.device)
    texts = [backend.tokenize([text]) for text in CONCEPTS[:count]]

    def run() -> None:
        with backend.mode():
            for ids, attention in texts:
                backend.model(
                    pixel_values=normalise(pixels),
                    input_ids=ids.to(backend.device),
                    attention_mask=attention.to(backend.device),
                )

    return 1 / seconds(run, least)


def ours(segmenter: Sam3Segmenter, side: int, batch: int, count: int, least: float) -> float:
    """Photos a second through `answer`, masks on the host included."""
    asks = [segmenter.prepare(photo(seed, side), prompts(count)) for seed in range(batch)]
    return batch / seconds(lambda: segmenter.answer(asks), least)


def table(arguments: argparse.Namespace) -> None:
    backend = open_backend(arguments, None)
    reference = {count: plain(backend, count, arguments.seconds) for count in arguments.concepts}
    print("| way | compile | concepts | batch | photos/s | ms a photo | share of the limit | times plain |")
    print("|---|---|---|---|---|---|---|---|")
    for count, speed in reference.items():
        row("plain", "off", count, 1, speed, speed, arguments.peak)
    for mode in arguments.compile:
        if mode != "off":
            backend = open_backend(arguments, mode)
        options = Sam3Options(max_batch=max(arguments.batches), max_pairs=arguments.pairs)
        for count in arguments.concepts:
            segmenter = Sam3Segmenter(backend, replace(options, threshold=threshold(backend, count)))
            for batch in arguments.batches:
                try:
                    speed = ours(segmenter, backend.image_size, batch, count, arguments.seconds)
                except torch.OutOfMemoryError:
                    print(f"| ours | {mode} | {count} | {batch} | out of memory | | | |")
                    continue
                row("ours", mode, count, batch, speed, reference[count], arguments.peak)
    count = max(arguments.concepts)
    stages(backend, Sam3Options(threshold=threshold(backend, count)), count, arguments.seconds)


def row(way: str, mode: str, count: int, batch: int, speed: float, plain_speed: float, peak: float) -> None:
    share = f"{speed * (VISION_TFLOP + CONCEPT_TFLOP * count) / peak:.2%}" if peak else "-"
    cells = (way, mode, count, batch, f"{speed:.3g}", f"{1000 / speed:.1f}", share, f"{speed / plain_speed:.1f}")
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def open_backend(arguments: argparse.Namespace, mode: str | None) -> Any:
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.random_weights:
        return random_backend(arguments.size, device=device, compile_mode=mode)
    return load_backend(Sam3Options(weights=arguments.weights, device=device, compile=mode or "off"))  # type: ignore[arg-type]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--random-weights", action="store_true")
    source.add_argument("--weights", help="folder or hub id; safetensors")
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--device", help="default: CUDA where there is one")
    parser.add_argument("--concepts", type=int, nargs="+", default=[1, 4, 12])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--pairs", type=int, default=32, help="(photo, concept) pairs in one head pass")
    parser.add_argument("--compile", nargs="+", default=None, help="off, default, reduce-overhead")
    parser.add_argument("--seconds", type=float, default=2.0, help="least time a cell is measured; 0: one call each")
    parser.add_argument("--peak", type=float, default=790.0, help="TFLOP/s of the device")
    arguments = parser.parse_args(argv)
    if arguments.compile is None:
        arguments.compile = ["off", "default"] if torch.cuda.is_available() else ["off"]
    if arguments.random_weights and arguments.size == "tiny":
        arguments.peak = 0.0  # its arithmetic is not SAM 3's
    print(f"{machine()}\n")
    table(arguments)


if __name__ == "__main__":
    main()
