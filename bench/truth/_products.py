"""Four products: a satin tin and a glazed jug to tune on, a matte vase and a glossy radio to check on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from _demo_house import METAL, Camera, paint
from _demo_parts import Image8, Stage, lathe, planks, plate, print_lines, rounded_box, soft_noise, tube
from _demo_products import softbox, sweep
from _look import Look, Set
from _rooms import sun
from numpy.typing import NDArray

__all__ = ["ALBUM", "PRODUCTS", "printed", "skin"]


def skin(tone: Sequence[int], size: tuple[int, int], seed: int) -> Image8:
    """A coat of (height, width) pixels with hardly any structure."""
    cloud = 1 + 0.02 * (soft_noise(*size, 120, seed) - 0.5) + 0.015 * (soft_noise(*size, 4, seed + 1) - 0.5)
    return np.clip(np.asarray(tone) * cloud[..., None], 0, 255).astype(np.uint8)


def printed(
    coat: Image8, lines: Sequence[tuple[str, float, float]], ink: Sequence[int]
) -> tuple[str, NDArray[np.bool_]]:
    """Print lines (text, top, height: parts of its own height) on the middle of a coat; gives the mark of the ink."""
    bare = coat.copy()
    print_lines(coat, lines, ink, centre=0.5)
    return "text", (coat != bare).any(axis=2)


def _tea(stage: Stage, look: Look) -> None:
    """A satin blue tea tin with white print and a steel lid."""
    tone = look.tone("body", (54, 92, 146))
    lines = [("EVERY DAY", 0.26, 0.07), ("Green Tea", 0.42, 0.16), ("first harvest   80 g", 0.68, 0.06)]
    coat = skin(tone, (700, 1700), 3)
    ink = printed(coat, lines, (244, 242, 234))
    wall = lathe([(0.0455, 0.002), (0.046, 0.004), (0.046, 0.118), (0.0455, 0.12)], 256, 1).moved(0, 0, 0, 170)
    stage.add("body", wall, coat, rough=0.34, specular=0.5, marks=ink)
    lid = lathe([(0.0462, 0.12), (0.047, 0.121), (0.047, 0.137), (0.0455, 0.14), (0, 0.1405)], 200)
    stage.add("parts", lid, (190, 188, 184), rough=0.28, metallic=1.0)
    stage.add("parts", lathe([(0, 0), (0.046, 0), (0.046, 0.003)], 160, 0), (190, 188, 184), rough=0.3, metallic=1.0)
    if not look.bare:
        cup = lathe([(0, 0), (0.022, 0), (0.034, 0.03), (0.036, 0.048), (0.034, 0.048), (0.03, 0.01), (0, 0.008)], 128)
        stage.add("extra", cup.moved(0.125, 0.03, 0), (222, 216, 204), rough=0.2, coat=0.5)


def tin(stage: Stage, look: Look) -> None:
    """The tea tin under one small hard lamp and a weak cool fill."""
    sweep(stage, (196, 194, 190))
    _tea(stage, look)
    softbox(stage, (-0.7, -0.65, 0.75), 0.1, (300, 285, 262))
    softbox(stage, (1.1, -0.5, 0.6), 0.9, (1.1, 1.25, 1.45))
    softbox(stage, (0.0, 0.2, 1.6), 1.2, (1.5, 1.55, 1.6))


def _tin_tungsten(stage: Stage, look: Look) -> None:
    """The same under two warm lamps, the camera's white balance left on daylight."""
    sweep(stage, (214, 212, 206))
    _tea(stage, look)
    softbox(stage, (0.8, -0.7, 0.8), 0.5, (16, 10.5, 6.2))
    softbox(stage, (-1.0, -0.3, 0.9), 0.8, (2.2, 1.5, 0.9))


def _tin_shade(stage: Stage, look: Look) -> None:
    """The same in the blue light of a shaded window, a stop too dark."""
    sweep(stage, (170, 172, 176))
    _tea(stage, look)
    softbox(stage, (-1.3, -0.2, 0.8), 1.2, (2.2, 2.9, 3.9))
    softbox(stage, (0.3, -0.2, 1.7), 1.2, (0.7, 0.9, 1.2))


def jug(stage: Stage, look: Look) -> None:
    """A jug in black glaze between a warm and a cool softbox."""
    sweep(stage, (206, 202, 196))
    tone = look.tone("body", (30, 30, 33))
    profile = [
        (0, 0), (0.042, 0), (0.046, 0.004), (0.062, 0.035), (0.066, 0.065), (0.056, 0.105), (0.04, 0.135),
        (0.037, 0.15), (0.046, 0.178), (0.044, 0.179), (0.035, 0.152), (0.038, 0.13), (0.05, 0.1), (0, 0.03),
    ]  # fmt: skip
    glaze = {"rough": 0.09, "specular": 0.55, "coat": 0.9}
    stage.add("body", lathe(profile, 256), skin(tone, (500, 1500), 5), **glaze)
    t = np.linspace(-np.pi / 2, np.pi / 2, 60)
    path = np.stack([0.048 + 0.052 * np.cos(t), 0 * t, 0.105 + 0.058 * np.sin(t)], axis=1)
    stage.add("body", tube(path, 0.0075, 0.8).moved(0, 0, 0, -28), tone, **glaze)
    tag = plate((-0.016, -0.004, 0), (0.032, 0, 0), (0, 0.004, 0.05))
    card = np.full((500, 320, 3), (232, 224, 206), np.uint8)
    ink = printed(card, [("No. 4", 0.3, 0.16), ("18 EUR", 0.58, 0.12)], (60, 48, 40))
    stage.add("parts", tag.moved(-0.055, -0.075, 0.001, 18), card, rough=0.8, marks=ink)
    if not look.bare:
        lemon = lathe(
            [(0, 0), (0.012, 0.003), (0.028, 0.02), (0.031, 0.034), (0.026, 0.052), (0.008, 0.066), (0, 0.067)]
        )
        stage.add("extra", lemon.tilted(74).moved(0.105, -0.05, 0.022, 35), (226, 190, 60), rough=0.45)
    softbox(stage, (-0.9, -0.6, 0.7), 0.6, (9.5, 6.9, 4.4))
    softbox(stage, (1.0, -0.45, 0.8), 0.6, (4.6, 5.9, 7.6))
    softbox(stage, (0.0, 0.2, 1.6), 1.2, (1.3, 1.3, 1.3))


def vase(stage: Stage, look: Look) -> None:
    """A matte clay vase with dry twigs on a walnut table; low sun past a window's bars, sky from the other side."""
    table = planks((1.8, 1.2), (122, 88, 62), 17, 500, 0.14)
    stage.add("background", plate((-0.9, -0.7, 0), (1.8, 0, 0), (0, 1.2, 0)), table[::-1].copy(), rough=0.4)
    stage.add("background", plate((-1.5, 0.5, -0.6), (3.0, 0, 0), (0, 0, 2.4)), paint((206, 202, 194), 8), rough=0.9)
    tone = look.tone("body", (198, 172, 150))
    profile = [
        (0, 0), (0.05, 0), (0.056, 0.006), (0.085, 0.07), (0.088, 0.105), (0.066, 0.16), (0.034, 0.195),
        (0.03, 0.22), (0.042, 0.245), (0.039, 0.246), (0.026, 0.22), (0.03, 0.19), (0, 0.1),
    ]  # fmt: skip
    clay = skin(tone, (500, 1500), 9)
    stage.add("body", lathe(profile, 256), clay, rough=0.95, specular=0.1)
    for k in range(6):
        t = np.linspace(0, 1, 24)
        lean = (0.07 + 0.03 * (k % 3)) * np.array([np.cos(1.1 * k + 0.4), np.sin(1.1 * k + 0.4)])
        twig = np.stack([lean[0] * t**1.4, lean[1] * t**1.4, 0.15 + (0.24 + 0.03 * (k % 2)) * t], axis=1)
        stage.add("parts", tube(twig, 0.0016, around=8), (104, 80, 54), rough=0.8)
        for at in (0.55, 0.7, 0.85, 1.0):
            bud = lathe([(0, 0), (0.005, 0.004), (0.006, 0.01), (0, 0.018)], 16, 2)
            spot = twig[min(23, int(at * 23))]
            stage.add("parts", bud.moved(*spot), (206, 150, 120), rough=0.8)
    droop = np.linspace(0, 1, 30)
    stem = np.stack([0.03 - 0.075 * droop, -0.03 - 0.075 * droop**0.7, 0.245 - 0.15 * droop**2], axis=1)
    stage.add("parts", tube(stem, 0.0018, around=8), (92, 104, 64), rough=0.7)
    if not look.bare:
        stone = lathe([(0, 0), (0.03, 0.004), (0.042, 0.02), (0.03, 0.036), (0, 0.04)], 96)
        stage.add("extra", stone.moved(0.17, -0.03, 0), (96, 100, 98), rough=0.7)
    sun(stage, (0.62, 0.62, -0.52), (3.1, 2.55, 1.9))
    for offset in (-0.09, 0.13):
        across, far = np.array([0.7, -0.7, 0.0]), np.array([-0.62, -0.62, 0.52]) * 0.9
        bar = plate(far + across * offset + (0, 0, -0.6), across * 0.05, (0, 0, 2.0))
        stage.add("other", bar, (60, 60, 60))
    softbox(stage, (1.0, -0.7, 0.9), 0.8, (1.1, 1.35, 1.7))
    softbox(stage, (-0.2, -0.3, 1.7), 1.0, (0.7, 0.8, 0.95))


def radio(stage: Stage, look: Look) -> None:
    """A glossy red table radio with a dark grille, knobs, a handle and print, seen from above and the side."""
    sweep(stage, (228, 227, 224))
    tone = look.tone("body", (184, 44, 38))
    gloss = {"rough": 0.12, "specular": 0.5, "coat": 0.8}
    stage.add("body", rounded_box((0.24, 0.09, 0.15), 0.018, 8), tone, **gloss)
    coat = skin(tone, (260, 900), 21)
    ink = printed(coat, [("SONORA", 0.1, 0.5), ("two-band receiver", 0.68, 0.2)], (246, 240, 226))
    front = plate((-0.105, -0.0455, 0.116), (0.1, 0, 0), (0, 0, 0.026))
    stage.add("body", front, coat, marks=ink, **gloss)
    for k in range(15):
        slot = rounded_box((0.1, 0.006, 0.0032), 0.0012, 3).moved(-0.055, -0.046, 0.018 + 0.0062 * k)
        stage.add("parts", slot, (36, 34, 34), rough=0.4)
    dial = lathe([(0, 0), (0.028, 0), (0.028, 0.008), (0.024, 0.011), (0, 0.011)], 128).tilted(90)
    stage.add("parts", dial.moved(0.066, -0.044, 0.1), (232, 226, 210), rough=0.3)
    needle = rounded_box((0.003, 0.003, 0.022), 0.001, 3).moved(0.066, -0.0565, 0.1)
    stage.add("parts", needle, (40, 38, 36))
    for x in (0.045, 0.087):
        knob = lathe([(0, 0), (0.012, 0), (0.0115, 0.014), (0, 0.0145)], 96).tilted(90)
        stage.add("parts", knob.moved(x, -0.044, 0.042), METAL, rough=0.25, metallic=1.0)
    t = np.linspace(0, np.pi, 60)
    path = np.stack([0.085 * np.cos(t), 0 * t, 0.146 + 0.04 * np.sin(t) ** 0.7], axis=1)
    stage.add("parts", tube(path, 0.005), METAL, rough=0.3, metallic=1.0)
    aerial = np.stack([np.linspace(0.1, 0.17, 8), np.linspace(0.03, 0.03, 8), np.linspace(0.14, 0.36, 8)], axis=1)
    stage.add("parts", tube(aerial, 0.002, around=12), METAL, rough=0.2, metallic=1.0)
    if not look.bare:
        ball = lathe([(0.026 * np.sin(a), 0.026 - 0.026 * np.cos(a)) for a in np.linspace(0, np.pi, 16)], 96)
        stage.add("extra", ball.moved(-0.185, -0.06, 0), (60, 96, 120), rough=0.5)
    softbox(stage, (-0.8, -0.8, 0.9), 0.45, (15, 15, 14.6))
    softbox(stage, (0.9, -0.7, 0.7), 0.5, (4.2, 4.0, 3.7))
    softbox(stage, (0.0, 0.1, 1.6), 1.2, (2.2, 2.25, 2.3))


PRODUCTS = {
    "tin": Set(tin, Camera((0.04, -0.56, 0.19), (0.018, 0.0, 0.066), 28), 0.85, seed=111),
    "jug": Set(jug, Camera((-0.1, -0.62, 0.22), (0.02, 0.0, 0.085), 28), 0.95, (1.0, 1.0, 1.02), seed=112),
    "vase": Set(vase, Camera((0.05, -0.95, 0.32), (0.03, 0.0, 0.17), 30), 0.8, (1.0, 1.0, 1.05), seed=113),
    "radio": Set(radio, Camera((0.42, -0.7, 0.44), (-0.01, 0.0, 0.1), 29), 0.8, seed=114),
}

ALBUM = {
    "tin_tungsten": Set(_tin_tungsten, Camera((0.12, -0.54, 0.2), (0.03, 0.0, 0.066), 28), 0.8, seed=121),
    "tin_shade": Set(_tin_shade, Camera((-0.08, -0.58, 0.16), (0.02, 0.0, 0.066), 28), 0.75, seed=122),
}
"""The tin once more in other light, from other places."""
