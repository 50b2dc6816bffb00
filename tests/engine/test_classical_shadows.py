"""Shadows and thrown light beside a drawn box: neither is a part of it, whatever their tint, however far they reach."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.segment.classical import ClassicalSegmenter
from engine.types import Photo, Prompt, Rgb

from ._classical_truth import union

Colour = tuple[int, int, int]
GROUND: Colour = (206, 204, 200)
BOX = np.array([(150, 120), (270, 120), (270, 330), (150, 330)])
LONG = np.array([(262, 330), (262, 300), (430, 130), (470, 130), (330, 330)])
"""A shadow that falls back beside the box, far above its middle."""
NEAR = np.array([(60, 330), (158, 240), (158, 330)])


def scene(body: Colour, *laid: tuple[np.ndarray, Colour]) -> tuple[Rgb, np.ndarray]:
    """(480, 560, 3) a box on paper with soft areas of other light around it, and where the box is."""
    picture = np.full((480, 560, 3), GROUND, np.float32)
    for area, colour in laid:
        soft = cv2.GaussianBlur(cv2.fillPoly(np.zeros((480, 560), np.float32), [area], 1.0), (0, 0), 6)[..., None]
        picture = picture * (1 - soft) + np.array(colour, np.float32) * soft
    box = cv2.fillPoly(np.zeros((480, 560), np.uint8), [BOX], 1) > 0
    side = np.linspace(1.05, 0.9, 560)[None, :, None]
    picture = np.where(box[..., None], np.array(body, np.float32) * side, picture)
    grain = np.random.default_rng(3).normal(0, 1.2, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7) + grain, 0, 255).astype(np.uint8), box


@pytest.mark.parametrize("laid", [
    [(LONG, (150, 148, 146))],
    [(LONG, (150, 140, 124))],
    [(NEAR, (200, 200, 216))],
    [(LONG, (146, 138, 124)), (NEAR, (198, 199, 216))],
], ids=["long shadow", "in warm light", "thrown light", "both"])  # fmt: skip
def test_what_lies_on_the_ground_beside_a_coloured_box_is_none_of_it(laid: list[tuple[np.ndarray, Colour]]) -> None:
    rgb, box = scene((112, 110, 190), *laid)
    segmenter, prompt = ClassicalSegmenter(), Prompt("product", "product", "product")
    (answer,) = segmenter.segment(segmenter.encode_images([Photo(rgb)])[0], [prompt], segmenter.encode_text([prompt]))
    mine = union(answer.instances, box.shape)
    assert (mine & box).sum() > 0.97 * (mine | box).sum()
