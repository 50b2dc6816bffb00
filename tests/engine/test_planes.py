"""Planes from a photo's lines and from a user's rectangle, against rooms drawn with a known camera."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.planes import Facet, facets_of, view_of
from engine.planes._view import FOCAL, View
from engine.types import Mask, Quad, Rgb

SIZE = (480, 640)
Floats = NDArray[np.float64]


def seen(view: View, points: Floats) -> Floats:
    """(n, 2) pixels of (n, 3) points: right, down, ahead of the eye, metres."""
    x, y, z = points.T
    return np.stack([view.middle + view.focal * x / z, view.horizon + view.focal * y / z], axis=1)


def room(view: View) -> Rgb:
    """A room of grey planes with black lines along its two level directions, on floor and ceiling."""
    rgb = np.full((*SIZE, 3), 200, np.uint8)
    right, ahead = view.depth
    for height in (1.5, -1.0):
        for k in np.arange(-6, 7) * 0.6:
            for way, other in (((right, ahead), (ahead, -right)), ((ahead, -right), (right, ahead))):
                at = np.array(
                    [
                        [k * other[0] + s * way[0], height, 3.5 + k * other[1] + s * way[1]]
                        for s in np.linspace(-4, 4, 400)
                    ]
                )
                at = at[(at[:, 2] > 0.5) & (at[:, 2] < 9)]
                if len(at) > 1:
                    line = np.rint(seen(view, at) * 16).astype(np.int32)
                    cv2.polylines(rgb, [line], False, (40, 40, 40), 2, cv2.LINE_AA, 4)
    return rgb


def metres(facet: Facet, pixels: Floats) -> Floats:
    """(n, 2) u, v of (n, 2) pixels."""
    found = np.c_[pixels, np.ones(len(pixels))] @ facet.matrix.T
    assert (found[:, 2] > 0).all()
    return found[:, :2] / found[:, 2:]


def camera(degrees: float, horizon: float = 200.0, focal: float = 560.0) -> View:
    return View(SIZE, horizon, SIZE[1] / 2, focal, float(np.radians(degrees)), True)


@pytest.mark.parametrize("truth", [camera(20), camera(-30, 230), camera(10, 180, 480)], ids=["20", "-30", "10"])
def test_the_camera_is_read_from_a_rooms_lines(truth: View) -> None:
    found = view_of(room(truth))
    assert found.found
    assert found.horizon == pytest.approx(truth.horizon, abs=8)
    assert found.bearing == pytest.approx(truth.bearing, abs=np.radians(2.5))
    assert found.focal == pytest.approx(truth.focal, rel=0.1)


def test_larger_photos_give_the_same_camera() -> None:
    small = room(camera(20))
    one, two = view_of(small), view_of(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
    assert two.horizon == pytest.approx(2 * one.horizon, abs=16)
    assert two.bearing == pytest.approx(one.bearing, abs=np.radians(3))


@pytest.mark.parametrize(
    "rgb", [np.full((480, 640, 3), 128, np.uint8), np.zeros((5, 3, 3), np.uint8)], ids=["plain", "tiny"]
)
def test_a_photo_that_tells_nothing_has_the_default_camera(rgb: Rgb) -> None:
    height, width = rgb.shape[:2]
    assert view_of(rgb) == View((height, width), height / 2, width / 2, FOCAL * max(height, width))


@pytest.mark.parametrize(("surface", "height"), [("floor", 1.5), ("ceiling", -1.0), ("counter", 0.6)])
def test_a_level_plane_has_its_size_and_the_rooms_axes(surface, height: float) -> None:
    view = camera(25)
    right, ahead = view.depth
    origin = np.array([0.2, height, 2.5])
    along, across = np.array([right, 0, ahead]) * 1.3, np.array([ahead, 0, -right]) * 0.7
    pixels = seen(view, np.stack([origin, origin + across, origin + along]))
    (facet,) = facets_of(np.full(SIZE, 255, np.uint8), view, surface, 1.0)
    start, beside, far = metres(facet, pixels)
    assert beside - start == pytest.approx([0.7, 0], abs=1e-9)
    assert far - start == pytest.approx([0, 1.3], abs=1e-9)


def walls(view: View, left: float, back: float) -> tuple[Mask, float]:
    """The mask of a room's left wall and back wall, `left` and `back` metres away, and the column of their corner."""
    right, ahead = view.depth
    side, front = np.array([right, 0, ahead]), np.array([ahead, 0, -right])
    corner = back * side - left * front
    out, near = corner + 6 * front, corner - (back - 0.3) * side
    mask = np.zeros(SIZE, np.uint8)
    for far in (out, near):
        steps = np.linspace(0, 1, 200)[:, None]
        line = corner + steps * (far - corner)
        line = line[line[:, 2] > 0.2]
        low, high = (seen(view, line + np.array([0, y, 0])) for y in (1.5, -1.0))
        cv2.fillPoly(mask, [np.rint(np.concatenate([low, high[::-1]])).astype(np.int32)], 255)
    return mask, float(seen(view, corner[None])[0, 0])


def test_walls_are_told_apart_where_they_meet() -> None:
    view = camera(12, 240)
    mask, corner = walls(view, 1.8, 3.6)
    facets = facets_of(mask, view, "wall", 1.0)
    assert len(facets) == 2
    assert facets[0].last == facets[1].first == pytest.approx(corner, abs=12)
    assert (facets[0].first, facets[1].last) == (-np.inf, np.inf)


def test_a_wall_is_as_far_away_as_its_foot_says() -> None:
    view = camera(12, 240)
    mask, _ = walls(view, 1.8, 3.6)
    back = facets_of(mask, view, "wall", 1.0)[-1]
    right, ahead = view.depth
    on_wall = 3.6 * np.array([right, 0, ahead]) + 0.4 * np.array([ahead, 0, -right])
    steps = np.array([[0, 0, 0], [0, 1.5, 0], [1.2 * ahead, 0, -1.2 * right]])
    pixels = seen(view, on_wall + steps)
    middle, foot, beside = metres(back, pixels)
    assert foot - middle == pytest.approx([0, 1.5], abs=0.08)
    assert foot[1] == pytest.approx(0, abs=0.05)
    assert beside - middle == pytest.approx([1.2, 0], abs=0.08)


def test_a_wall_without_foot_or_head_is_one_plane() -> None:
    (facet,) = facets_of(np.full(SIZE, 255, np.uint8), camera(0, 240), "wall", 1.0)
    start, beside = metres(facet, np.array([[320.0, 240], [320 + 560 / 2.5, 240]]))
    assert beside - start == pytest.approx([1.0, 0])


def test_what_faces_the_camera_has_its_own_length() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[20:60, 50:130] = 255
    (facet,) = facets_of(mask, camera(0), "front", 0.4, at=(10, 20))
    assert metres(facet, np.array([[70.0, 30], [150, 30], [70, 70]])) == pytest.approx(
        np.array([[0, 0], [0.4, 0], [0, 0.2]])
    )


def corners(view: View, points: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((float(x / SIZE[1]), float(y / SIZE[0])) for x, y in seen(view, points))


@pytest.mark.parametrize("told", [True, False], ids=["metres told", "metres unknown"])
def test_a_users_rectangle_is_the_plane(told: bool) -> None:
    """The camera's pitch is 0 and its principal point in the middle, so that sides and scale can be worked out."""
    view = camera(0, 240)
    turn = np.radians(35)
    u, v = np.array([np.cos(turn), 0, -np.sin(turn)]), np.array([np.sin(turn), 0, np.cos(turn)])
    start = np.array([-0.8, 1.5, 3.0])
    marked = corners(view, np.stack([start, start + 2 * u, start + 2 * u + 1.2 * v, start + 1.2 * v]))
    quad = Quad("Floor", marked, (2.0, 1.2) if told else None)
    (facet,) = facets_of(np.full(SIZE, 255, np.uint8), view, "floor", 1.0, quad)
    found = metres(facet, seen(view, np.stack([start + 0.5 * u, start + 0.5 * v, start + 2 * u + 1.2 * v])))
    assert found == pytest.approx(np.array([[0.5, 0], [0, 0.5], [2, 1.2]]), rel=0.02, abs=0.01)


def test_a_rectangle_that_faces_the_camera_keeps_its_shape() -> None:
    quad = Quad("Body", ((0.3, 0.3), (0.6, 0.3), (0.6, 0.5), (0.3, 0.5)))
    (facet,) = facets_of(np.full(SIZE, 255, np.uint8), camera(0), "front", 1.0, quad)
    u, v = metres(facet, np.array([[0.6 * 640, 0.5 * 480]]))[0]
    assert u / v == pytest.approx(0.3 * 640 / (0.2 * 480), rel=1e-4)
