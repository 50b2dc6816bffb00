"""Where one cannot know: pictures of no room, and rooms whose floor is not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from engine.segment.classical._features import encode
from engine.segment.classical._layout import read_room
from engine.segment.classical._priors import find_priors
from engine.segment.classical._regions import make_regions
from engine.types import Photo, Rgb
from engine.vanishing import find_vanishing

from ._classical_truth import ask

SURFACES = ("ceiling", "wall", "floor")
WALL = 1


@pytest.mark.parametrize("name", ["rocket", "astronaut", "chelsea", "coffee", "page", "brick", "gravel"])
@pytest.mark.parametrize(("left", "right"), [(0.0, 1.0), (0.0, 0.7), (0.3, 1.0)])
def test_what_is_no_room_has_no_surfaces(name: str, left: float, right: float) -> None:
    photo = getattr(data, name)()
    width = photo.shape[1]
    cut = photo[:, int(left * width) : int(right * width)]
    rgb = cut.copy() if cut.ndim == 3 else np.dstack([cut] * 3)
    answers = ask(rgb, *SURFACES)
    assert {surface: answer.status for surface, answer in answers.items()} == dict.fromkeys(SURFACES, "absent")


def carpeted() -> Rgb:
    """(480, 640, 3) a room with a carpet of the walls' own paint, and a row of cupboards where it begins."""
    rows, columns = np.mgrid[0:480, 0:640]
    rgb = np.full((480, 640, 3), (176.0, 160.0, 140.0))
    rgb[rows < 130 - np.maximum(np.maximum(190 - columns, columns - 470), 0) * 0.79] = (232, 231, 228)
    rgb[280:380] = (70, 60, 90)
    return np.clip(rgb + np.random.default_rng(2).normal(0, 1.5, rgb.shape), 0, 255).astype(np.uint8)


def test_a_carpet_of_the_walls_paint_is_no_wall_where_the_floor_is_not_seen() -> None:
    """The wall goes on behind furniture only as far as one knows that it is a wall."""
    features = encode(Photo(carpeted()))
    h, w = features.shape
    view = find_vanishing(features.lines, features.shape)
    assert view is not None
    box = replace(read_room(features, view), floor=np.full(w, h, np.float32), floor_support=0.0, board=None)
    parts = np.where(np.arange(h)[:, None] < box.ceiling[None], 0, 2).astype(np.int32)
    regions = make_regions(features, parts)
    wall = find_priors(features, regions, box, parts).classes[:, WALL]
    centre = regions.centre[:, 0]
    assert wall[(centre > 0.35) & (centre < 0.55)].min() > 0.5
    assert wall[centre > 0.85].max() < 0.2
