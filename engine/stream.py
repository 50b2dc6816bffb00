"""Many photos through the engine at once, with a segmenter on a device.

    decode + prepare (threads) -> segment (one device thread, batches across photos) -> render + encode (threads)

The device never waits for a PNG: while it answers one batch, the next one decodes and the one before encodes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from engine._batcher import Batcher
from engine.image_io import MAX_PIXELS, decode
from engine.pipeline import check_recipe, encode, render
from engine.segment.port import BatchSegmenter
from engine.types import Photo, PhotoResult, Recipe, Segmentation

__all__ = ["PhotoStream"]

T = TypeVar("T")


class PhotoStream:
    """Runs photos side by side; the same bytes give the same result as `engine.process` with the same segmenter."""

    def __init__(self, segmenter: BatchSegmenter, threads: Executor, *, max_pixels: int = MAX_PIXELS) -> None:
        """`threads` does what needs no device; how many photos are under way is the caller's to bound."""
        self._segmenter = segmenter
        self._threads = threads
        self._max_pixels = max_pixels
        self._batches: Batcher[Any, list[Segmentation]] = Batcher(
            segmenter.answer, lambda: segmenter.batch, name="segmenter"
        )

    async def process(self, data: bytes, recipe: Recipe) -> PhotoResult:
        """Apply a recipe to one photo file.

        Raises:
            BadPhoto, NeedsModel, ValueError: as `engine.process` does; other photos are not touched by it.
        """
        check_recipe(recipe)
        began = time.perf_counter()
        photo, ask = await self._aside(lambda: self._prepare(data, recipe))
        decoded = time.perf_counter()
        found = await self._batches.ask(ask) if recipe.prompts else []
        answered = time.perf_counter()
        # "segment" has the time in the queue: what a photo waited for, not what it cost.
        timings = {"decode": (decoded - began) * 1000, "segment": (answered - decoded) * 1000}
        return await self._aside(lambda: encode(render(photo, found, recipe, source=self._segmenter.name), timings))

    def close(self) -> None:
        """Let the batch under way end."""
        self._batches.close()

    def _prepare(self, data: bytes, recipe: Recipe) -> tuple[Photo, Any]:
        photo = decode(data, max_pixels=self._max_pixels)
        return photo, self._segmenter.prepare(photo, recipe.prompts, recipe.refinement.exemplars)

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
