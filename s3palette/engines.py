"""From settings to a segmenter: the one place that knows both."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import cv2

import engine
from engine import Segmenter
from engine.segment.classical import ClassicalSegmenter
from engine.segment.port import BatchSegmenter
from engine.segment.sam3 import Sam3Options, find_weights, load_sam3
from engine.stream import PhotoStream
from s3palette.settings import Settings

__all__ = ["LoadedEngine", "check_engine", "engine_note", "load_segmenter", "sam3_options"]


def sam3_options(settings: Settings) -> Sam3Options:
    """The settings of SAM 3 as the engine takes them."""
    return Sam3Options(
        weights=settings.sam3_weights,
        bpe=settings.sam3_bpe,
        backend=settings.sam3_backend,
        device=None if settings.sam3_gpus else "cpu",
        compile=settings.sam3_compile,
        threshold=settings.sam3_threshold,
        max_batch=settings.sam3_batch,
    )


def check_engine(settings: Settings) -> None:
    """Find out before anything starts whether this machine can run the engine that is asked for.

    Raises:
        Sam3Unavailable: one sentence that says what to do.
    """
    if settings.segmenter == "sam3":
        find_weights(sam3_options(settings))


def engine_note(settings: Settings) -> str | None:
    """What an operator should know about the choice that was made for them; None: nothing was."""
    if settings.engine == "auto" and settings.segmenter == "classical":
        return "No SAM 3 weights (S3P_SAM3_WEIGHTS): the classical engine segments; it knows fewer concepts."
    return None


def load_segmenter(settings: Settings) -> tuple[Segmenter, BatchSegmenter | None]:
    """The segmenter, loaded and warm, and the same again where it answers in batches.

    Raises:
        Sam3Unavailable: weights, packages or hardware are missing.
    """
    if settings.segmenter == "sam3":
        sam3 = load_sam3(sam3_options(settings))
        return sam3, sam3
    return ClassicalSegmenter(), None


class LoadedEngine:
    """The engine of the settings, loaded and warm, for `settings.engine_inflight` photos side by side.

    With SAM 3 the photos share its batches; the classical engine runs each on a thread. Raises as `load_segmenter`.
    """

    def __init__(self, settings: Settings) -> None:
        self._segmenter, self._batches = load_segmenter(settings)
        self._max_pixels = settings.max_pixels
        workers = settings.engine_inflight if self._batches is None else os.cpu_count()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")
        self._stream = (
            None if self._batches is None else PhotoStream(self._batches, self._threads, max_pixels=settings.max_pixels)
        )
        # Photos run side by side: what a photo has threads for is the cores that are left then, and OpenCV has none.
        engine.set_threads(max(1, engine.usable_cores() // settings.engine_inflight))
        cv2.setNumThreads(1)
        engine.warm_up()

    @property
    def name(self) -> str:
        """Which segmenter answers."""
        return str(self._segmenter.name)

    async def process(self, data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
        """Run one photo. Raises as `engine.process`."""
        if self._stream is not None:
            return await self._stream.process(data, recipe)
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: engine.process(data, recipe, self._segmenter, max_pixels=self._max_pixels)
        )

    async def check(self) -> None:
        """Raises when the GPU cannot be used."""
        if self._batches is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._batches.check)

    def close(self) -> None:
        """Let what runs end; what waits for a thread is dropped."""
        if self._stream is not None:
            self._stream.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
