"""Two rooms to tune on: a study in evening sun, a narrow kitchen with lacquered fronts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from _demo_house import METAL, WHITE, Camera, Hole, lamp_glow, outdoors, paint, picture, skirting, wall, window
from _demo_parts import Image8, Stage, fabric, lathe, planks, plate, rounded_box, tiles, tube
from _look import Look, Set
from _patterns import spread

__all__ = ["ROOMS", "floor", "sun", "walls"]


def walls(
    stage: Stage,
    size: tuple[float, float, float],
    tone: Sequence[int],
    holes: Sequence[Hole | None],
    *,
    rough: float = 0.9,
    specular: float = 0.15,
) -> None:
    """Left, back, right and front wall of one paint with an opening each, and a white ceiling; size in metres."""
    width, depth, high = size
    skin = paint(tone, 61)
    corners = ((0.0, 0.0), (0.0, depth), (width, depth), (width, 0.0), (0.0, 0.0))
    for start, end, hole in zip(corners[:-1], corners[1:], holes, strict=True):
        wall(stage, start, end, high, skin, hole, rough=rough, specular=specular)
    top = plate((0, 0, high), (0, depth, 0), (width, 0, 0))
    stage.add("ceiling", top, paint((240, 239, 235), 9), rough=0.95, specular=0.1)


def floor(
    stage: Stage, look: Look, size: tuple[float, float], usual: Image8, rough: float, joints: Image8 | None = None
) -> None:
    """The floor over size = (x, y) metres: `usual` or the look's pattern. Its joints are `grout`."""
    skin = usual if look.floor is None else spread(look.floor, size)
    marks = None if joints is None or look.floor is not None else ("grout", joints[::-1].copy())
    form = plate((0, 0, 0), (size[0], 0, 0), (0, size[1], 0))
    stage.add("floor", form, skin[::-1].copy() if look.floor is None else skin, rough=rough, specular=0.5, marks=marks)


def sun(stage: Stage, direction: Sequence[float], power: Sequence[float]) -> None:
    """Parallel light: its shadows have hard edges. `power` is its irradiance by channel."""
    stage.shapes["sun"] = {
        "type": "directional",
        "direction": [float(v) for v in direction],
        "irradiance": {"type": "rgb", "value": [float(v) for v in power]},
    }


def _legs(stage: Stage, kind: str, places: Sequence[tuple[float, float]], high: float, radius: float) -> None:
    for x, y in places:
        rod = lathe([(0, 0), (radius, 0), (radius * 1.3, high), (0, high)], 24).moved(x, y, 0)
        stage.add(kind, rod, (40, 38, 36), rough=0.35)


def study(stage: Stage, look: Look) -> None:
    """Walnut boards and a clay-coloured wall; sky from the left, low sun through a barred opening, a desk lamp."""
    width, depth, high = 4.2, 4.0, 2.6
    view, slit = Hole(1.5, 2.8, 0.85, 2.2), Hole(2.35, 3.55, 0.9, 2.25)
    walls(stage, (width, depth, high), look.tone("wall", (172, 160, 144)), (view, None, slit, None))
    usual = planks((width, depth), look.tone("floor", (92, 64, 46)), 41, 360, 0.13)
    floor(stage, look, (width, depth), usual, 0.28)
    window(stage, view, 8.0, outdoors((222, 236, 250), (150, 150, 130), (96, 120, 84), 14), sides="molding")
    sun(stage, (-0.52, 0.8, -0.13), (4.8, 3.6, 2.2))
    for y in (0.85, 1.25):
        stage.add("other", rounded_box((0.05, 0.05, 1.4), 0.004).moved(width + 0.02, y, 0.88), WHITE)
    stage.add("other", rounded_box((0.05, 1.3, 0.05), 0.004).moved(width + 0.02, 1.05, 1.55), WHITE)
    back = plate((0.6, 0.06, 1.2), (0, 0, 1.0), (3.0, 0, 0))
    stage.add("lamp", back, (0, 0, 0), emit={"type": "rgb", "value": [2.2, 2.35, 2.6]})
    for start, end in (((0.014, 0), (0.014, depth)), ((0, depth - 0.014), (width, depth - 0.014))):
        skirting(stage, start, end)
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0))
    oak = planks((1.4, 0.7), (186, 148, 104), 9, 400, 0.2)
    stage.add("other", rounded_box((1.4, 0.62, 0.034), 0.008).moved(1.25, depth - 0.34, 0.71), oak, rough=0.35)
    _legs(stage, "other", [(0.62, 3.42), (1.88, 3.42), (0.62, 3.9), (1.88, 3.9)], 0.71, 0.014)
    stage.add("other", lathe([(0, 0), (0.08, 0), (0.08, 0.015), (0, 0.016)]).moved(0.85, 3.72, 0.745), METAL, rough=0.3)
    arm = np.stack([0.22 * np.linspace(0, 1, 20) ** 2, np.zeros(20), 0.44 * np.linspace(0, 1, 20)], axis=1)
    stage.add("other", tube(arm, 0.007).moved(0.85, 3.72, 0.76), METAL, rough=0.3, metallic=0.8)
    shade = lathe([(0.11, 0), (0.03, 0.14)]).moved(1.08, 3.72, 1.12)
    stage.add("other", shade, (224, 190, 120), rough=0.6)
    bulb = lathe([(0, 0), (0.03, 0.02), (0.036, 0.05), (0.02, 0.08), (0, 0.085)]).moved(1.08, 3.72, 1.13)
    stage.add("other", bulb, (0, 0, 0), emit=lamp_glow(36))
    for k, tone in enumerate(((150, 52, 44), (44, 78, 96), (206, 176, 112), (70, 84, 62))):
        book = rounded_box((0.034, 0.15, 0.21 + 0.012 * (k % 3)), 0.003).moved(1.55 + 0.042 * k, 3.8, 0.745)
        stage.add("other", book, tone, rough=0.55)
    stage.add("other", rounded_box((0.3, 0.21, 0.012), 0.004).moved(1.3, 3.58, 0.745), (60, 62, 66), rough=0.3)
    stage.add("other", rounded_box((0.42, 0.42, 0.04), 0.012).moved(1.35, 3.0, 0.44), (62, 70, 66), rough=0.7)
    _legs(stage, "other", [(1.17, 2.82), (1.53, 2.82), (1.17, 3.18), (1.53, 3.18)], 0.44, 0.011)
    for x in (1.17, 1.26, 1.35, 1.44, 1.53):
        rod = lathe([(0, 0), (0.008, 0), (0.008, 0.42), (0, 0.42)], 16).moved(x, 2.82, 0.47)
        stage.add("other", rod, (40, 38, 36), rough=0.4)
    stage.add("other", rounded_box((0.42, 0.025, 0.09), 0.008).moved(1.35, 2.82, 0.86), (40, 38, 36), rough=0.4)
    picture(stage, 3.3, depth - 0.016, 1.45, (0.55, 0.75), 8)
    pot = [(0, 0), (0.13, 0), (0.19, 0.14), (0.17, 0.33), (0.12, 0.4), (0.11, 0.4), (0.1, 0.3), (0, 0.3)]
    if not look.bare:
        stage.add("extra", lathe(pot).moved(2.75, 3.2, 0), (206, 198, 184), rough=0.5)
    for k in range(7):
        t = np.linspace(0, 1, 20)
        lean = 0.22 * np.array([np.cos(2.4 * k), np.sin(2.4 * k)])
        twig = np.stack([lean[0] * t**1.6, lean[1] * t**1.6, (0.7 + 0.08 * (k % 3)) * t], axis=1)
        stage.add("other", tube(twig, 0.0045, around=8).moved(3.75, 3.5, 0.0), (96, 74, 50), rough=0.8)
    stage.add(
        "other", lathe([(0, 0), (0.07, 0), (0.1, 0.2), (0.05, 0.36), (0.045, 0.36)]).moved(3.75, 3.5, 0), (70, 92, 90)
    )


def galley(stage: Stage, look: Look) -> None:
    """Lacquered green fronts, a white wall, clay tiles; a grey window at the end and warm spots in the ceiling."""
    width, depth, high = 3.3, 3.8, 2.5
    hole = Hole(1.75, 2.75, 1.15, 2.1)
    walls(stage, (width, depth, high), look.tone("wall", (230, 226, 216)), (None, hole, None, None))
    usual, joints = tiles((width, depth), (0.2, 0.2), (176, 112, 84), (150, 136, 122), 23, 0.006, 400)
    floor(stage, look, (width, depth), usual, 0.6, joints)
    window(
        stage,
        hole,
        7.0,
        outdoors((226, 232, 240), (160, 160, 150), (120, 130, 116), 5),
        at=depth,
        back=True,
        sides="molding",
    )
    back = plate((0.5, 0.06, 1.1), (0, 0, 1.1), (2.3, 0, 0))
    stage.add("lamp", back, (0, 0, 0), emit={"type": "rgb", "value": [3.0, 3.2, 3.5]})
    front = look.tone("cabinet", (42, 74, 60))

    def lacquer(size: tuple[float, float, float], x: float, y: float, z: float) -> None:
        stage.add("cabinet", rounded_box(size, 0.004).moved(x, y, z), front, rough=0.14, specular=0.5, coat=0.6)

    lacquer((0.56, depth - 0.62, 0.76), 0.29, (depth - 0.62) / 2, 0.1)
    lacquer((width, 0.56, 0.76), width / 2, depth - 0.29, 0.1)
    for k in range(5):
        lacquer((0.022, 0.588, 0.75), 0.582, 0.3 + 0.6 * k, 0.105)
        stage.add(
            "other",
            rounded_box((0.02, 0.2, 0.014), 0.004).moved(0.605, 0.3 + 0.6 * k, 0.8),
            METAL,
            rough=0.3,
            metallic=1.0,
        )
    for k in range(4):
        lacquer((0.62, 0.022, 0.75), 0.95 + 0.64 * k, depth - 0.582, 0.105)
        stage.add(
            "other",
            rounded_box((0.2, 0.02, 0.014), 0.004).moved(0.95 + 0.64 * k, depth - 0.605, 0.8),
            METAL,
            rough=0.3,
            metallic=1.0,
        )
    for k in range(3):
        lacquer((0.34, 0.594, 0.7), 0.17, 0.9 + 0.6 * k, 1.55)
    slab = paint((196, 192, 184), 6)
    stage.add("other", rounded_box((0.62, depth, 0.036), 0.006).moved(0.31, depth / 2, 0.86), slab, rough=0.25)
    stage.add("other", rounded_box((width, 0.62, 0.036), 0.006).moved(width / 2, depth - 0.31, 0.862), slab, rough=0.25)
    face, lines = tiles((1.6, 0.56), (0.1, 0.1), (236, 234, 228), (186, 182, 174), 5, 0.004, 600)
    splash = plate((0.05, depth - 0.008, 0.9), (1.6, 0, 0), (0, 0, 0.56))
    stage.add("tile", splash, face[::-1].copy(), rough=0.12, marks=("tile_joint", lines[::-1].copy()))
    side, marks = tiles((2.4, 0.56), (0.1, 0.1), (236, 234, 228), (186, 182, 174), 6, 0.004, 600)
    along = plate((0.008, 1.35, 0.9), (0, 2.4, 0), (0, 0, 0.56))
    stage.add("tile", along, side[::-1].copy(), rough=0.12, marks=("tile_joint", marks[::-1].copy()))
    kettle = [(0, 0), (0.085, 0), (0.09, 0.02), (0.075, 0.13), (0.05, 0.16), (0.015, 0.165), (0.015, 0.185), (0, 0.187)]
    stage.add("other", lathe(kettle).moved(0.3, 2.3, 0.896), (176, 60, 44), rough=0.15, coat=0.8)
    for x, tone in ((1.1, (214, 196, 160)), (1.24, (120, 86, 60)), (1.4, (224, 220, 210))):
        jar = lathe([(0, 0), (0.05, 0), (0.055, 0.14), (0.04, 0.17), (0, 0.172)]).moved(x, depth - 0.2, 0.898)
        stage.add("other", jar, tone, rough=0.3)
    neck = np.linspace(0, np.pi * 0.9, 24)
    bow = np.stack([0.09 * np.cos(neck), 0 * neck, 0.24 + 0.09 * np.sin(neck)], axis=1)
    bow = np.concatenate([[(0.09, 0, z) for z in np.linspace(0, 0.23, 8)], bow])
    stage.add(
        "other", tube(bow, 0.012).moved(0, 0, 0, -90).moved(2.25, depth - 0.18, 0.9), METAL, rough=0.15, metallic=1.0
    )
    if not look.bare:
        seat = lathe([(0, 0), (0.165, 0), (0.17, 0.03), (0, 0.035)]).moved(1.75, 2.55, 0.6)
        stage.add("extra", seat, (214, 170, 70), rough=0.4)
        for turn in (45, 135, 225, 315):
            leg = rounded_box((0.028, 0.028, 0.62), 0.006).tilted(-8).moved(0, -0.15, 0, turn).moved(1.75, 2.55, 0)
            stage.add("extra", leg, (214, 170, 70), rough=0.4)
    for x, y in ((1.3, 1.2), (1.3, 2.5), (2.5, 1.9)):
        stage.add("other", lathe([(0, 0), (0.055, 0), (0.055, 0.02), (0, 0.02)]).moved(x, y, high - 0.02), WHITE)
        disc = lathe([(0, 0), (0.042, 0)], smooth=0).moved(x, y, high - 0.021)
        stage.add("other", disc, (255, 250, 240), emit=lamp_glow(240, (1.0, 0.74, 0.46)))
    towel = fabric((196, 84, 66), 4)
    stage.add("other", rounded_box((0.02, 0.3, 0.42), 0.008).moved(0.62, 1.5, 0.36), towel, rough=0.95, specular=0.05)
    skirting(stage, (width - 0.014, depth - 0.6), (width - 0.014, 0))
    stage.add("other", rounded_box((0.03, 0.6, 0.8), 0.004).moved(width - 0.02, 2.4, 1.3), (70, 52, 40), rough=0.4)
    art = paint((206, 214, 206), 12)
    stage.add("other", plate((width - 0.037, 2.67, 1.34), (0, -0.54, 0), (0, 0, 0.72)), art, rough=0.6)


ROOMS = {
    "study": Set(
        study, Camera((2.55, 0.2, 1.4), (1.75, 4.0, 1.4), 70, 0.09), 1.5, (1.0, 1.0, 1.06), (0.9, 1.7, 3.3, 3.3), 101
    ),
    "galley": Set(
        galley, Camera((2.35, 0.15, 1.5), (1.5, 3.8, 1.3), 72, 0.05), 0.8, (0.96, 1.0, 1.1), (0.8, 1.6, 2.9, 3.0), 102
    ),
}
