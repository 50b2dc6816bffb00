"""Products by number: form, size, colours, print, ground, light and camera, the same for the same seed.

What is drawn here is built in `_products_random.py`; these are numbers only, and need no renderer.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from _chance import one
from _look import Tone

__all__ = ["FINISHES", "FORMS", "Drawn", "Lamp", "Print", "draw"]

Range = tuple[float, float]

FORMS: Final[dict[str, tuple[Range, Range, Range]]] = {
    "box": ((0.07, 0.2), (0.04, 0.12), (0.08, 0.24)),
    "shoebox": ((0.2, 0.3), (0.13, 0.18), (0.08, 0.12)),
    "book": ((0.12, 0.19), (0.015, 0.045), (0.17, 0.26)),
    "tin": ((0.06, 0.12), (0.0, 0.0), (0.06, 0.18)),
    "bottle": ((0.05, 0.1), (0.0, 0.0), (0.14, 0.28)),
    "mug": ((0.07, 0.1), (0.0, 0.0), (0.08, 0.12)),
    "vase": ((0.1, 0.18), (0.0, 0.0), (0.14, 0.26)),
    "case": ((0.14, 0.26), (0.07, 0.12), (0.1, 0.2)),
}
"""Form -> least and most width, depth and height in metres; what is turned on a lathe is as deep as it is wide."""
FINISHES: Final[dict[str, dict[str, float]]] = {
    "matte": {"rough": 0.9, "specular": 0.15},
    "satin": {"rough": 0.36, "specular": 0.5},
    "glossy": {"rough": 0.1, "specular": 0.5, "coat": 0.8},
}
_WORDS: Final = (
    "MORNING", "HARVEST", "Garden", "Linen", "SONORA", "Palette", "Cedar", "Salt", "NORTH", "Amber", "Studio", "Paper",
    "Olive", "Field Notes", "ORIENT", "Mild", "Green Tea", "Body Oil", "Atelier", "Harbour", "MAISON", "Plain Goods",
)  # fmt: skip
_SMALL: Final = (
    "250 ml", "first harvest   80 g", "No. 7", "bergamot & cedar", "est. 1984", "made by hand", "100% cotton",
    "two-band receiver", "coffee & set no. 3", "keep in a cool, dry place",
)  # fmt: skip
_LIGHTS: Final[tuple[tuple[float, float, float], ...]] = (
    (1.0, 1.0, 1.0), (0.93, 1.0, 1.1), (0.8, 0.96, 1.25), (1.12, 0.98, 0.86), (1.35, 0.97, 0.62), (1.0, 0.97, 0.92),
)  # fmt: skip
"""Colours of lamps and windows: white, a grey and a blue sky, warm and very warm bulbs, flash."""


@dataclass(frozen=True)
class Print:
    """What is printed on the front, and on what."""

    lines: tuple[tuple[str, float], ...]
    """Words, and their size on that of the largest line."""
    size: float
    """Of the largest line, as a part of the front's height."""
    ink: Tone
    paper: Tone | None
    """A label's colour; None where the print is on the body itself."""
    cover: tuple[float, float] = (1.0, 1.0)
    """Width and height that a label covers of the front, which is body for the greater part."""


@dataclass(frozen=True)
class Lamp:
    """A square lamp or a window that looks at the product."""

    place: tuple[float, float, float]
    """Metres."""
    side: float
    """Metres."""
    power: tuple[float, float, float]
    """Radiance by channel."""


@dataclass(frozen=True)
class Drawn:
    """One product and its photo."""

    form: str
    """One of FORMS."""
    size: tuple[float, float, float]
    """Width, depth, height in metres."""
    turn: float
    """Degrees about the vertical axis; 0 shows the front."""
    finish: str
    """One of FINISHES."""
    tone: Tone
    """Of the body."""
    second: Tone
    """Of what else it has: a cap, a lid, pages, a lining."""
    metal: bool
    """Whether that is of metal."""
    label: Print | None
    grounds: tuple[Tone, ...]
    """Paper that bends up behind the product; or a table and the wall behind it."""
    lamps: tuple[Lamp, ...]
    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    angle: float
    """Degrees that the camera sees from left to right."""
    balance: tuple[float, float, float]
    """White balance by channel."""
    bright: float
    """How bright the photo is: linear light of what is brightest of ground and repainted body, in its median."""
    curve: str
    """"srgb" or "film"."""


def draw(seed: int) -> Drawn:
    """The product of a number."""
    rng = np.random.default_rng((seed, 3))
    form = one(rng, list(FORMS))
    width, depth, height = (float(rng.uniform(*limits)) for limits in FORMS[form])
    depth = depth or width
    ground = _pale(rng) if rng.random() < 0.7 else _any(rng)
    tone = _body(rng, ground)
    lamps, balance = _light(rng)
    eye, target, angle = _camera(rng, (width, depth, height))
    return Drawn(
        form=form,
        size=(width, depth, height),
        turn=float(rng.uniform(-38, 38)),
        finish=one(rng, list(FINISHES)),
        tone=tone,
        second=one(rng, [(232, 226, 214), (38, 36, 36), _any(rng)]),
        metal=bool(rng.random() < 0.3),
        label=_label(rng, tone, form),
        grounds=(ground, _pale(rng)) if rng.random() < 0.2 else (ground,),
        lamps=lamps,
        eye=eye,
        target=target,
        angle=angle,
        balance=balance,
        bright=float(rng.uniform(0.5, 0.9)),
        curve="film" if rng.random() < 0.25 else "srgb",
    )


def _body(rng: np.random.Generator, ground: Tone) -> Tone:
    """Any colour; one time in five white, one in ten black, one in ten near the ground's."""
    kind = rng.random()
    if kind < 0.2:
        return _near(rng, (238, 237, 233), 8)
    if kind < 0.3:
        return _near(rng, (32, 31, 33), 8)
    return _near(rng, ground, 16) if kind < 0.4 else _any(rng)


def _any(rng: np.random.Generator) -> Tone:
    """Any colour that a coat may have."""
    value = colorsys.hsv_to_rgb(rng.random(), rng.beta(1.6, 1.6) * 0.85, rng.uniform(0.2, 0.92))
    red, green, blue = (round(255 * v) for v in value)
    return red, green, blue


def _pale(rng: np.random.Generator) -> Tone:
    """White, grey, or a tint of paper."""
    return _near(rng, (level := int(rng.integers(170, 244)), level, level), 9)


def _near(rng: np.random.Generator, tone: Sequence[int], apart: int) -> Tone:
    red, green, blue = (int(np.clip(v + rng.integers(-apart, apart + 1), 12, 245)) for v in tone)
    return red, green, blue


def _label(rng: np.random.Generator, tone: Tone, form: str) -> Print | None:
    """Print on the body or on a label, in an ink that can be read; no label lies on a vase's bulge."""
    if rng.random() < 0.25:
        return None
    paper = one(rng, [(240, 236, 226), (238, 238, 238), _any(rng)]) if rng.random() < 0.4 and form != "vase" else None
    dark = float(np.dot(paper or tone, (0.3, 0.59, 0.11))) > 120
    ink = one(rng, [(44, 40, 36), (28, 40, 70), (96, 28, 26)] if dark else [(244, 242, 234), (230, 206, 140)])
    title = " ".join(one(rng, _WORDS) for _ in range(int(rng.integers(1, 3))))
    rest = [(one(rng, _SMALL), float(rng.uniform(0.35, 0.6))) for _ in range(int(rng.integers(0, 3)))]
    cover = (float(rng.uniform(0.5, 0.75)), float(rng.uniform(0.4, 0.65))) if paper else (1.0, 1.0)
    return Print(((title, 1.0), *rest), float(rng.uniform(0.14, 0.3)), ink, paper, cover)


def _light(rng: np.random.Generator) -> tuple[tuple[Lamp, ...], tuple[float, float, float]]:
    """A key lamp or window, a weaker one across, light from above; and a white balance that is roughly the key's."""
    across = float(rng.choice([-1.0, 1.0]))
    key, fill = np.array(one(rng, _LIGHTS)), np.array(one(rng, _LIGHTS))
    top = (key + fill) / 2

    def lamp(place: tuple[float, float, float], side: float, colour: np.ndarray, strength: float) -> Lamp:
        red, green, blue = (float(v) for v in colour * strength / side**2)
        return Lamp(place, side, (red, green, blue))

    lamps = (
        lamp((across * rng.uniform(0.5, 1.2), -rng.uniform(0.4, 1.0), rng.uniform(0.4, 1.2)),
             float(rng.choice([0.08, 0.35, 0.6, 0.9])), key, 4.0),
        lamp((-across * rng.uniform(0.8, 1.2), -rng.uniform(0.2, 0.8), rng.uniform(0.4, 0.9)), 0.8, fill,
             float(rng.uniform(0.3, 2.0))),
        lamp((0.0, 0.1, 1.6), 1.2, top, float(rng.uniform(1.0, 4.0))),
    )  # fmt: skip
    red, green, blue = (float(v) for v in (key[1] / key) ** rng.uniform(0.4, 1.0))
    return lamps, (red, green, blue)


def _camera(
    rng: np.random.Generator, size: tuple[float, float, float]
) -> tuple[tuple[float, float, float], tuple[float, float, float], float]:
    """Eye, target, angle: the product covers half to four fifths of the photo's height or width."""
    width, depth, height = size
    angle, share = float(rng.uniform(24, 34)), rng.uniform(0.5, 0.8)
    up, aside = np.radians(rng.uniform(5, 38)), np.radians(rng.uniform(-12, 12))
    seen = max(4 / 3 * (height * np.cos(up) + depth * np.sin(up)), np.hypot(width, depth)) / share
    far = seen / 2 / np.tan(np.radians(angle) / 2) + depth / 2
    target = np.array([rng.uniform(-0.08, 0.08) * seen, 0.0, 0.48 * height + rng.uniform(-0.03, 0.06) * seen])
    eye = target + far * np.array([np.sin(aside) * np.cos(up), -np.cos(aside) * np.cos(up), np.sin(up)])
    (ex, ey, ez), (tx, ty, tz) = eye.tolist(), target.tolist()
    return (ex, ey, ez), (tx, ty, tz), angle
