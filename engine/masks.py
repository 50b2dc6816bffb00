"""From a segmenter's coarse instance maps to one label map at photo size.

A segmenter answers at its own resolution (288² for SAM 3: one of its pixels is 14 of a 12 MP photo). Its edge is
moved to the photo's edge by a guided filter, but never by more than one of the segmenter's own pixels, and parts
narrower than three of them are left as they are: a window filter would swallow grout lines and frames. Memory is
bounded: full-size floats exist for a strip of rows only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from engine._tiles import strips
from engine.guided import guided_coefficients
from engine.types import FloatMask, Instance, LabelMap, Mask, Photo

__all__ = ["binary", "label_map"]

_EPS: Final = 4e-4  # (0.02)²: texture below 2 % contrast is flat, a wall's edge against a ceiling is not
_TRUST: Final = np.float32(0.3)  # weight of the segmenter's own opinion: weak look-alikes near its edge stay out
_SUBSAMPLE: Final = 4
_CROSS: Final = np.ones((3, 3), np.uint8)


def binary(labels: LabelMap) -> Mask:
    """(H, W) uint8, 0 or 255: the pixels of any instance."""
    return np.where(labels > 0, np.uint8(255), np.uint8(0))


def label_map(photo: Photo, instances: Sequence[Instance]) -> LabelMap:
    """Label map of one concept at photo size: k where `instances[k - 1]` is, 0 elsewhere.

    Where instances overlap the higher score has the pixel (of equal scores the earlier instance). A mask that has the
    photo's size already is thresholded at 0.5 and nothing else.

    Raises:
        ValueError: more than 65535 instances, or a mask that is not two-dimensional or has no pixels.
    """
    if len(instances) > np.iinfo(np.uint16).max:
        raise ValueError(f"{len(instances)} instances do not fit a 16-bit label map")
    labels: LabelMap = np.zeros(photo.size, np.uint16)
    order = sorted(range(len(instances)), key=lambda k: (-instances[k].score, k))
    for k in order:
        mask = instances[k].mask
        if mask.ndim != 2 or mask.size == 0:
            raise ValueError(f"instance {k + 1} has a mask of shape {mask.shape}; (h, w) is needed")
        for rows, inside in _full_size(photo, mask):
            part = labels[rows]
            part[inside & (part == 0)] = k + 1
    return labels


def _full_size(photo: Photo, prob: FloatMask) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
    """Strips of the binary mask at photo size, where it may have pixels."""
    height, width = photo.size
    if prob.shape == photo.size:
        yield slice(0, height), prob >= 0.5
        return
    if prob.shape[0] > height or prob.shape[1] > width:
        yield slice(0, height), cv2.resize(prob, (width, height), interpolation=cv2.INTER_AREA) >= 0.5
        return
    rows = np.flatnonzero((prob >= 0.5).any(axis=1))
    if rows.size == 0:
        return
    step = height / prob.shape[0]
    first = max(0, int((rows[0] - 2) * step))
    last = min(height, int(np.ceil((rows[-1] + 3) * step)))
    low, high = _bounds(prob)
    a, b = _edge_model(photo, prob)
    for y0, y1 in strips(first, last):
        guide = cv2.cvtColor(photo.rgb[y0:y1], cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        refined = _rows(a, y0, y1, photo.size) * guide + _rows(b, y0, y1, photo.size)
        refined += _TRUST * (_rows(prob, y0, y1, photo.size) - np.float32(0.5))
        refined = np.clip(refined, _rows(low, y0, y1, photo.size), _rows(high, y0, y1, photo.size))
        yield slice(y0, y1), refined >= 0.5


def _bounds(prob: FloatMask) -> tuple[FloatMask, FloatMask]:
    """Lowest and highest value the refined map may have: one segmenter pixel's move of the edge, none at thin parts."""
    inside = (prob >= 0.5).astype(np.uint8)
    thin = inside > cv2.morphologyEx(inside, cv2.MORPH_OPEN, _CROSS)
    gap = inside < cv2.morphologyEx(inside, cv2.MORPH_CLOSE, _CROSS)
    kept = cv2.dilate((thin | gap).astype(np.uint8), _CROSS) > 0
    low = np.where(kept, prob, cv2.erode(prob, _CROSS))
    high = np.where(kept, prob, cv2.dilate(prob, _CROSS))
    return low, high


def _edge_model(photo: Photo, prob: FloatMask) -> tuple[FloatMask, FloatMask]:
    """Guided-filter coefficients of the map against the photo's gray values, on a subsampled grid."""
    height, width = photo.size
    step = max(height / prob.shape[0], width / prob.shape[1])
    every = min(_SUBSAMPLE, max(1, round(step / 2)))
    size = (max(1, width // every), max(1, height // every))
    guide = cv2.cvtColor(cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    values = cv2.resize(prob, size, interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(2 * step / every))
    return guided_coefficients(guide.astype(np.float32) / 255, values, radius, _EPS)


def _rows(small: FloatMask, y0: int, y1: int, size: tuple[int, int]) -> FloatMask:
    """Rows y0..y1-1 of `small` enlarged bilinearly to `size`: what cv2.resize gives, without the other rows."""
    height, width = size
    at = (np.arange(y0, y1) + 0.5) * (small.shape[0] / height) - 0.5
    at = np.clip(at, 0, small.shape[0] - 1)
    upper = np.floor(at).astype(np.intp)
    lower = np.minimum(upper + 1, small.shape[0] - 1)
    share = (at - upper).astype(np.float32)[:, None]
    rows = small[upper] * (1 - share) + small[lower] * share
    enlarged: FloatMask = cv2.resize(rows, (width, y1 - y0), interpolation=cv2.INTER_LINEAR)
    return enlarged
