"""Photos of any size and number for benchmarks, made of the demo's interior album: the same bytes at every run."""

from __future__ import annotations

from pathlib import Path

import _path  # noqa: F401
import cv2
import numpy as np

from s3palette.demo.albums import ALBUMS

__all__ = ["INTERIOR", "album", "enlarged"]

INTERIOR = ALBUMS[0]
_QUALITY = 92
_GRAIN = 3.0
"""Standard deviation of the grain, in levels: enlarged, a photo has no noise of its own, and would encode too fast."""


def album(count: int, megapixels: float) -> list[bytes]:
    """`count` JPEG files of about that many megapixels, 4:3, no two alike: the demo's rooms resized, every other one
    mirrored, each with its own grain."""
    return [enlarged(INTERIOR.photos[k % len(INTERIOR.photos)], k, megapixels) for k in range(count)]


def enlarged(path: Path, number: int, megapixels: float) -> bytes:
    """A photo as the `number`th of an album."""
    source = cv2.imread(str(path), cv2.IMREAD_COLOR)
    height = round((megapixels * 0.75e6) ** 0.5)
    size = (height * 4 // 3, height)
    shrinks = size[0] < source.shape[1]
    image = cv2.resize(source, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    if number % 2:
        image = cv2.flip(image, 1)
    grain = np.random.default_rng(number).normal(0, _GRAIN, image.shape[:2]).astype(np.float32)
    grained = np.clip(image + grain[..., None] + 0.5, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", grained, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
