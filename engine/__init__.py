"""S3 Palette's engine: photos and resolved recipes in, finished photos out. Usable without Ray and without the rest."""

from engine._threads import set_threads, usable_cores
from engine.apply import warm_up
from engine.errors import BadMask, BadPhoto, EngineError, NeedsModel
from engine.image_io import decode
from engine.pipeline import Measured, measure, process
from engine.segment.classical import ClassicalSegmenter
from engine.segment.given import GivenMasks
from engine.segment.port import Segmenter
from engine.segment.replay import ReplaySegmenter
from engine.types import (
    Action,
    Exemplar,
    Instance,
    Keep,
    Layer,
    Pattern,
    Photo,
    PhotoResult,
    Prompt,
    Quad,
    Recipe,
    Recolor,
    Refinement,
    Remove,
    Segmentation,
    State,
    Texture,
    Tone,
)

__all__ = [
    "Action",
    "BadMask",
    "BadPhoto",
    "ClassicalSegmenter",
    "EngineError",
    "Exemplar",
    "GivenMasks",
    "Instance",
    "Keep",
    "Layer",
    "Measured",
    "NeedsModel",
    "Pattern",
    "Photo",
    "PhotoResult",
    "Prompt",
    "Quad",
    "Recipe",
    "Recolor",
    "Refinement",
    "Remove",
    "ReplaySegmenter",
    "Segmentation",
    "Segmenter",
    "State",
    "Texture",
    "Tone",
    "decode",
    "measure",
    "process",
    "set_threads",
    "usable_cores",
    "warm_up",
]
