"""Rooms by number: another size, paint, floor, furniture, light and camera for every seed, the same for the same one.

They are not kept and nobody looks at them one by one: they tell whether what was tuned on eight scenes holds elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from _chance import one
from _demo_house import REVEAL, WHITE, Camera, Hole, door, lamp_glow, outdoors, picture, skirting, window
from _demo_parts import Stage, fabric, lathe, pillow, planks, plate, rounded_box, tiles
from _look import Look, Set, Tone
from _patterns import concrete
from _rooms import floor, walls

__all__ = ["room"]


_WALLS: list[Tone] = [
    (236, 233, 226), (226, 219, 206), (206, 204, 200), (178, 188, 166), (44, 58, 84), (214, 180, 170), (196, 180, 150),
    (152, 168, 182), (58, 78, 66), (150, 140, 130), (224, 214, 190), (120, 130, 140), (190, 146, 72),
]  # fmt: skip
_CLOTH: list[Tone] = [
    (112, 118, 122), (58, 60, 66), (206, 192, 170), (150, 60, 50), (60, 84, 96), (90, 104, 78), (226, 222, 214),
]  # fmt: skip
_WOOD: list[Tone] = [(176, 132, 88), (92, 64, 46), (206, 184, 150), (150, 140, 128), (196, 158, 112)]
_TILES: list[tuple[Tone, Tone]] = [
    ((206, 200, 190), (118, 112, 104)), ((176, 112, 84), (150, 136, 122)), ((92, 92, 94), (140, 138, 134)),
]  # fmt: skip
_LEG: Tone = (40, 38, 36)


def room(seed: int) -> tuple[Set, dict[str, Any]]:
    """A room and its entry for scenes.toml: `wall`, and `sofa` where it has one, are to be repainted."""
    rng = np.random.default_rng((seed, 1))
    width, depth, _ = _size(np.random.default_rng(seed))
    eye = float(rng.choice([1.2, 1.4, 1.6, 2.1]))
    tilt = 0.0 if rng.random() < 0.5 else rng.uniform(-0.7, 0.15) * (2.0 if eye > 2 else 1.0)
    eyes, target = (width * rng.uniform(0.2, 0.8), rng.uniform(0.12, 0.5), eye), (width * rng.uniform(0.3, 0.7), depth)
    shift = rng.uniform(0.03, 0.1) if tilt == 0 else 0.0
    camera = Camera(eyes, (*target, eye + tilt), rng.uniform(58, 84), shift)
    balance = rng.uniform(0.93, 1.07), 1.0, rng.uniform(0.93, 1.1)
    entry = {
        "half": "held_out",
        "kind": "room",
        "curve": "film" if rng.random() < 0.3 else "srgb",
        "mirrored": bool(rng.random() < 0.4),
        "surfaces": {"wall": "matte"} | ({"sofa": "matte"} if _kind(seed) in ("living", "bed") else {}),
    }
    return Set(partial(_build, seed), camera, None, balance, seed=seed), entry


def _build(seed: int, stage: Stage, look: Look) -> None:
    rng = np.random.default_rng(seed)
    size = width, depth, high = _size(rng)
    side = ("left", "left", "right", "back")[rng.integers(4)]
    at, half = rng.uniform(0.45, 0.7) * (width if side == "back" else depth), rng.uniform(0.4, 0.75)
    hole = Hole(at - half, at + half, rng.uniform(0.75, 1.0), rng.uniform(2.0, high - 0.2))
    tone = look.tone("wall", one(rng, _WALLS))
    holes = [hole if side == name else None for name in ("left", "back", "right", "front")]
    walls(stage, size, tone, holes)
    _light(stage, rng, size, hole, side)
    _ground(stage, look, rng, (width, depth))
    edge = WHITE if rng.random() < 0.6 else _LEG
    for start, end in (((0.014, 0), (0.014, depth)), ((0, depth - 0.014), (width, depth - 0.014))):
        skirting(stage, start, end, edge)
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0), edge)
    if side != "back" and rng.random() < 0.6:
        picture(stage, rng.uniform(0.3, 0.6) * width, depth - 0.016, 1.4, (rng.uniform(0.5, 1.0), 0.6), seed)
    if side != "back" and rng.random() < 0.35:
        door(stage, 0.82 * width, depth - 0.02, 0, one(rng, [(222, 218, 208), *_WOOD]))
    cloth = fabric(look.tone("sofa", one(rng, _CLOTH)), seed)
    {"living": _living, "bed": _bed, "kitchen": _kitchen, "table": _table}.get(_kind(seed), _nothing)(
        stage, rng, size, cloth
    )
    if rng.random() < 0.4:
        pot = lathe([(0, 0), (0.13, 0), (0.17, 0.3), (0.155, 0.3), (0.12, 0.26), (0, 0.26)])
        stage.add("other", pot.moved(0.35, depth - 0.4, 0), (206, 198, 184))


def _size(rng: np.random.Generator) -> tuple[float, float, float]:
    return rng.uniform(2.8, 5.2), rng.uniform(3.4, 5.6), rng.uniform(2.35, 3.0)


def _kind(seed: int) -> str:
    return ("living", "living", "bed", "kitchen", "table", "empty")[np.random.default_rng((seed, 2)).integers(6)]


def _light(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], hole: Hole, side: str) -> None:
    """Window, what the rest of the house lends through the front wall, perhaps a lamp."""
    width, depth, _ = size
    power, view = rng.uniform(6, 10), outdoors((222, 236, 250), (150, 150, 130), (96, 120, 84), int(rng.integers(50)))
    if side == "right":  # walls run on counter-clockwise, the window's own place is in a left or back wall
        pane = plate((width + 0.1, depth - hole.x0, hole.z0), (0, hole.x0 - hole.x1, 0), (0, 0, hole.z1 - hole.z0))
        stage.add("window", pane, (0, 0, 0), emit=lamp_glow(power, (0.8, 0.86, 0.95)))
        for x in (hole.x0, hole.x1):
            jamb = plate((width, depth - x, hole.z0), (REVEAL, 0, 0), (0, 0, hole.z1 - hole.z0))
            stage.add("molding", jamb, WHITE)
    else:
        window(stage, hole, power, view, depth if side == "back" else 0.0, side == "back", REVEAL, "molding")
    back = plate((width * 0.2, 0.05, 1.0), (0, 0, 1.2), (width * 0.6, 0, 0))
    stage.add("lamp", back, (0, 0, 0), emit=lamp_glow(rng.uniform(2.5, 4.5), (0.95, 1.0, 1.06)))
    if rng.random() < 0.4:
        bulb = lathe([(0, 0), (0.03, 0.02), (0.036, 0.05), (0.02, 0.08), (0, 0.085)])
        place = rng.uniform(0.25, width - 0.25), depth - rng.uniform(0.15, 1.0), rng.uniform(0.9, 1.9)
        glow = lamp_glow(rng.uniform(15, 60), (1.0, rng.uniform(0.6, 0.85), rng.uniform(0.3, 0.7)))
        stage.add("other", bulb.moved(*place), (0, 0, 0), emit=glow)


def _ground(stage: Stage, look: Look, rng: np.random.Generator, size: tuple[float, float]) -> None:
    kind, rough, seed = rng.integers(4), rng.uniform(0.12, 0.6), int(rng.integers(1000))
    if kind < 2:
        floor(stage, look, size, planks(size, one(rng, _WOOD), seed, 360, rng.uniform(0.09, 0.2)), rough)
    elif kind == 2:
        (tone, joint), side = one(rng, _TILES), one(rng, [0.2, 0.3, 0.45, 0.6])
        skin, joints = tiles(size, (side, side), tone, joint, seed, rng.uniform(0.004, 0.008))
        floor(stage, look, size, skin, rough, joints)
    else:
        slab = np.tile(concrete((132, 130, 126), seed), (5, 5, 1))
        floor(stage, look, size, np.ascontiguousarray(slab[: round(size[1] * 400), : round(size[0] * 400)]), rough)


def _living(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], cloth: Any) -> None:
    long = rng.uniform(1.5, 2.3)
    x, y = rng.uniform(long / 2 + 0.1, size[0] - long / 2 - 0.1), size[1] - 0.5
    arms = [((0.2, 0.9, 0.5), s * long / 2, 0.0, 0.1) for s in (-1, 1)]
    seats = [((long / 2 - 0.12, 0.7, 0.17), s * long / 4, -0.05, 0.38) for s in (-1, 1)]
    for form, right, back, up in (((long, 0.86, 0.28), 0, 0, 0.12), ((long, 0.22, 0.64), 0, 0.36, 0.14), *arms, *seats):
        box = rounded_box(form, 0.05).moved(x + right, y + back, up)
        stage.add("sofa", box, cloth, repeat=3, rough=0.95, specular=0.1)
    _desk(stage, (0.9, 0.5, 0.36), x, y - 1.1, one(rng, _WOOD))


def _bed(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], cloth: Any) -> None:
    x, y = rng.uniform(1.1, size[0] - 1.1), size[1] - 1.1
    stage.add("other", rounded_box((1.7, 2.1, 0.26), 0.04).moved(x, y, 0.08), one(rng, _WOOD))
    stage.add("sofa", rounded_box((1.62, 2.02, 0.26), 0.09).moved(x, y, 0.32), cloth, repeat=3, rough=0.95)
    for s in (-0.42, 0.42):
        soft = pillow(0.66, 0.46, 0.2, 3).tilted(35).moved(x + s, size[1] - 0.45, 0.56)
        stage.add("other", soft, (230, 224, 214), rough=0.95)


def _kitchen(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], cloth: Any) -> None:
    front, count = one(rng, [(42, 74, 60), (232, 230, 224), (120, 130, 140), (60, 60, 64)]), int(size[0] / 0.6)
    for k in range(count):
        box = rounded_box((0.592, 0.56, 0.76), 0.004).moved(0.3 + 0.6 * k, size[1] - 0.29, 0.1)
        stage.add("cabinet", box, front, rough=0.3)
    top = rounded_box((count * 0.6, 0.62, 0.04), 0.006).moved(count * 0.3, size[1] - 0.3, 0.86)
    stage.add("other", top, (206, 202, 196), rough=0.3)


def _table(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], cloth: Any) -> None:
    x, y = size[0] * rng.uniform(0.35, 0.65), rng.uniform(2.0, size[1] - 1.0)
    _desk(stage, (1.5, 0.85, 0.72), x, y, one(rng, _WOOD))
    for right, back in ((-0.4, -0.65), (0.4, -0.65), (-0.4, 0.65), (0.4, 0.65)):
        stage.add("other", rounded_box((0.42, 0.42, 0.04), 0.01).moved(x + right, y + back, 0.44), cloth, repeat=2)
        stage.add("other", rounded_box((0.42, 0.03, 0.45), 0.01).moved(x + right, y + 1.3 * back, 0.46), _LEG)


def _nothing(stage: Stage, rng: np.random.Generator, size: tuple[float, float, float], cloth: Any) -> None:
    """An empty room."""


def _desk(stage: Stage, size: tuple[float, float, float], x: float, y: float, tone: Sequence[int]) -> None:
    """A top of width and depth on four legs of a height."""
    stage.add("other", rounded_box((size[0], size[1], 0.04), 0.008).moved(x, y, size[2]), tone, rough=0.4)
    for right in (-0.45, 0.45):
        for back in (-0.42, 0.42):
            leg = rounded_box((0.04, 0.04, size[2]), 0.006).moved(x + right * size[0], y + back * size[1], 0)
            stage.add("other", leg, _LEG)
