"""The segmenter that needs no weights: OpenCV on at most 0.3 MP."""

from engine.segment.classical.segmenter import ClassicalSegmenter

__all__ = ["ClassicalSegmenter"]
