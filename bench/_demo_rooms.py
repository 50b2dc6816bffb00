"""Three rooms of the demo: a living room by day, a tiled kitchen, a bedroom under an overcast sky."""

from __future__ import annotations

import numpy as np
from _demo_house import (
    METAL,
    REVEAL,
    WHITE,
    Camera,
    Hole,
    View,
    door,
    lamp_glow,
    outdoors,
    paint,
    picture,
    shell,
    skirting,
    window,
)
from _demo_parts import (
    Grid,
    Stage,
    fabric,
    lathe,
    pillow,
    planks,
    plate,
    rounded_box,
    soft_noise,
    tiles,
    tube,
    wavy_sheet,
)

__all__ = ["HELD_OUT", "ROOMS"]


def living(stage: Stage) -> None:
    """Oak boards, warm white walls, a grey sofa, daylight from the left."""
    width, depth, high = 4.8, 4.6, 2.6
    hole = Hole(2.75, 4.05, 0.85, 2.25)
    cream = paint((226, 219, 206), 1)
    shell(stage, width, depth, high, [cream, cream, cream], hole, fill=(3.6, 3.7, 3.9))
    floor = planks((width, depth), (176, 132, 88), 5)
    stage.add("floor", plate((0, 0, 0), (width, 0, 0), (0, depth, 0)), floor[::-1].copy(), rough=0.38, specular=0.45)
    window(stage, hole, 10.0, outdoors((226, 238, 250), (150, 150, 130), (110, 134, 84), 4))
    skirting(stage, (0.014, 0), (0.014, depth))
    skirting(stage, (0, depth - 0.014), (3.28, depth - 0.014))
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0))
    door(stage, 3.8, depth - 0.02, 0, (146, 112, 82))
    sofa = fabric((112, 118, 122), 3)

    def seat(form: Grid) -> None:
        stage.add("other", form, sofa, rough=0.95, specular=0.1, repeat=3)

    seat(rounded_box((2.0, 0.86, 0.26), 0.05).moved(1.75, 3.95, 0.14))
    seat(rounded_box((2.0, 0.22, 0.62), 0.08).moved(1.75, 4.33, 0.16))
    for x in (0.83, 2.67):
        seat(rounded_box((0.2, 0.9, 0.5), 0.07).moved(x, 3.95, 0.12))
    for x in (1.30, 2.20):
        seat(rounded_box((0.84, 0.68, 0.17), 0.07).moved(x, 3.86, 0.38))
        seat(rounded_box((0.82, 0.2, 0.42), 0.09).tilted(-10).moved(x, 4.14, 0.52))
    for x in (0.86, 2.64):
        for y in (3.58, 4.3):
            stage.add("other", lathe([(0, 0), (0.018, 0), (0.024, 0.14), (0, 0.14)]).moved(x, y, 0), (70, 50, 36))
    throw = (fabric((190, 122, 74), 8), fabric((226, 220, 206), 9))
    stage.add(
        "other", pillow(0.46, 0.46, 0.16, 1).tilted(68).moved(1.06, 3.92, 0.56, -12), throw[0], rough=0.95, repeat=2
    )
    stage.add(
        "other", pillow(0.42, 0.42, 0.15, 2).tilted(66).moved(2.42, 3.9, 0.56, 10), throw[1], rough=0.95, repeat=2
    )
    rug = fabric((206, 198, 184), 12, strength=0.5)
    stage.add(
        "other", rounded_box((2.3, 1.5, 0.014), 0.006).moved(1.8, 2.85, 0.001), rug, rough=1.0, specular=0.05, repeat=4
    )
    wood = planks((1.0, 0.6), (120, 82, 54), 7, 400, 0.2)
    stage.add("other", rounded_box((1.0, 0.56, 0.035), 0.012).moved(1.8, 2.85, 0.36), wood, rough=0.3)
    for x in (1.38, 2.22):
        for y in (2.65, 3.05):
            stage.add("other", lathe([(0, 0), (0.014, 0), (0.02, 0.36), (0, 0.36)]).moved(x, y, 0.012), (44, 40, 38))
    stage.add("other", rounded_box((0.24, 0.17, 0.025), 0.003).moved(1.62, 2.82, 0.395, 14), (60, 84, 96), rough=0.5)
    bowl = [(0, 0), (0.05, 0), (0.11, 0.06), (0.105, 0.062), (0.05, 0.012), (0, 0.012)]
    stage.add("other", lathe(bowl).moved(2.05, 2.9, 0.395), (232, 228, 220), rough=0.25)
    for x, seed in ((1.35, 21), (2.12, 35)):
        picture(stage, x, depth - 0.016, 1.35, (0.5, 0.68), seed)
    for start in (2.36, 4.0):
        curtain = wavy_sheet(0.42, 2.28, 0.045, 6, int(start * 10)).moved(0, 0, 0.05, 90).moved(0.09, start, 0)
        stage.add("other", curtain, fabric((222, 214, 200), 30), rough=1.0, specular=0.05, repeat=2)
    rod = lathe([(0, 0), (0.012, 0), (0.012, 2.2), (0, 2.2)], 24).tilted(-90)
    stage.add("other", rod.moved(0.09, 2.3, 2.36), (60, 58, 56), rough=0.3)
    base = lathe([(0, 0), (0.14, 0), (0.14, 0.02), (0.014, 0.025), (0.012, 1.35), (0, 1.35)])
    stage.add("other", base.moved(3.08, 4.2, 0), (52, 50, 48), rough=0.3, metallic=0.6)
    stage.add(
        "other", lathe([(0.2, 0), (0.15, 0.28)]).moved(3.08, 4.2, 1.3), (240, 226, 198), rough=0.9, emit=lamp_glow(1.1)
    )
    stage.add(
        "other",
        lathe([(0, 0), (0.13, 0), (0.17, 0.3), (0.155, 0.3), (0.12, 0.26), (0, 0.26)]).moved(4.35, 3.6, 0),
        (228, 224, 216),
    )
    rng, across = np.random.default_rng(5), np.array([1.0, 0, 0])
    for _ in range(34):
        bend, lean, tall = rng.uniform(0, 360), rng.uniform(0.12, 0.42), rng.uniform(0.35, 0.85)
        t = np.linspace(0, 1, 16)[:, None]
        mid = np.concatenate([t * 0, lean * t**1.7, tall * (t - 0.25 * t**2.5)], axis=1)
        half = 0.035 * np.sin(np.pi * t.clip(0.02, 0.98)) ** 0.8
        leaf = np.stack([mid - half * across, mid - np.array([0, 0, 0.006]), mid + half * across], axis=1)
        normal = np.cross(np.gradient(leaf, axis=0), np.gradient(leaf, axis=1))
        normal /= np.linalg.norm(normal, axis=2, keepdims=True)
        blade = Grid(((leaf, normal, np.zeros((16, 3, 2))),))
        stage.add(
            "other", blade.moved(0, 0, 0, bend).moved(4.35, 3.6, 0.27), (58 + int(rng.integers(30)), 92, 52), rough=0.45
        )


def kitchen(stage: Stage) -> None:
    """Square floor tiles, a tiled backsplash over white cabinets, sage green paint."""
    width, depth, high = 4.0, 4.2, 2.5
    hole = Hole(2.45, 3.45, 1.15, 2.15)
    sage = paint((178, 188, 166), 2)
    shell(stage, width, depth, high, [sage, sage, sage], None, hole, (4.4, 4.6, 4.9))
    floor, joints = tiles((width, depth), (0.40, 0.40), (206, 200, 190), (118, 112, 104), 3, 0.007, 320)
    stage.add(
        "floor",
        plate((0, 0, 0), (width, 0, 0), (0, depth, 0)),
        floor[::-1].copy(),
        rough=0.28,
        specular=0.5,
        marks=("floorgrout", joints[::-1].copy()),
    )
    window(stage, hole, 9.0, outdoors((230, 240, 250), (160, 158, 140), (104, 132, 80), 11), at=depth, back=True)
    for start, end in (
        ((0.014, 0), (0.014, 1.9)),
        ((width - 0.014, depth), (width - 0.014, 0)),
        ((3.02, depth - 0.014), (width, depth - 0.014)),
    ):
        skirting(stage, start, end)
    front, top = (232, 230, 224), paint((92, 88, 84), 6)
    # base units along the back wall up to x = 3, and along the left wall
    for i in range(5):
        x = 0.3 + 0.6 * i
        stage.add("cabinet", rounded_box((0.594, 0.56, 0.76), 0.004).moved(x, depth - 0.29, 0.1), front, rough=0.4)
        stage.add("cabinet", rounded_box((0.588, 0.022, 0.75), 0.004).moved(x, depth - 0.582, 0.105), front, rough=0.35)
        bar = np.stack([np.linspace(-0.09, 0.09, 12), np.full(12, 0), np.full(12, 0)], axis=1)
        stage.add("other", tube(bar, 0.006).moved(x, depth - 0.62, 0.79), METAL, rough=0.25, metallic=1.0)
    stage.add("cabinet", rounded_box((3.0, 0.5, 0.1), 0.004).moved(1.5, depth - 0.26, 0.0), (70, 66, 62))
    stage.add(
        "other", rounded_box((3.04, 0.63, 0.04), 0.006).moved(1.52, depth - 0.315, 0.86), top, rough=0.25, specular=0.5
    )
    splash, lines = tiles((2.42, 0.55), (0.15, 0.15), (226, 222, 214), (136, 130, 122), 8, 0.005, 640)
    stage.add(
        "tile",
        plate((0.0, depth - 0.012, 0.9), (2.42, 0, 0), (0, 0, 0.55)),
        splash[::-1].copy(),
        rough=0.2,
        specular=0.6,
        marks=("tilegrout", lines[::-1].copy()),
    )
    for i in range(4):
        if i == 2:
            continue
        x = 0.3 + 0.6 * i
        stage.add("cabinet", rounded_box((0.594, 0.33, 0.72), 0.004).moved(x, depth - 0.17, 1.45), front, rough=0.4)
        stage.add("cabinet", rounded_box((0.588, 0.02, 0.71), 0.004).moved(x, depth - 0.345, 1.455), front, rough=0.35)
        stage.add(
            "other",
            lathe([(0, 0), (0.006, 0), (0.006, 0.16), (0, 0.16)], 16).moved(x + 0.24, depth - 0.37, 1.5),
            METAL,
            rough=0.25,
            metallic=1.0,
        )
    hood = lathe([(0.34, 0), (0.34, 0.05), (0.14, 0.28), (0.14, 0.9)], 5, 0).moved(0, 0, 0, 45)
    stage.add("other", hood.moved(1.5, depth - 0.26, 1.58), (178, 178, 176), rough=0.3, metallic=0.9)
    stage.add(
        "other", rounded_box((0.58, 0.5, 0.008), 0.003).moved(1.5, depth - 0.31, 0.9), (18, 18, 20), rough=0.1, coat=0.6
    )
    pot = [(0, 0), (0.11, 0), (0.115, 0.01), (0.115, 0.13), (0.12, 0.135), (0.11, 0.135), (0.105, 0.02), (0, 0.02)]
    stage.add("other", lathe(pot).moved(1.36, depth - 0.36, 0.91), (156, 52, 40), rough=0.2, coat=0.5)
    jar = [(0, 0), (0.045, 0), (0.05, 0.02), (0.05, 0.13), (0.03, 0.16), (0.03, 0.19), (0, 0.19)]
    for x, tone in ((0.5, (214, 196, 160)), (0.63, (150, 104, 70)), (0.75, (222, 216, 204))):
        stage.add("other", lathe(jar).moved(x, depth - 0.2, 0.9), tone, rough=0.3)
    stage.add(
        "other",
        rounded_box((0.26, 0.02, 0.38), 0.006).tilted(8).moved(2.1, depth - 0.1, 0.9),
        planks((0.4, 0.4), (170, 122, 78), 3, 400, 0.3),
    )
    neck = np.linspace(0, np.pi * 0.9, 24)
    faucet = np.stack([0.09 * np.cos(neck), 0 * neck, 0.24 + 0.09 * np.sin(neck)], axis=1)
    faucet = np.concatenate([[(0.09, 0, z) for z in np.linspace(0, 0.23, 8)], faucet])
    stage.add(
        "other", tube(faucet, 0.012).moved(0, 0, 0, -90).moved(2.72, depth - 0.19, 0.9), METAL, rough=0.15, metallic=1.0
    )
    # a table with two stools in the foreground
    oak = planks((1.4, 0.8), (168, 124, 82), 9, 400, 0.16)
    stage.add("other", rounded_box((0.8, 1.2, 0.036), 0.01).moved(3.2, 2.25, 0.72), oak, rough=0.35)
    for x in (2.9, 3.5):
        for y in (1.75, 2.75):
            stage.add("other", rounded_box((0.055, 0.055, 0.72), 0.008).moved(x, y, 0), (150, 110, 72), rough=0.45)
    for x, y in ((2.55, 2.45), (2.5, 1.75)):
        stage.add(
            "other",
            lathe([(0, 0), (0.16, 0), (0.17, 0.02), (0.16, 0.04), (0, 0.04)]).moved(x, y, 0.44),
            (150, 110, 72),
            rough=0.4,
        )
        for turn in (45, 135, 225, 315):
            stage.add(
                "other",
                rounded_box((0.03, 0.03, 0.46), 0.006).tilted(-8).moved(0, -0.13, 0, turn).moved(x, y, 0),
                (44, 42, 40),
            )
    for x, y in ((1.3, 1.9), (1.3, 3.0), (2.8, 2.4)):
        stage.add("other", lathe([(0, 0), (0.055, 0), (0.055, 0.02), (0, 0.02)]).moved(x, y, high - 0.02), WHITE)
        stage.add(
            "other",
            lathe([(0, 0), (0.042, 0)], smooth=0).moved(x, y, high - 0.021),
            (255, 250, 240),
            emit=lamp_glow(26, (1.0, 0.9, 0.76)),
        )


def bedroom(stage: Stage) -> None:
    """Oak boards and one blue-grey paint under an overcast sky; the bedside lamps are on, but hardly count."""
    width, depth, high = 4.4, 4.3, 2.6
    hole = Hole(1.7, 3.1, 0.8, 2.2)
    blue = paint((152, 168, 182), 4)
    shell(stage, width, depth, high, [blue, blue, blue], hole, fill=(5.0, 5.0, 5.0))
    floor = planks((width, depth), (170, 132, 92), 15, 360, 0.12)
    stage.add("floor", plate((0, 0, 0), (width, 0, 0), (0, depth, 0)), floor[::-1].copy(), rough=0.35, specular=0.45)
    window(stage, hole, 7.5, outdoors((232, 238, 246), (170, 172, 166), (150, 164, 140), 8), beyond=REVEAL)
    skirting(stage, (0.014, 0), (0.014, depth))
    skirting(stage, (0, depth - 0.014), (width, depth - 0.014))
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0))
    door(stage, width - 0.02, 1.95, -90, (150, 108, 72), False)
    base = fabric((206, 192, 170), 2)
    linen, cover = fabric((230, 224, 214), 5), fabric((168, 106, 82), 6)
    stage.add(
        "other",
        rounded_box((1.72, 2.1, 0.24), 0.04).moved(2.1, 3.15, 0.08),
        base,
        rough=0.9,
        repeat=2,
    )
    stage.add(
        "other",
        rounded_box((1.78, 0.12, 1.05), 0.05).moved(2.1, 4.22, 0.08),
        base,
        rough=0.9,
        repeat=2,
    )
    stage.add("other", rounded_box((1.62, 2.0, 0.24), 0.09, 8).moved(2.1, 3.16, 0.3), linen, rough=0.95, repeat=3)
    y, x = np.meshgrid(np.linspace(0, 1, 90), np.linspace(-1, 1, 140), indexing="ij")
    fold = 0.03 * (soft_noise(90, 140, 9, 3, 3) - 0.5) + 0.012 * (soft_noise(90, 140, 4, 4) - 0.5)
    drop = 0.30 * np.clip((np.abs(x) - 0.84) / 0.16, 0, 1) ** 1.6
    across = x * 0.88 - np.sign(x) * 0.05 * np.clip((np.abs(x) - 0.84) / 0.16, 0, 1)
    duvet = np.stack([2.1 + across, 2.08 + 1.35 * y, 0.585 - drop + fold], axis=2)
    normal = np.cross(np.gradient(duvet, axis=1), np.gradient(duvet, axis=0))
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    stage.add("other", Grid(((duvet, normal, np.stack([x, y], 2)),)), cover, rough=0.95, specular=0.1, repeat=3)
    for px in (1.7, 2.5):
        stage.add(
            "other", pillow(0.66, 0.46, 0.2, int(px * 10)).tilted(38).moved(px, 3.86, 0.56), linen, rough=0.95, repeat=2
        )
    stage.add(
        "other",
        pillow(0.46, 0.34, 0.15, 4).tilted(50).moved(2.1, 3.58, 0.6),
        fabric((212, 172, 104), 8),
        rough=0.95,
        repeat=2,
    )
    for px in (0.92, 3.28):
        stage.add(
            "cabinet",
            rounded_box((0.44, 0.38, 0.46), 0.01).moved(px, 4.05, 0.06),
            (204, 186, 158),
            rough=0.4,
        )
        stage.add(
            "cabinet",
            rounded_box((0.41, 0.02, 0.19), 0.006).moved(px, 3.852, 0.29),
            (208, 190, 162),
            rough=0.4,
        )
        stage.add(
            "other",
            lathe([(0, 0), (0.06, 0), (0.075, 0.08), (0.04, 0.17), (0.014, 0.2), (0.012, 0.28), (0, 0.28)]).moved(
                px, 4.07, 0.52
            ),
            (206, 200, 190),
            rough=0.25,
        )
        shade = lathe([(0.15, 0), (0.10, 0.2)]).moved(px, 4.07, 0.76)
        stage.add("other", shade, (240, 220, 184), rough=0.9, emit=lamp_glow(1.0), share=0.15)
    picture(stage, 2.1, depth - 0.016, 1.5, (0.95, 0.6), 41)
    stage.add(
        "cabinet", rounded_box((0.6, 1.5, 2.2), 0.006).moved(width - 0.31, 3.42, 0.02), (204, 186, 158), rough=0.45
    )
    for py in (3.05, 3.79):
        stage.add(
            "cabinet", rounded_box((0.02, 0.73, 2.12), 0.004).moved(width - 0.615, py, 0.06), (208, 190, 162), rough=0.4
        )
    for py in (3.36, 3.48):
        stage.add(
            "other",
            lathe([(0, 0), (0.008, 0), (0.008, 0.3), (0, 0.3)], 16).moved(width - 0.645, py, 0.95),
            METAL,
            rough=0.3,
            metallic=1.0,
        )
    rug = fabric((188, 178, 162), 22, strength=0.6)
    stage.add(
        "other", rounded_box((1.5, 1.0, 0.016), 0.007).moved(1.5, 1.55, 0.001), rug, rough=1.0, specular=0.05, repeat=4
    )
    for start in (1.3, 3.05):
        curtain = wavy_sheet(0.44, 2.34, 0.05, 6, int(start * 10)).moved(0, 0, 0.04, 90).moved(0.1, start, 0)
        stage.add("other", curtain, fabric((222, 208, 184), 31), rough=1.0, specular=0.05, repeat=2)
    stage.add(
        "other",
        lathe([(0, 0), (0.2, 0), (0.21, 0.03), (0.2, 0.07), (0, 0.07)]).moved(2.2, 2.3, high - 0.07),
        (250, 246, 236),
        rough=0.5,
    )


ROOMS: dict[str, View] = {
    "living": View(living, Camera((3.55, 0.2, 1.35), (2.05, 4.6, 1.35), 70, 0.09), 1.05, (1.0, 1.0, 1.0), seed=1),
    "kitchen": View(kitchen, Camera((2.35, 0.2, 1.42), (1.75, 4.2, 1.42), 70, 0.09), 1.0, (1.0, 0.99, 0.97), seed=2),
    "bedroom": View(bedroom, Camera((2.45, 0.2, 1.38), (2.15, 4.3, 1.38), 72, 0.09), 1.55, (1.0, 1.0, 1.0), seed=3),
}

HELD_OUT: dict[str, View] = {
    "living_b": View(living, Camera((1.3, 0.3, 1.5), (2.9, 4.6, 1.35), 72, 0.05), 1.05, (1.0, 1.0, 1.0), seed=11),
    "kitchen_b": View(kitchen, Camera((1.5, 0.25, 1.5), (2.5, 4.2, 1.4), 74, 0.05), 1.0, (1.0, 0.99, 0.97), seed=12),
    "bedroom_b": View(bedroom, Camera((1.5, 0.25, 1.45), (2.5, 4.3, 1.35), 74, 0.05), 1.55, (1.0, 1.0, 1.0), seed=13),
}
"""Other views of the same rooms, to check on what was not tuned on; no part of the demo."""
