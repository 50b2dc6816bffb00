"""What the demo's rooms are built of: walls, windows, doors; and how a picture is taken of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import mitsuba as mi
import numpy as np
from _demo_parts import Grid, Image8, Stage, lathe, plate, rounded_box, soft_noise, tube

__all__ = [
    "METAL",
    "REVEAL",
    "WHITE",
    "Camera",
    "Hole",
    "View",
    "door",
    "lamp_glow",
    "outdoors",
    "paint",
    "picture",
    "shell",
    "skirting",
    "wall",
    "window",
]

WHITE = (236, 234, 230)
METAL = (150, 148, 145)
REVEAL = 0.14
"""Depth of a window's opening in the wall, m."""


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from; the camera is level, `shift` moves the horizon by that part of the height."""

    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float
    shift: float = 0.0


@dataclass(frozen=True)
class View:
    """One demo photo: how to build it, from where it is seen and how it is developed."""

    build: Callable[[Stage], None]
    camera: Camera
    exposure: float
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    extra: tuple[dict[str, object], ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Hole:
    """An opening in a wall, in wall coordinates."""

    x0: float
    x1: float
    z0: float
    z1: float


def wall(
    stage: Stage,
    start: Sequence[float],
    end: Sequence[float],
    height: float,
    paint: Image8,
    hole: Hole | None = None,
    *,
    rough: float = 0.9,
    specular: float = 0.15,
) -> None:
    """A painted wall from `start` to `end` (x, y) with an opening; inside is on the left hand of start -> end."""
    a, b = np.array([*start, 0.0]), np.array([*end, 0.0])
    length = float(np.linalg.norm(b - a))
    along = (b - a) / length
    cuts = [(0.0, length, 0.0, height)]
    if hole is not None:
        cuts = [
            (0.0, hole.x0, 0.0, height),
            (hole.x1, length, 0.0, height),
            (hole.x0, hole.x1, 0.0, hole.z0),
            (hole.x0, hole.x1, hole.z1, height),
        ]
    for x0, x1, z0, z1 in cuts:
        if x1 > x0 and z1 > z0:
            part = plate(a + along * x0 + (0, 0, z0), along * (x1 - x0), (0, 0, z1 - z0))
            stage.add("wall", part, paint, rough=rough, specular=specular)


def paint(tone: Sequence[int], seed: int) -> Image8:
    """Rolled wall paint: almost even."""
    cloud = 1 + 0.025 * (soft_noise(256, 256, 60, seed) - 0.5) + 0.02 * (soft_noise(256, 256, 2, seed + 1) - 0.5)
    return np.clip(np.asarray(tone) * cloud[..., None], 0, 255).astype(np.uint8)


def shell(
    stage: Stage,
    width: float,
    depth: float,
    height: float,
    paints: Sequence[Image8],
    hole: Hole | None,
    back_hole: Hole | None = None,
    fill: Sequence[float] = (3.0, 3.0, 3.0),
) -> None:
    """Four walls and a ceiling; `fill` is the light of a second window behind the camera."""
    wall(stage, (0, 0), (0, depth), height, paints[0], hole)
    wall(stage, (0, depth), (width, depth), height, paints[1], back_hole)
    wall(stage, (width, depth), (width, 0), height, paints[2])
    wall(stage, (width, 0), (0, 0), height, paints[0])
    second = plate((width * 0.2, 0.05, 1.0), (0, 0, 1.2), (width * 0.6, 0, 0))
    stage.add("lamp", second, (0, 0, 0), emit={"type": "rgb", "value": [float(v) for v in fill]})
    stage.add(
        "ceiling",
        plate((0, 0, height), (0, depth, 0), (width, 0, 0)),
        paint((240, 239, 235), 9),
        rough=0.95,
        specular=0.1,
    )


def skirting(stage: Stage, start: tuple[float, float], end: tuple[float, float], tone: Sequence[int] = WHITE) -> None:
    """A moulded board along a wall."""
    (x0, y0), (x1, y1) = start, end
    length, turn = float(np.hypot(x1 - x0, y1 - y0)), float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))
    board = rounded_box((length, 0.028, 0.10), 0.008)
    stage.add("molding", board.moved((x0 + x1) / 2, (y0 + y1) / 2, 0, turn), tone, rough=0.35)


def window(
    stage: Stage,
    hole: Hole,
    light: float,
    scene: Image8,
    at: float = 0.0,
    back: bool = False,
    beyond: float = 0.75,
    sides: str = "wall",
) -> None:
    """A two-leaf window in the left wall (x = at), or in the back wall (y = at), with a bright view `beyond` m behind.

    A view in the opening itself (REVEAL) has no parallax, but no light of it is lost on the wall's outside either.
    The white `sides` of the opening are a class of their own where the wall's paint is changed.
    """
    width, height = hole.x1 - hole.x0, hole.z1 - hole.z0

    def put(kind: str, form: Grid, colour: Sequence[int]) -> None:
        if back:
            stage.add(kind, form.moved(hole.x0, at, 0), colour, rough=0.3)
        else:
            stage.add(kind, form.moved(0, 0, 0, 90).moved(at, hole.x0, 0), colour, rough=0.3)

    bar = 0.055
    for x in (0.0, width / 2, width):
        put(
            "window",
            rounded_box((bar * (1.6 if x == width / 2 else 1), 0.06, height), 0.008).moved(x, 0.06, hole.z0),
            WHITE,
        )
    for z in (hole.z0, hole.z1 - bar):
        put("window", rounded_box((width, 0.06, bar), 0.008).moved(width / 2, 0.06, z), WHITE)
    put("window", rounded_box((width + 0.12, 0.24, 0.035), 0.01).moved(width / 2, 0.0, hole.z0 - 0.035), WHITE)
    put("window", rounded_box((0.02, 0.03, 0.12), 0.008).moved(width / 2, 0.02, hole.z0 + height * 0.45), METAL)
    for x in (0.0, width):
        put(
            sides,
            plate((x, REVEAL if x else 0, hole.z0), (0, -REVEAL if x else REVEAL, 0), (0, 0, height)),
            WHITE,
        )
    put(sides, plate((0, 0, hole.z1), (width, 0, 0), (0, REVEAL, 0)), WHITE)
    side, low, tall = (0.9, 0.7, 1.3) if beyond > REVEAL else (0.0, 0.0, 0.0)
    sky = plate((-side, beyond, hole.z0 - low), (width + 2 * side, 0, 0), (0, 0, height + tall))
    placed = sky.moved(hole.x0, at, 0) if back else sky.moved(0, 0, 0, 90).moved(at, hole.x0, 0)
    view = (scene.astype(np.float32) / 255) ** 2.2 * light
    emit = {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(view[::-1])), "raw": True}
    stage.add("window", placed, (0, 0, 0), emit=emit)


def outdoors(sky: Sequence[int], ground: Sequence[int], leaf: Sequence[int], seed: int) -> Image8:
    """What is seen through a window: out of focus sky, trees, ground. Top row first."""
    height, width = 300, 400
    y = np.linspace(0, 1, height)[:, None, None]
    canvas = np.asarray(sky) * (1 - 0.15 * y) * np.ones((1, width, 1))
    crown = 0.62 * soft_noise(height, width, 60, seed) + 0.38 * soft_noise(height, width, 14, seed + 1)
    trees = crown > 1.05 - 0.75 * y[..., 0]
    shade = 0.55 + 0.75 * soft_noise(height, width, 10, seed + 2)
    canvas = np.where(trees[..., None], np.asarray(leaf) * shade[..., None], canvas)
    canvas = np.where(y > 0.86, np.asarray(ground), canvas)
    return np.clip(cv2.GaussianBlur(canvas, (0, 0), 3), 0, 255).astype(np.uint8)


def door(stage: Stage, x: float, y: float, turn: float, tone: Sequence[int], handle_left: bool = True) -> None:
    """A panelled door of 0.85 x 2.05 m with its frame, hung before a wall; faces -y before it is turned."""

    def put(kind: str, form: Grid, colour: Sequence[int], rough: float = 0.35, metallic: float = 0.0) -> None:
        stage.add(kind, form.moved(x, y, 0, turn), colour, rough=rough, metallic=metallic)

    put("door", rounded_box((0.85, 0.03, 2.04), 0.006).moved(0, 0, 0.01), tone)
    for z, high in ((0.16, 0.72), (1.02, 0.86)):
        for side in (-1, 1):
            put("door", rounded_box((0.28, 0.016, high), 0.007).moved(side * 0.185, -0.018, z), tone)
    for side in (-1, 1):
        put("molding", rounded_box((0.075, 0.055, 2.13), 0.012).moved(side * 0.465, -0.005, 0), WHITE)
    put("molding", rounded_box((1.005, 0.055, 0.075), 0.012).moved(0, -0.005, 2.06), WHITE)
    side = -1 if handle_left else 1
    bar = np.stack([np.linspace(0, -side * 0.12, 12), np.full(12, -0.07), np.full(12, 1.02)], axis=1)
    put("other", tube(bar, 0.009).moved(side * 0.365, 0, 0), METAL, 0.25, 1.0)
    put(
        "other",
        lathe([(0, 0), (0.026, 0), (0.026, 0.012), (0, 0.012)]).tilted(90).moved(side * 0.365, -0.012, 1.02),
        METAL,
        0.25,
        1.0,
    )


def lamp_glow(power: float, tint: Sequence[float] = (1.0, 0.72, 0.42)) -> dict[str, object]:
    return {"type": "rgb", "value": [power * t for t in tint]}


def picture(stage: Stage, x: float, y: float, z: float, size: tuple[float, float], seed: int) -> None:
    """A framed abstract print on a wall facing -y."""
    art = np.full((300, 240, 3), 232.0)
    rng = np.random.default_rng(seed)
    for colour in ((196, 120, 84), (62, 84, 92), (214, 178, 120)):
        blob = soft_noise(300, 240, 110, int(rng.integers(999))) > 0.58
        art[blob] = colour
    art = cv2.GaussianBlur(art, (0, 0), 1.2)
    art[:26], art[-26:], art[:, :26], art[:, -26:] = 238, 238, 238, 238
    stage.add("other", rounded_box((size[0], 0.025, size[1]), 0.004).moved(x, y, z), (58, 46, 38), rough=0.4)
    stage.add(
        "other",
        plate((x - size[0] / 2 + 0.02, y - 0.014, z + 0.02), (size[0] - 0.04, 0, 0), (0, 0, size[1] - 0.04)),
        art.astype(np.uint8),
        rough=0.5,
    )
