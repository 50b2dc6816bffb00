"""Strokes of print, cut out of light that a lens has mixed from ink and paper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.colour import to_bytes, to_linear
from engine.segment.classical._strokes import strokes
from engine.types import Mask, Rgb

from ._classical_truth import overlap

FINE = 8
Bits = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


def printed(ink: int, paper: int) -> tuple[Rgb, Bits]:
    """(60, 200, 3) a word in two greys as a lens sees it, and the pixels that are ink for the greater part."""
    word = np.zeros((60 * FINE, 200 * FINE), np.uint8)
    cv2.putText(word, "Harvest", (20 * FINE, 42 * FINE), cv2.FONT_HERSHEY_SIMPLEX, 9.2, 255, 20, cv2.LINE_8)
    share = cv2.resize(word.astype(np.float32) / 255, (200, 60), interpolation=cv2.INTER_AREA)
    light = [float(to_linear(np.full((1, 1, 3), tone, np.uint8))[0, 0, 0]) for tone in (ink, paper)]
    mixed = share * light[0] + (1 - share) * light[1]
    return to_bytes(np.repeat(mixed[..., None], 3, axis=2).astype(np.float32)), share > 0.5


def cut(rgb: Rgb, ink: Bits, within: Mask) -> Bits:
    """The strokes, from seeds that are the letters' cores."""
    block = cv2.morphologyEx(ink.astype(np.uint8) * 255, cv2.MORPH_CLOSE, np.ones((15, 31), np.uint8))
    return strokes(rgb, block, ink.astype(np.uint8) * 255, within) >= 0.5


@pytest.mark.parametrize(("ink", "paper"), [(30, 240), (240, 30), (60, 130), (200, 120)])
def test_dark_and_pale_letters_are_as_thick_as_they_are_printed(ink: int, paper: int) -> None:
    rgb, true = printed(ink, paper)
    mine = cut(rgb, true, np.full(true.shape, 255, np.uint8))
    assert overlap(mine, true, np.ones_like(true)) > 0.85


def test_what_lies_beyond_the_product_is_no_ink_and_says_nothing_about_the_paper() -> None:
    rgb, true = printed(200, 60)
    within = np.full(true.shape, 255, np.uint8)
    edge = int(np.flatnonzero(true.any(axis=0))[0]) - 2
    within[:, :edge] = 0
    rgb[:, :edge] = 250
    mine = cut(rgb, true, within)
    assert not mine[:, :edge].any()
    assert overlap(mine, true, np.ones_like(true)) > 0.85
