"""Rooms the classical finders were not tuned on: other cameras in the demo's rooms, and the demo's photos changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.segment.classical import ClassicalSegmenter
from engine.types import Photo, Prompt, Segmentation

HERE = Path(__file__).parent
PHOTOS = HERE.parents[1] / "s3palette" / "demo" / "photos"
SURFACES = {"ceiling": (3,), "wall": (1,), "floor": (2, 10)}
SCENES = HERE.parents[1] / "bench" / "truth" / "pictures"
UNDECIDED = (0, 8, 9)  # a tiled wall is a wall to some and a backsplash to others

Image8 = NDArray[np.uint8]


def as_jpeg(rgb: Image8) -> Image8:
    """The photo after a messenger's compression."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


CHANGES: dict[str, tuple[Callable[[Image8], Image8], Callable[[Image8], Image8]]] = {
    "none": (lambda rgb: rgb, lambda truth: truth),
    "mirrored": (lambda rgb: rgb[:, ::-1].copy(), lambda truth: truth[:, ::-1]),
    "half": (
        lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda truth: truth[::2, ::2],
    ),
    "jpeg": (as_jpeg, lambda truth: truth),
}


@cache
def read(name: str, change: str) -> tuple[dict[str, Segmentation], Image8]:
    """All surfaces of one photo, and its truth."""
    rgb, truth = scene(name) if (SCENES / name).exists() else demo(name)
    of_photo, of_truth = CHANGES[change]
    segmenter = ClassicalSegmenter()
    prompts = [Prompt(surface, surface, surface) for surface in SURFACES]
    (features,) = segmenter.encode_images([Photo(of_photo(rgb))])
    found = segmenter.segment(features, prompts, segmenter.encode_text(prompts))
    return dict(zip(SURFACES, found, strict=True)), of_truth(truth)


def scene(name: str) -> tuple[Image8, Image8]:
    """A room of the truth set, and its classes by the demo's numbers."""
    labels = np.asarray(Image.open(SCENES / name / "labels.png"))
    truth = np.where(labels == 9, 10, np.where(labels == 17, 9, labels)).astype(np.uint8)
    return np.asarray(Image.open(SCENES / name / "base.webp").convert("RGB")), truth


def demo(name: str) -> tuple[Image8, Image8]:
    """A room of the demo, photographed for it or for this test."""
    held_out = (HERE / "held_out" / f"{name}.jpg").exists()
    folders = (HERE / "held_out", HERE / "held_out") if held_out else (PHOTOS, HERE / "truth")
    rgb = np.asarray(Image.open(folders[0] / f"{name}.jpg").convert("RGB"))
    return rgb, np.asarray(Image.open(folders[1] / f"{name}.png"))


@pytest.mark.parametrize(("name", "change", "least"), [
    ("living_b", "none", {"ceiling": 0.97, "wall": 0.78, "floor": 0.80}),
    ("kitchen_b", "none", {"ceiling": 0.95, "wall": 0.88, "floor": 0.85}),
    ("bedroom_b", "none", {"ceiling": 0.97, "wall": 0.94, "floor": 0.91}),
    ("study", "none", {"ceiling": 0.97, "wall": 0.82, "floor": 0.95}),
    ("galley", "none", {"floor": 0.88}),
    ("hall", "none", {"ceiling": 0.96, "wall": 0.88, "floor": 0.76}),
    ("loft", "none", {"ceiling": 0.97, "wall": 0.86}),
    ("living", "mirrored", {"ceiling": 0.92, "wall": 0.72, "floor": 0.68}),
    ("bedroom", "mirrored", {"ceiling": 0.89, "wall": 0.87}),
    pytest.param("bedroom", "mirrored", {"floor": 0.85}, marks=pytest.mark.xfail(
        reason="mirrored, another of the room's colours is taken for the floor's", strict=True)),
    ("kitchen", "half", {"ceiling": 0.95, "wall": 0.90, "floor": 0.85}),
    ("living", "jpeg", {"ceiling": 0.93, "wall": 0.80, "floor": 0.70}),
    ("kitchen", "jpeg", {"ceiling": 0.94, "wall": 0.90, "floor": 0.87}),
])  # fmt: skip
def test_surfaces_of_rooms_never_tuned_on(name: str, change: str, least: dict[str, float]) -> None:
    found, truth = read(name, change)
    decided = ~np.isin(truth, UNDECIDED)
    for surface, floor in least.items():
        masks = [i.mask for i in found[surface].instances]
        assert masks, f"{surface} was not found"
        mine = cv2.resize(np.max(masks, axis=0), truth.shape[::-1]) >= 0.5
        theirs = np.isin(truth, SURFACES[surface])
        overlap = float((mine & theirs & decided).sum() / ((mine | theirs) & decided).sum())
        assert overlap >= floor, f"{surface}: {overlap:.3f}"


def test_no_ceiling_is_guessed_where_it_has_the_walls_paint() -> None:
    """White on white: only the floor's border is seen."""
    found, _ = read("galley", "none")
    assert {surface: found[surface].status for surface in SURFACES} == {
        "ceiling": "absent", "wall": "absent", "floor": "found",
    }  # fmt: skip


def test_the_ceiling_ends_in_straight_lines() -> None:
    """Between its corners the border of the kitchen's ceiling leaves a straight line by at most 1.5 working pixels."""
    found, _ = read("kitchen", "none")
    mask = found["ceiling"].instances[0].mask >= 0.5
    columns = np.arange(int(0.25 * mask.shape[1]), int(0.4 * mask.shape[1]))
    rows = mask.shape[0] - mask[::-1, columns].argmax(axis=0)
    fit = np.polyval(np.polyfit(columns, rows, 1), columns)
    assert np.abs(rows - fit).max() <= 1.5


def test_surfaces_do_not_overlap() -> None:
    found, _ = read("living", "none")
    masks = [found[surface].instances[0].mask >= 0.5 for surface in SURFACES]
    shared = np.sum(masks, axis=0) > 1
    assert shared.mean() < 0.002
