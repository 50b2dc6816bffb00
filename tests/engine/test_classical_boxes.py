"""Drawn boxes on paper: shadows and thrown light are none of a box, and a pale one is more than its label."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.types import Rgb

from ._classical_truth import ask, overlap, union

Colour = tuple[int, int, int]
Laid = list[tuple[np.ndarray, Colour]]
PAPER: Colour = (206, 204, 200)
BOX = np.array([(150, 120), (270, 120), (270, 330), (150, 330)])
LONG = np.array([(262, 330), (262, 300), (430, 130), (470, 130), (330, 330)])
"""A shadow that falls back beside the box, far above its middle."""
BEHIND = np.array([(230, 122), (310, 50), (420, 50), (420, 180), (268, 210)])
"""One that is seen above it too."""
NEAR = np.array([(60, 330), (158, 240), (158, 330)])


def scene(body: Colour, ground: Colour, laid: Laid, sides: tuple[float, float] = (1.05, 0.9)) -> tuple[Rgb, np.ndarray]:
    """(480, 560, 3) a box on paper with soft areas of other light around it, and where it is; `sides` are its light."""
    picture = np.full((480, 560, 3), ground, np.float32)
    for area, colour in laid:
        soft = cv2.GaussianBlur(cv2.fillPoly(np.zeros((480, 560), np.float32), [area], 1.0), (0, 0), 6)[..., None]
        picture = picture * (1 - soft) + np.array(colour, np.float32) * soft
    box = cv2.fillPoly(np.zeros((480, 560), np.uint8), [BOX], 1) > 0
    side = np.linspace(*sides, 560)[None, :, None]
    picture = np.where(box[..., None], np.array(body, np.float32) * side, picture)
    grain = np.random.default_rng(3).normal(0, 1.2, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7) + grain, 0, 255).astype(np.uint8), box


@pytest.mark.parametrize(("body", "ground", "laid"), [
    ((112, 110, 190), PAPER, [(LONG, (150, 148, 146))]),
    ((112, 110, 190), PAPER, [(LONG, (150, 140, 124))]),
    ((112, 110, 190), PAPER, [(BEHIND, (150, 148, 146))]),
    ((112, 110, 190), PAPER, [(NEAR, (200, 200, 216))]),
    ((112, 110, 190), PAPER, [(LONG, (146, 138, 124)), (NEAR, (198, 199, 216))]),
    ((44, 40, 42), (130, 196, 170), [(LONG, (112, 170, 148))]),
], ids=["long", "in warm light", "behind", "thrown light", "both", "of a black box"])  # fmt: skip
def test_what_lies_on_the_ground_beside_a_box_is_none_of_it(body: Colour, ground: Colour, laid: Laid) -> None:
    rgb, box = scene(body, ground, laid)
    instances = ask(rgb, "product")["product"].instances
    assert overlap(union(instances, box.shape), box, np.ones_like(box)) > 0.97


@pytest.mark.parametrize("lighter", [2, 4, 6])
def test_a_pale_box_is_found_whole_and_not_its_label_alone(lighter: int) -> None:
    """The label is seen plainly; the box differs from its paper by a trace, and by its outline."""
    paper: Colour = (226, 226, 225)
    rgb, box = scene((226 + lighter, 226 + lighter, 225 + lighter), paper, [], (1.0, 1.0))
    rgb[cv2.polylines(np.zeros(box.shape, np.uint8), [BOX], True, 1, 2) > 0] = (210, 210, 209)
    rgb[190:250, 180:240] = (40, 90, 190)
    (answer,) = ask(cv2.GaussianBlur(rgb, (0, 0), 0.7), "product").values()
    assert overlap(union(answer.instances, box.shape), box, np.ones_like(box)) > 0.9
    assert answer.presence < 0.8
