"""Products by number, built from what `_products_drawn.py` draws: boxes, tins, bottles, mugs, vases, books, cases.

They are not kept: they tell whether what was tuned on a few products holds elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from _demo_house import METAL, Camera, paint
from _demo_parts import Grid, Image8, Stage, lathe, plate, rounded_box, tube
from _demo_products import softbox, sweep
from _look import Look, Set, Tone
from _products import printed, skin
from _products_drawn import FINISHES, Drawn, Print, draw
from numpy.typing import NDArray

__all__ = ["product"]

_PER_METRE = 5000
"""Pixels of a printed surface's texture."""
_LETTER = 0.62
"""Mean width of a letter in its size."""
_PROUD = 0.0005
"""Metres that a printed front and a label stand before what is behind them."""
_SHOWN = 0.3
"""Of a turned thing's circumference, what print may cover."""
_WALL = 0.4
"""Metres from the product to the wall behind its table."""
_BODIES: dict[str, list[tuple[float, float]]] = {
    "tin": [(0, 0.01), (0.49, 0.01), (0.5, 0.03), (0.5, 0.86), (0.495, 0.87)],
    "bottle": [(0, 0), (0.46, 0), (0.5, 0.02), (0.5, 0.6), (0.49, 0.66), (0.3, 0.76), (0.18, 0.8), (0.18, 0.88)],
    "mug": [(0, 0), (0.4, 0), (0.46, 0.04), (0.5, 0.14), (0.5, 0.9), (0.495, 1.0)],
    "vase": [
        (0, 0), (0.28, 0), (0.32, 0.02), (0.48, 0.28), (0.5, 0.45), (0.4, 0.7), (0.2, 0.85), (0.19, 0.92), (0.26, 1.0),
        (0.24, 1.0), (0.17, 0.92), (0.18, 0.85), (0, 0.5),
    ],
}  # fmt: skip
"""Radius and height of what is turned, in widths and heights of the product, from the foot up."""
_FRONT = {"tin": (0.06, 0.84), "bottle": (0.06, 0.6), "mug": (0.15, 0.9), "vase": (0.3, 0.6)}
"""Where their front begins and ends, in heights of the product."""


def product(seed: int) -> tuple[Set, dict[str, Any]]:
    """A product and its entry for scenes.toml: its body is to be repainted."""
    drawn = draw(seed)
    entry = {"half": "held_out", "kind": "product", "curve": drawn.curve, "surfaces": {"body": drawn.finish}}
    camera = Camera(drawn.eye, drawn.target, drawn.angle)
    return Set(partial(_build, drawn, seed), camera, None, drawn.balance, seed=seed, bright=drawn.bright), entry


def _build(drawn: Drawn, seed: int, stage: Stage, look: Look) -> None:
    if len(drawn.grounds) == 1:
        sweep(stage, drawn.grounds[0])
    else:
        table, wall = (paint(tone, seed + k) for k, tone in enumerate(drawn.grounds))
        stage.add("background", plate((-2, -1.4, 0), (4, 0, 0), (0, 1.4 + _WALL, 0)), table, rough=0.5)
        stage.add("background", plate((-2, _WALL, 0), (4, 0, 0), (0, 0, 2.4)), wall, rough=0.9, specular=0.1)
    for lamp in drawn.lamps:
        softbox(stage, lamp.place, lamp.side, lamp.power)
    tone = look.tone("body", drawn.tone)
    if drawn.form in _BODIES:
        _turned(stage, drawn, tone, seed)
    else:
        _boxed(stage, drawn, tone, seed)


def _turned(stage: Stage, drawn: Drawn, tone: Tone, seed: int) -> None:
    """What a lathe makes: its print runs around it."""
    wide, _, high = drawn.size
    low, top = _FRONT[drawn.form]
    coat = skin(tone, (round(high * _PER_METRE), round(np.pi * wide * _PER_METRE)), seed)
    ink = None
    if drawn.label is not None and drawn.label.paper is None:
        ink = _printed(coat, drawn.label, (1 - top, 1 - low), _SHOWN)
    profile = [(r * wide, z * high) for r, z in _BODIES[drawn.form]]
    stage.add("body", lathe(profile, 256).moved(0, 0, 0, 180 + drawn.turn), coat, marks=ink, **FINISHES[drawn.finish])
    if drawn.label is not None and drawn.label.paper is not None:
        across, up = drawn.label.cover
        half, middle, size = _SHOWN * across / 2, (low + top) / 2 * high, (top - low) * up * high
        sticker = _sticker(wide / 2 + _PROUD, (middle - size / 2, middle + size / 2), half).moved(0, 0, 0, drawn.turn)
        _paper(stage, drawn.label, sticker, (2 * half * np.pi * wide, size), seed)
    if drawn.form == "mug":
        lining = [(0.497, 0.99), (0.5, 1.0), (0.47, 1.01), (0.45, 0.98), (0.44, 0.1), (0, 0.07)]
        stage.add("parts", lathe([(r * wide, z * high) for r, z in lining], 200), drawn.second, rough=0.2, coat=0.6)
        bend = np.linspace(-np.pi / 2 - 0.25, np.pi / 2 + 0.25, 60)
        path = np.stack([(0.46 + 0.35 * np.cos(bend)) * wide, 0 * bend, (0.52 + 0.3 * np.sin(bend)) * high], axis=1)
        handle = tube(path, 0.07 * wide, 0.72).moved(0, 0, 0, drawn.turn - 15)
        stage.add("body", handle, tone, **FINISHES[drawn.finish])
    if drawn.form == "tin":
        lid = [(0.503, 0.86), (0.51, 0.87), (0.51, 0.98), (0.49, 1.0), (0, 1.005)]
        stage.add("parts", lathe([(r * wide, z * high) for r, z in lid], 200), **_second(drawn))
    if drawn.form == "bottle":
        cap = [(0, 0.86), (0.21, 0.86), (0.215, 0.87), (0.215, 0.99), (0.2, 1.0), (0, 1.0)]
        stage.add("parts", lathe([(r * wide, z * high) for r, z in cap], 160), **_second(drawn))


def _boxed(stage: Stage, drawn: Drawn, tone: Tone, seed: int) -> None:
    """What has a flat front: its print is on a plate of the same coat before it, or on a label."""
    wide, deep, high = drawn.size
    finish, turn = FINISHES[drawn.finish], drawn.turn
    coat = skin(tone, (400, 400), seed)
    radius = 0.003 if drawn.form != "case" else 0.016
    stage.add("body", rounded_box((wide, deep, high), radius).moved(0, 0, 0, turn), coat, **finish)
    if drawn.form == "shoebox":
        lid = rounded_box((wide + 0.008, deep + 0.008, 0.3 * high), 0.002).moved(0, 0, 0.72 * high, turn)
        stage.add("body", lid, coat, **finish)
    if drawn.form == "book":
        pages = rounded_box((wide - 0.002, 0.76 * deep, high + 0.002), 0.001).moved(0.0025, 0, -0.001)
        stage.add("parts", pages.moved(0, 0, 0.001, turn), (232, 226, 210), rough=0.9)
    if drawn.form == "case":
        bend = np.linspace(0, np.pi, 60)
        path = np.stack([0.25 * wide * np.cos(bend), 0 * bend, 0.98 * high + 0.3 * high * np.sin(bend) ** 0.7], axis=1)
        stage.add("parts", tube(path, 0.03 * wide).moved(0, 0, 0, turn), **_second(drawn))
    label = drawn.label
    if label is None:
        return
    sides, low, top = 0.06 * wide + radius, 0.1 * high + radius, (0.68 if drawn.form == "shoebox" else 0.94) * high
    size = label.cover[0] * (wide - 2 * sides), label.cover[1] * (top - radius - low)
    foot = (low + top - radius - size[1]) / 2
    front = plate((-size[0] / 2, -deep / 2 - _PROUD, foot), (size[0], 0, 0), (0, 0, size[1])).moved(0, 0, 0, turn)
    if label.paper is not None:
        _paper(stage, label, front, size, seed)
        return
    face = skin(tone, (round(size[1] * _PER_METRE), round(size[0] * _PER_METRE)), seed)
    stage.add("body", front, face, marks=_printed(face, label, (0, 1), 0.9), **finish)


def _paper(stage: Stage, label: Print, form: Grid, size: tuple[float, float], seed: int) -> None:
    """A label of (width, height) metres with its print."""
    assert label.paper is not None
    face = skin(label.paper, (round(size[1] * _PER_METRE), round(size[0] * _PER_METRE)), seed)
    stage.add("parts", form, face, rough=0.7, specular=0.3, marks=_printed(face, label, (0, 1), 0.88))


def _printed(face: Image8, label: Print, rows: tuple[float, float], room: float) -> tuple[str, NDArray[np.bool_]]:
    """Print the label's lines between two rows (parts of the height), no wider than `room` of the width."""
    high, wide = face.shape[:2]
    share = rows[1] - rows[0]
    sizes = [min(label.size * share * part, room * wide / (_LETTER * len(words) * high)) for words, part in label.lines]
    free = share - 1.3 * sum(sizes)
    at, lines = rows[0] + max(0.0, free) / 2, []
    for (words, _), size in zip(label.lines, sizes, strict=True):
        lines.append((words, at, size))
        at += 1.3 * size
    return printed(face, lines, label.ink)


def _sticker(radius: float, rows: tuple[float, float], half: float) -> Grid:
    """The part of a sleeve that faces the camera: `half` of its circumference to either side, at heights in metres."""
    around = 512
    ((points, normals, uv),) = lathe([(radius, z) for z in rows], around, 0).moved(0, 0, 0, 180).sheets
    kept = slice(round((0.5 - half) * around), round((0.5 + half) * around) + 1)
    across = uv[:, kept].copy()
    across[..., 0] = np.linspace(0, 1, across.shape[1])
    return Grid(((points[:, kept], normals[:, kept], across),))


def _second(drawn: Drawn) -> dict[str, Any]:
    """Coat of a lid, a cap or a handle."""
    tone: Sequence[int] = METAL if drawn.metal else drawn.second
    return {"colour": tone, "rough": 0.3, "metallic": float(drawn.metal)}
