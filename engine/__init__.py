"""S3 Palette's engine: photos and resolved recipes in, finished photos out. Usable without Ray and without the rest."""

from engine.errors import BadPhoto, EngineError, NeedsModel, NotSupported
from engine.image_io import decode
from engine.pipeline import process
from engine.segment.port import Segmenter
from engine.types import (
    Action,
    Exemplar,
    Instance,
    Layer,
    Photo,
    PhotoResult,
    Prompt,
    Recipe,
    Recolor,
    Remove,
    Segmentation,
    Texture,
    Tone,
)

__all__ = [
    "Action",
    "BadPhoto",
    "EngineError",
    "Exemplar",
    "Instance",
    "Layer",
    "NeedsModel",
    "NotSupported",
    "Photo",
    "PhotoResult",
    "Prompt",
    "Recipe",
    "Recolor",
    "Remove",
    "Segmentation",
    "Segmenter",
    "Texture",
    "Tone",
    "decode",
    "process",
]
