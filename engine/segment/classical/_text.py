"""Printed text: the strokes of a line, or the whole label that it stands on."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.segment.classical._features import Features
from engine.segment.classical._lines import Line
from engine.segment.classical._masks import Found, fill_holes, instance, ordered, soften
from engine.segment.classical._product import Cut
from engine.segment.classical._strokes import fine_copy, label_patch, strokes
from engine.types import Instance, Mask, Rgb

__all__ = ["SURE", "find_text", "letter_mask"]

SURE = 0.5
"""Confidence of a line of print: grain, stitches and leaves make short even rows too, and score up to 0.45."""
_HELD = 0.98  # of a line's strokes, that a label holds: the shaded side of a label may be missing in it


def find_text(features: Features, cut: Cut, lines: Sequence[Line]) -> Found:
    """One instance a line of print: its strokes alone; or, where the lines stand on a label, one for the whole label.

    Args:
        features: of the photo.
        cut: what `product_mask` gave; says whether the ground under the letters is the product's own surface.
        lines: what `read_lines` gave, the surest first.
    """
    fine: Rgb | None = None
    product = np.where((cut.mask > 0.5) | (cut.confidence <= 0), np.uint8(255), np.uint8(0))
    printed_on = fill_holes(product, int((product > 0).sum()))
    found: list[Instance] = []
    labels: list[Mask] = []
    for line in lines:
        if line.confidence < SURE:
            break
        block, seeds = line.block(features.shape), line.strokes(features.shape)
        if not any((label[block > 0] > 0).mean() > 0.5 for label in labels):  # else a further line of a label
            patch = label_patch(features, cut, block, seeds)
            if patch is not None:
                labels.append(patch)
                found.append(instance(soften(patch, 1.0), line.confidence, features.size))
        if any((label[seeds > 0] > 0).mean() > _HELD for label in labels):
            continue
        fine = fine_copy(features) if fine is None else fine
        mask = strokes(fine, block, seeds, printed_on)
        if (mask >= 0.5).any():
            found.append(instance(mask, line.confidence, features.size))
    if not found:
        return 0.0, ()
    return max(i.score for i in found), ordered(found)


def letter_mask(features: Features, lines: Sequence[Line]) -> Mask:
    """(h, w) the strokes of all letters found, for finders that must not take print for something else."""
    mask = np.zeros(features.shape, np.uint8)
    for line in lines:
        mask |= line.strokes(features.shape)
    grown: Mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return grown
