"""SAM 3 behind the Segmenter port. Importing this package does not import torch; `load_sam3` does."""

from engine.segment.sam3.errors import Sam3Unavailable
from engine.segment.sam3.load import load_sam3
from engine.segment.sam3.options import Backend, Compile, Sam3Options
from engine.segment.sam3.weights import Weights, find_weights

__all__ = ["Backend", "Compile", "Sam3Options", "Sam3Unavailable", "Weights", "find_weights", "load_sam3"]
