"""Two rooms to check on: a dark hall with lamps of two colours, a loft in ochre seen from above."""

from __future__ import annotations

import numpy as np
from _demo_house import METAL, REVEAL, WHITE, Camera, Hole, door, lamp_glow, outdoors, picture, skirting, window
from _demo_parts import Stage, fabric, lathe, pillow, planks, plate, rounded_box, tiles, tube, wavy_sheet
from _look import Look, Set
from _patterns import PATTERN_SIDE, concrete
from _rooms import floor, walls

__all__ = ["ROOMS"]


def hall(stage: Stage, look: Look) -> None:
    """Navy walls over polished tiles: a cold window on one side, two warm pendants, a satin white door."""
    width, depth, high = 3.0, 4.8, 2.7
    hole = Hole(2.3, 3.3, 0.8, 2.2)
    walls(stage, (width, depth, high), look.tone("wall", (44, 58, 84)), (hole, None, None, None))
    usual, joints = tiles((width, depth), (0.5, 0.5), (204, 200, 190), (140, 136, 130), 31, 0.006, 360)
    floor(stage, look, (width, depth), usual, 0.12, joints)
    window(
        stage, hole, 9.0, outdoors((214, 232, 252), (140, 146, 140), (90, 116, 96), 21), beyond=REVEAL, sides="molding"
    )
    back = plate((0.4, 0.06, 1.0), (0, 0, 1.4), (2.2, 0, 0))
    stage.add("lamp", back, (0, 0, 0), emit={"type": "rgb", "value": [3.4, 3.7, 4.2]})
    for start, end in (((0.014, 0), (0.014, depth)), ((0, depth - 0.014), (1.13, depth - 0.014))):
        skirting(stage, start, end)
    skirting(stage, (2.17, depth - 0.014), (width, depth - 0.014))
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0))
    door(stage, 1.65, depth - 0.02, 0, look.tone("door", (222, 218, 208)))
    for x, y in ((1.5, 2.1), (1.5, 3.5)):
        cord = lathe([(0, 0), (0.006, 0), (0.006, 0.62), (0, 0.62)], 12).moved(x, y, high - 0.62)
        stage.add("other", cord, (30, 30, 30))
        shade = lathe([(0.17, 0), (0.14, 0.1), (0.03, 0.16), (0.01, 0.17)]).moved(x, y, high - 0.78)
        stage.add("other", shade, (186, 150, 92), rough=0.3, metallic=0.9)
        globe = lathe([(0, 0), (0.05, 0.01), (0.065, 0.05), (0.05, 0.09), (0, 0.1)]).moved(x, y, high - 0.76)
        stage.add("other", globe, (0, 0, 0), emit=lamp_glow(26))
    pole = lathe([(0, 0), (0.14, 0), (0.14, 0.015), (0.014, 0.02), (0.012, 1.75), (0, 1.76)], 32).moved(0.45, 3.9, 0)
    stage.add("other", pole, (30, 28, 28), rough=0.35)
    for k in range(6):
        t = np.linspace(0, 1, 14)
        hook = np.stack([0.16 * t, 0 * t, 0.1 * t**3], axis=1)
        stage.add("other", tube(hook, 0.007, around=10).moved(0, 0, 0, 60 * k).moved(0.45, 3.9, 1.55), (30, 28, 28))
    stage.add("other", rounded_box((0.32, 1.1, 0.03), 0.006).moved(width - 0.18, 3.2, 0.8), (150, 108, 70), rough=0.35)
    for y in (2.75, 3.65):
        for x in (width - 0.3, width - 0.06):
            leg = lathe([(0, 0), (0.01, 0), (0.012, 0.8), (0, 0.8)], 16).moved(x, y, 0)
            stage.add("other", leg, (30, 28, 28), rough=0.3)
    bowl = [(0, 0), (0.05, 0), (0.12, 0.06), (0.115, 0.062), (0.05, 0.012), (0, 0.012)]
    stage.add("other", lathe(bowl).moved(width - 0.18, 3.3, 0.83), (196, 108, 70), rough=0.3)
    mirror = rounded_box((0.03, 0.7, 0.9), 0.01).moved(width - 0.02, 3.2, 1.15)
    stage.add("other", mirror, (206, 178, 120), rough=0.3, metallic=0.8)
    glass = plate((width - 0.037, 3.52, 1.18), (0, -0.64, 0), (0, 0, 0.84))
    stage.add("other", glass, (235, 238, 240), rough=0.02, metallic=1.0)
    rug = fabric((126, 60, 52), 12, strength=0.5)
    stage.add(
        "other", rounded_box((0.9, 2.2, 0.012), 0.005).moved(1.5, 2.9, 0.001), rug, rough=1.0, specular=0.05, repeat=4
    )
    if not look.bare:
        pouf = lathe([(0, 0), (0.2, 0), (0.235, 0.06), (0.235, 0.3), (0.2, 0.36), (0, 0.37)]).moved(2.45, 2.05, 0)
        stage.add("extra", pouf, fabric((150, 150, 120), 14), rough=0.95, specular=0.1, repeat=3)


def loft(stage: Stage, look: Look) -> None:
    """Washable ochre paint over concrete, a dark sofa; a cool window and a warm floor lamp; seen from above."""
    width, depth, high = 5.0, 4.4, 3.0
    hole = Hole(1.7, 3.3, 0.7, 2.5)
    ochre = look.tone("wall", (190, 146, 72))
    walls(stage, (width, depth, high), ochre, (hole, None, None, None), rough=0.42, specular=0.5)
    repeats = concrete((132, 130, 126), 51)
    usual = np.tile(repeats, (5, 5, 1))
    per_metre = len(repeats) / PATTERN_SIDE
    usual = np.ascontiguousarray(usual[: round(depth * per_metre), : round(width * per_metre)])
    floor(stage, look, (width, depth), usual, 0.45)
    window(stage, hole, 9.0, outdoors((216, 232, 252), (150, 152, 150), (110, 126, 110), 31), sides="molding")
    back = plate((1.0, 0.06, 1.2), (0, 0, 1.4), (3.0, 0, 0))
    stage.add("lamp", back, (0, 0, 0), emit={"type": "rgb", "value": [2.4, 2.6, 2.9]})
    skirting(stage, (0.014, 0), (0.014, depth), (60, 58, 56))
    skirting(stage, (0, depth - 0.014), (width, depth - 0.014), (60, 58, 56))
    skirting(stage, (width - 0.014, depth), (width - 0.014, 0), (60, 58, 56))
    cloth = fabric(look.tone("sofa", (58, 60, 66)), 3)

    def seat(form: object) -> None:
        stage.add("sofa", form, cloth, rough=0.95, specular=0.1, repeat=3)  # type: ignore[arg-type]

    seat(rounded_box((2.1, 0.88, 0.26), 0.05).moved(2.2, 3.75, 0.14))
    seat(rounded_box((2.1, 0.22, 0.6), 0.08).moved(2.2, 4.12, 0.16))
    for x in (1.24, 3.16):
        seat(rounded_box((0.2, 0.92, 0.48), 0.07).moved(x, 3.75, 0.12))
    for x in (1.74, 2.66):
        seat(rounded_box((0.88, 0.7, 0.17), 0.07).moved(x, 3.66, 0.38))
        seat(rounded_box((0.86, 0.2, 0.42), 0.09).tilted(-10).moved(x, 3.94, 0.52))
    throw = fabric((206, 196, 176), 8)
    stage.add("other", pillow(0.46, 0.46, 0.16, 1).tilted(66).moved(1.5, 3.66, 0.56, -12), throw, rough=0.95, repeat=2)
    base = lathe([(0, 0), (0.15, 0), (0.15, 0.02), (0.014, 0.025), (0.012, 1.45), (0, 1.45)]).moved(3.7, 3.9, 0)
    stage.add("other", base, (40, 38, 36), rough=0.3, metallic=0.6)
    shade = lathe([(0.22, 0), (0.16, 0.3)]).moved(3.7, 3.9, 1.4)
    stage.add("other", shade, (240, 226, 198), rough=0.9, emit=lamp_glow(7.0))
    top = lathe([(0, 0), (0.42, 0), (0.43, 0.015), (0.42, 0.03), (0, 0.03)]).moved(2.3, 2.65, 0.36)
    stage.add("other", top, planks((1.0, 1.0), (120, 84, 56), 7, 300, 0.2), rough=0.3)
    for turn in (30, 150, 270):
        leg = lathe([(0, 0), (0.01, 0), (0.016, 0.36), (0, 0.36)], 16).moved(0, 0.3, 0).moved(0, 0, 0, turn)
        stage.add("other", leg.moved(2.3, 2.65, 0), (36, 34, 34), rough=0.4)
    stage.add("other", rounded_box((0.26, 0.18, 0.03), 0.004).moved(2.2, 2.6, 0.39, 20), (170, 66, 52), rough=0.5)
    rug = fabric((200, 194, 182), 22, strength=0.6)
    stage.add(
        "other", rounded_box((2.0, 1.4, 0.014), 0.006).moved(2.2, 2.7, 0.001), rug, rough=1.0, specular=0.05, repeat=4
    )
    for start in (1.3, 3.25):
        hang = wavy_sheet(0.42, 2.62, 0.045, 6, int(start * 10)).moved(0, 0, 0.05, 90).moved(0.1, start, 0)
        stage.add("other", hang, fabric((206, 204, 198), 31), rough=1.0, specular=0.05, repeat=2)
    picture(stage, 2.0, depth - 0.016, 1.5, (1.1, 0.7), 33)
    stage.add("other", rounded_box((0.36, 1.5, 0.03), 0.005).moved(width - 0.19, 3.2, 1.3), WHITE, rough=0.4)
    for k, tone in enumerate(
        ((150, 52, 44), (44, 78, 96), (206, 176, 112), (70, 84, 62), (226, 222, 212), (54, 48, 60))
    ):
        book = rounded_box((0.17, 0.04, 0.24 + 0.014 * (k % 3)), 0.003).moved(width - 0.16, 2.7 + 0.05 * k, 1.33)
        stage.add("other", book, tone, rough=0.55)
    stage.add("other", lathe([(0, 0), (0.06, 0), (0.09, 0.12), (0.05, 0.26)]).moved(width - 0.18, 3.5, 1.33), METAL)
    if not look.bare:
        cube = rounded_box((0.44, 0.44, 0.42), 0.05).moved(3.95, 2.75, 0, 24)
        stage.add("extra", cube, fabric((70, 104, 110), 16), rough=0.95, specular=0.1, repeat=2)


ROOMS = {
    "hall": Set(
        hall, Camera((0.75, 0.2, 1.65), (1.75, 4.8, 1.15), 72), 1.15, (0.97, 1.0, 1.05), (0.5, 1.6, 2.6, 3.6), 103
    ),
    "loft": Set(
        loft, Camera((3.35, 0.15, 2.15), (2.35, 4.4, 1.05), 74), 0.95, (0.96, 1.0, 1.08), (1.0, 1.4, 4.2, 3.2), 104
    ),
}
