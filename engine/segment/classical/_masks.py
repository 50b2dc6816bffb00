"""Small mask tools that every finder uses."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FloatMask, Instance, Mask

__all__ = ["Found", "binary", "components", "disc", "fill_holes", "instance", "ordered", "soften", "spread"]

Found = tuple[float, tuple[Instance, ...]]
"""Presence and instances, as every finder returns them; (p, ()) says that nothing was found."""


def binary(mask: FloatMask, shape: tuple[int, int]) -> Mask:
    """A probability mask of any size at (h, w), 0 or 255."""
    sized = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.where(sized >= 0.5, np.uint8(255), np.uint8(0))


def disc(radius: int) -> NDArray[np.uint8]:
    """A round structuring element."""
    round_: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return round_


def fill_holes(mask: Mask, largest: int) -> Mask:
    """Close holes of at most `largest` pixels; mask (h, w) uint8, 0 or 255."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(mask), connectivity=4)
    small = np.zeros(count, bool)
    small[1:] = stats[1:, cv2.CC_STAT_AREA] <= largest
    return np.where(small[labels], np.uint8(255), mask)


def components(mask: Mask, smallest: int) -> list[Mask]:
    """The connected parts of at least `smallest` pixels, largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = [k for k in np.argsort(-areas, kind="stable") if areas[k] >= smallest] if count > 1 else []
    return [np.where(labels == k + 1, np.uint8(255), np.uint8(0)) for k in order]


def soften(mask: Mask, sigma: float = 0.8) -> FloatMask:
    """A binary mask as probability, with a soft edge of about 2 * sigma pixels."""
    soft: FloatMask = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), sigma)
    return soft


def spread(seed: Mask, allowed: Mask) -> Mask:
    """Seed, and every part of `allowed` that touches it."""
    labels = cv2.connectedComponents(allowed, connectivity=4)[1]
    touched = np.unique(labels[cv2.dilate(seed, np.ones((3, 3), np.uint8)) > 0])
    return np.where(np.isin(labels, touched[touched > 0]), np.uint8(255), seed)


def instance(mask: FloatMask, score: float, size: tuple[int, int]) -> Instance:
    """Wrap a probability mask (h, w); `size` is the photo's (height, width)."""
    ys, xs = np.nonzero(mask >= 0.5)
    scale_y, scale_x = size[0] / mask.shape[0], size[1] / mask.shape[1]
    box = (
        float(xs.min() * scale_x), float(ys.min() * scale_y),
        float((xs.max() + 1) * scale_x), float((ys.max() + 1) * scale_y),
    ) if len(xs) else (0.0, 0.0, 0.0, 0.0)  # fmt: skip
    return Instance(score=float(np.clip(score, 0.0, 1.0)), box=box, mask=mask)


def ordered(instances: list[Instance]) -> tuple[Instance, ...]:
    """By falling score, then top, then left: the order the port promises."""
    return tuple(sorted(instances, key=lambda i: (-i.score, i.box[1], i.box[0])))
