"""Product shots of the demo: one mug in three colour options under three lamps, and a labelled bottle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from _demo_house import Camera, View
from _demo_parts import Grid, Image8, Stage, fabric, lathe, plate, print_lines, rounded_box, soft_noise, tube

__all__ = ["PRODUCTS", "softbox", "sweep"]


def sweep(stage: Stage, tone: Sequence[int]) -> None:
    """Studio paper: flat in front, bending up behind the product."""
    y = np.concatenate(
        [np.linspace(-1.2, 0.45, 10), 0.45 + 0.5 * np.sin(np.linspace(0.05, np.pi / 2, 30)), np.full(8, 0.95)]
    )
    z = np.concatenate([np.zeros(10), 0.5 - 0.5 * np.cos(np.linspace(0.05, np.pi / 2, 30)), np.linspace(0.55, 2.2, 8)])
    x = np.linspace(-2.0, 2.0, 3)
    points = np.stack(
        [np.broadcast_to(x, (48, 3)), np.broadcast_to(y[:, None], (48, 3)), np.broadcast_to(z[:, None], (48, 3))], 2
    )
    normal = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    v, u = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 1, 3), indexing="ij")
    paper = np.clip(np.asarray(tone) * (1 + 0.015 * (soft_noise(256, 256, 3, 1) - 0.5))[..., None], 0, 255).astype(
        np.uint8
    )
    stage.add("background", Grid(((points, normal, np.stack([u, v], 2)),)), paper, rough=0.95, specular=0.05)


def softbox(stage: Stage, place: Sequence[float], size: float, power: Sequence[float]) -> None:
    """A square lamp that looks at the product."""
    at = np.asarray(place, dtype=float)
    look = np.array([0, 0, 0.08]) - at
    look /= np.linalg.norm(look)
    side = np.cross(look, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, look)
    corner = at - side * size / 2 - up * size / 2
    stage.add(
        "lamp",
        plate(corner, up * size, side * size),
        (0, 0, 0),
        emit={"type": "rgb", "value": [float(p) for p in power]},
    )


def _glaze(tone: Sequence[int], seed: int) -> Image8:
    cloud = 1 + 0.04 * (soft_noise(700, 1800, 120, seed) - 0.5) + 0.015 * (soft_noise(700, 1800, 5, seed + 1) - 0.5)
    return np.clip(np.asarray(tone) * cloud[..., None], 0, 255).astype(np.uint8)


def _mug(stage: Stage, tone: Sequence[int], ink: Sequence[int]) -> None:
    """A stoneware mug, 8.6 cm across and 9.6 cm high, with two printed lines."""
    skin = _glaze(tone, 3)
    boxes = print_lines(skin, [("PALETTE", 0.40, 0.15), ("coffee & set no. 3", 0.60, 0.058)], ink, centre=0.47)
    outer = lathe(
        [
            (0, 0.0),
            (0.034, 0.0),
            (0.040, 0.004),
            (0.043, 0.014),
            (0.043, 0.03),
            (0.043, 0.06),
            (0.043, 0.085),
            (0.0425, 0.096),
        ],
        256,
    )
    stage.add("product", outer.moved(0, 0, 0, 180), skin, rough=0.22, specular=0.5, coat=0.7, marks=("text", boxes))
    lip = lathe(
        [
            (0.0431, 0.0950),
            (0.0433, 0.0965),
            (0.042, 0.0985),
            (0.0395, 0.0965),
            (0.0385, 0.08),
            (0.038, 0.012),
            (0.03, 0.008),
            (0, 0.008),
        ],
        200,
    )
    stage.add("product", lip.moved(0, 0, 0), (238, 232, 222), rough=0.2, coat=0.6)
    t = np.linspace(-np.pi / 2 - 0.25, np.pi / 2 + 0.25, 60)
    path = np.stack([0.040 + 0.030 * np.cos(t) * 1.05, 0 * t, 0.05 + 0.029 * np.sin(t)], axis=1)
    stage.add(
        "product",
        tube(path, 0.0062, 0.72).moved(0, 0, 0, -24),
        tuple(int(c) for c in tone),
        rough=0.22,
        specular=0.5,
        coat=0.7,
    )


def _mug_day(stage: Stage) -> None:
    sweep(stage, (232, 232, 230))
    _mug(stage, (70, 112, 116), (242, 238, 226))
    softbox(stage, (-0.9, -0.7, 0.9), 0.9, (6.2, 6.5, 6.9))
    softbox(stage, (1.2, -0.5, 0.6), 0.8, (1.6, 1.7, 1.8))
    softbox(stage, (0.0, 0.2, 1.6), 1.2, (2.4, 2.5, 2.6))


def _mug_tungsten(stage: Stage) -> None:
    sweep(stage, (226, 224, 220))
    _mug(stage, (196, 92, 62), (248, 240, 226))
    softbox(stage, (0.8, -0.6, 0.8), 0.45, (26, 18.5, 11.5))
    softbox(stage, (-1.2, -0.4, 0.9), 1.0, (1.5, 1.1, 0.75))
    softbox(stage, (0.0, 0.1, 1.7), 1.2, (1.6, 1.2, 0.8))


def _mug_cool(stage: Stage) -> None:
    sweep(stage, (200, 203, 207))
    _mug(stage, (226, 196, 108), (52, 46, 42))
    softbox(stage, (-0.5, -0.9, 1.1), 0.6, (10.5, 12.0, 13.6))
    softbox(stage, (1.2, -0.2, 0.7), 0.9, (2.0, 2.3, 2.7))


def _bottle(stage: Stage) -> None:
    """An amber glass-like bottle, 23 cm high, with a paper label and a black cap, beside nothing else."""
    sweep(stage, (224, 221, 215))
    body = [
        (0, 0),
        (0.034, 0),
        (0.037, 0.004),
        (0.037, 0.02),
        (0.037, 0.135),
        (0.036, 0.15),
        (0.022, 0.172),
        (0.0145, 0.18),
        (0.0145, 0.20),
        (0.0, 0.2005),
    ]
    stage.add("product", lathe(body, 256), (98, 44, 16), rough=0.07, specular=0.6, coat=1.0)
    label = np.clip(
        np.array([238.0, 232, 218]) * (1 + 0.02 * (soft_noise(700, 1800, 3, 4) - 0.5))[..., None], 0, 255
    ).astype(np.uint8)
    label[30:36], label[-36:-30] = (150, 110, 60), (150, 110, 60)
    lines = [
        ("No. 7", 0.13, 0.09),
        ("BODY OIL", 0.34, 0.17),
        ("bergamot & cedar", 0.62, 0.085),
        ("250 ml", 0.80, 0.065),
    ]
    boxes = print_lines(label, lines, (44, 40, 36), centre=0.49)
    sleeve = lathe([(0.0373, 0.03), (0.0373, 0.115)], 256, 0).moved(0, 0, 0, 180)
    stage.add("product", sleeve, label, rough=0.6, specular=0.3, marks=("text", boxes))
    cap = [(0, 0), (0.0165, 0), (0.0172, 0.002), (0.0172, 0.03), (0.016, 0.033), (0, 0.033)]
    stage.add("product", lathe(cap, 160).moved(0, 0, 0.196), (26, 25, 26), rough=0.3, coat=0.4)
    softbox(stage, (-0.8, -0.55, 0.7), 0.55, (15, 14.2, 13))
    softbox(stage, (1.0, -0.3, 0.5), 0.5, (4.5, 4.2, 3.9))
    softbox(stage, (0.0, 0.2, 1.6), 1.2, (2.2, 2.1, 2.0))


def _box_bag(stage: Stage) -> None:
    """A small structured handbag with a flap, a top handle and a clasp."""
    sweep(stage, (228, 226, 224))
    hide = fabric((138, 44, 52), 7, strength=0.12)
    stage.add("product", rounded_box((0.26, 0.10, 0.18), 0.018, 8).moved(0, 0, 0), hide, rough=0.4, specular=0.45)
    stage.add(
        "product", rounded_box((0.262, 0.012, 0.105), 0.006, 6).moved(0, -0.054, 0.078), hide, rough=0.4, specular=0.45
    )
    stage.add(
        "product", rounded_box((0.262, 0.115, 0.012), 0.006, 6).moved(0, -0.002, 0.172), hide, rough=0.4, specular=0.45
    )
    stage.add(
        "product",
        rounded_box((0.04, 0.008, 0.026), 0.003).moved(0, -0.063, 0.083),
        (206, 170, 96),
        rough=0.2,
        metallic=1.0,
    )
    t = np.linspace(0, np.pi, 60)
    path = np.stack([0.075 * np.cos(t), 0 * t, 0.178 + 0.085 * np.sin(t)], axis=1)
    stage.add("product", tube(path, 0.0075), hide, rough=0.4, specular=0.45)
    for x in (-0.075, 0.075):
        stage.add(
            "product",
            rounded_box((0.022, 0.022, 0.012), 0.004).moved(x, 0, 0.18),
            (206, 170, 96),
            rough=0.2,
            metallic=1.0,
        )
    softbox(stage, (-0.8, -0.9, 1.0), 0.9, (6.5, 6.5, 6.5))
    softbox(stage, (1.2, -0.5, 0.8), 0.6, (4.0, 3.9, 3.8))


_MUG = Camera((0.03, -0.42, 0.175), (0.008, 0.0, 0.047), 27)
PRODUCTS: dict[str, View] = {
    "mug_teal_daylight": View(_mug_day, _MUG, 0.85, seed=11),
    "mug_terracotta_tungsten": View(_mug_tungsten, _MUG, 0.85, (0.93, 1.0, 1.12), seed=12),
    "mug_mustard_cool": View(_mug_cool, _MUG, 0.85, seed=13),
    "bottle": View(_bottle, Camera((0.0, -0.8, 0.20), (0.0, 0.0, 0.113), 26), 0.85, seed=14),
    "bag_burgundy": View(_box_bag, Camera((0.28, -0.95, 0.36), (0.0, 0.0, 0.115), 24), 0.85, seed=15),
}
