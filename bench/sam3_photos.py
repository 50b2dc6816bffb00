"""Whole photos with SAM 3: the worker's pipeline from JPEG to PNG, or the memory of one very large photo.

    python bench/sam3_photos.py --random-weights                        # 200 photos of 12 MP; GPU busy share
    python bench/sam3_photos.py --random-weights --size tiny --photos 6 --megapixels 2
    python bench/sam3_photos.py --memory                                # 50 MP with 100 instances: peak over the photo

The peer of the pipeline is `engine.process` in the same run, one photo after another: decode, segment, paint, encode.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from _cost import peak_bytes, reset_peak

from engine import process
from engine.pipeline import encode, render
from engine.stream import PhotoStream
from engine.types import Instance, Layer, Photo, Prompt, Recipe, Recolor, Segmentation

PROMPTS = tuple(Prompt(text, text) for text in ("wall", "floor", "window", "molding and trim"))
RECIPE = Recipe(
    PROMPTS, (Layer("wall", Recolor((221, 227, 218))), Layer("floor", Recolor((170, 130, 90)))), ("molding and trim",)
)


def picture(megapixels: float, seed: int) -> np.ndarray:
    """(H, W, 3) uint8, 4:3, smooth colours with grain."""
    height = round((megapixels * 0.75e6) ** 0.5)
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(
        rng.integers(0, 256, (9, 12, 3), np.uint8), (height * 4 // 3, height), interpolation=cv2.INTER_CUBIC
    )
    grain = rng.integers(0, 9, smooth.shape[:2], np.uint8)
    return cv2.add(smooth, cv2.merge([grain] * 3))


def jpeg(megapixels: float, seed: int) -> bytes:
    return cv2.imencode(".jpg", picture(megapixels, seed))[1].tobytes()


def segmenter(arguments: argparse.Namespace) -> Any:
    import torch

    from engine.segment.sam3 import Sam3Options, load_sam3

    if arguments.weights:
        return load_sam3(Sam3Options(weights=arguments.weights, max_batch=arguments.batch))
    from engine.segment.sam3.random_weights import random_backend
    from engine.segment.sam3.segmenter import Sam3Segmenter

    device = "cuda" if torch.cuda.is_available() else "cpu"
    # Random scores lie about a quarter: as many instances as a photo has, and masks for each concept.
    made = Sam3Segmenter(
        random_backend(arguments.size, device=device), Sam3Options(threshold=0.3, max_batch=arguments.batch)
    )
    made.warm_up()
    return made


class Watched:
    """A segmenter whose time on the device is counted."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.busy = 0.0
        self.parts: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def answer(self, asks: Sequence[Any]) -> list[list[Segmentation]]:
        began = time.perf_counter()
        found: list[list[Segmentation]] = self._inner.answer(asks)
        self.busy += time.perf_counter() - began
        self.parts.append(len(asks))
        return found


async def stream(watched: Any, files: Sequence[bytes], in_flight: int) -> float:
    """Seconds for all files, `in_flight` at a time, as a worker has them."""
    places = asyncio.Semaphore(in_flight)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        photos = PhotoStream(watched, threads)

        async def one(data: bytes) -> None:
            async with places:
                await photos.process(data, RECIPE)

        began = time.perf_counter()
        await asyncio.gather(*map(one, files))
        took = time.perf_counter() - began
        photos.close()
    return took


def pipeline(arguments: argparse.Namespace) -> None:
    cv2.setNumThreads(1)
    inner = segmenter(arguments)
    different = [jpeg(arguments.megapixels, seed) for seed in range(min(16, arguments.photos))]
    files = [different[k % len(different)] for k in range(arguments.photos)]
    alone = []
    for data in files[:3]:
        began = time.perf_counter()
        process(data, RECIPE, inner)
        alone.append(time.perf_counter() - began)
    watched = Watched(inner)
    took = asyncio.run(stream(watched, files, 2 * arguments.batch + 4))
    one_by_one = statistics.median(alone)
    print(f"{len(files)} photos of {arguments.megapixels:g} MP, {len(PROMPTS)} concepts, {os.cpu_count()} cores")
    print(f"pipeline   {len(files) / took:.2f} photos/s, device busy {watched.busy / took:.0%} of the time")
    print(f"one by one {1 / one_by_one:.2f} photos/s; the pipeline is {one_by_one * len(files) / took:.1f} times that")
    print(f"batches    {len(watched.parts)}, {statistics.mean(watched.parts):.1f} photos on average")


def memory(megapixels: float, count: int) -> None:
    """Peak of painting one photo: two concepts of `count` instances, a protected one of a tenth."""
    cv2.setNumThreads(1)
    photo = Photo(picture(megapixels, 0))

    def disc(k: int) -> Instance:
        mask = np.zeros((288, 288), np.float32)
        cv2.circle(mask, (k % 10 * 28 + 14, k // 10 % 10 * 28 + 14), 12, 1.0, -1)
        return Instance(0.9 - k * 1e-3, (0, 0, 1, 1), cv2.GaussianBlur(mask, (5, 5), 0))

    found = [
        Segmentation(prompt, "found", 0.9, tuple(disc(k + shift) for k in range(n)), "sam3")
        for prompt, n, shift in ((PROMPTS[0], count, 0), (PROMPTS[1], count, 5), (PROMPTS[3], count // 10, 2))
    ]
    recipe = Recipe(tuple(answer.prompt for answer in found), RECIPE.layers, RECIPE.protect)
    before = reset_peak()
    began = time.perf_counter()
    encode(render(photo, found, recipe, source="sam3"))
    print(f"{megapixels:g} MP, photo {photo.rgb.nbytes / 2**20:.0f} MiB, {2 * count + count // 10} instances")
    print(f"peak over the decoded photo {(peak_bytes() - before) / 2**20:.0f} MiB, {time.perf_counter() - began:.1f} s")
    full = photo.size[0] * photo.size[1] * 8 * (2 * count + count // 10)
    print(f"all masks at full size, as int64, would be {full / 2**30:.0f} GiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--random-weights", action="store_true")
    what.add_argument("--weights")
    what.add_argument("--memory", action="store_true")
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--megapixels", type=float, default=None, help="12; 50 with --memory")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--instances", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.memory:
        memory(arguments.megapixels or 50, arguments.instances)
    else:
        arguments.megapixels = arguments.megapixels or 12
        pipeline(arguments)


if __name__ == "__main__":
    main()
