"""From settings to a segmenter: the one place that knows both."""

from __future__ import annotations

from engine import Segmenter
from engine.segment.classical import ClassicalSegmenter
from engine.segment.port import BatchSegmenter
from engine.segment.sam3 import Sam3Options, find_weights, load_sam3
from s3palette.settings import Settings

__all__ = ["check_engine", "engine_note", "load_segmenter", "sam3_options"]


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
