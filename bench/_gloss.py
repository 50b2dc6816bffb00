"""What shines in the truth set, known from its repaints, and how well a finder tells it from pale paint.

A repaint changes the paint and not the mirror: a pixel is colour * D + S in light, with one D and one S for all paints
(bench/truth/README.md). So two paints give S, what the coat mirrors, of every repainted pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from _curve import developed, light_of
from _truth import PAINTS, SCENES, Bits, Scene
from numpy.typing import NDArray

from engine.colour import LUMA, linear_of, to_linear
from engine.types import Rgb

__all__ = ["Case", "cases", "naive_gloss", "table"]

Floats = NDArray[np.float32]
_LAMP, _DIM = 55.0, 35.0
"""L* that a mirrored lamp has by itself at least, and that what is none has at most; between them it is undecided."""
_SEEN, _UNSEEN = 4.0, 2.0
"""L* that it adds to a paint at least, and below which it cannot be told from the paint."""
_EDGE = 5
"""Side in pixels of what is left out along an outline, where two surfaces share a pixel."""
_FEWEST = 50
"""Pixels of highlights from which a surface counts as one that has some."""


@dataclass(frozen=True, eq=False)
class Case:
    """One surface in one colour."""

    name: str
    half: str
    """"tune" or "held_out"."""
    tone: str
    """"dark", "coloured" or "white"."""
    rgb: Rgb
    shines: Bits
    """(H, W) the lamps mirrored in it."""
    dull: Bits
    """(H, W) where it mirrors none."""


def cases(names: Iterable[str] = SCENES) -> Iterator[Case]:
    """Every surface of the scenes as it is and in every paint."""
    for scene in (SCENES[name] for name in names):
        for surface in scene.surfaces:
            mirrored = _mirrored(scene, surface)
            whole = cv2.erode(scene.mask(surface).astype(np.uint8), np.ones((_EDGE, _EDGE), np.uint8)) > 0
            lamp = _lightness(developed(mirrored, scene.curve))
            for look in ("base", *PAINTS):
                rgb = scene.base() if look == "base" else scene.truth(f"{surface}-{look}")
                without = developed(light_of(rgb, scene.curve) - mirrored, scene.curve)
                added = _lightness(rgb) - _lightness(without)
                shines = whole & (lamp >= _LAMP) & (added >= _SEEN)
                dull = whole & ((lamp < _DIM) | (added < _UNSEEN))
                yield Case(f"{scene.name} {surface}, {look}", scene.half, _tone(rgb[dull]), rgb, shines, dull)


def _mirrored(scene: Scene, surface: str) -> Floats:
    """(H, W, 3) the part S of the light."""
    pale, dark = (light_of(scene.truth(f"{surface}-{paint}"), scene.curve) for paint in ("light", "dark"))
    of_pale, of_dark = (linear_of(np.array(PAINTS[paint]) / 255).astype(np.float32) for paint in ("light", "dark"))
    diffuse = np.maximum((pale - dark) / (of_pale - of_dark), 0)
    rest: Floats = np.maximum(dark - of_dark * diffuse, 0)
    return rest


def _lightness(rgb: Rgb) -> Floats:
    """(H, W) L* (CIE 1976) of a picture."""
    y = to_linear(rgb) @ LUMA
    lightness: Floats = np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, 24389 / 27 * y).astype(np.float32)
    return lightness


def _tone(pixels: NDArray[np.uint8]) -> str:
    """What a surface looks like: dark below a median L* of 35; white above 65 with a chroma below 18."""
    lab = cv2.cvtColor(pixels.reshape(1, -1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    light, a, b = np.median(lab, axis=0)
    if light < 35:
        return "dark"
    return "white" if light > 65 and np.hypot(a, b) < 18 else "coloured"


def naive_gloss(rgb: Rgb) -> Bits:
    """The peer, (H, W): bright and pale in HSV."""
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    found: Bits = (hsv[..., 2] > 0.95) & (hsv[..., 1] < 0.1)
    return found


def table(ours: Callable[[Rgb], Bits]) -> None:
    """Print how much of what shines is found, how much of what is found shines, how much of what does not is eaten."""
    print(f"{'surface':26}{'half':10}{'tone':10}{'shines':>8}   recall, precision: ours; naive")
    eaten: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for case in cases():
        masks = ours(case.rgb), naive_gloss(case.rgb)
        if case.shines.sum() >= _FEWEST:
            figures = "; ".join(_figures(mask, case) for mask in masks)
            print(f"{case.name:26}{case.half:10}{case.tone:10}{case.shines.sum():8}   {figures}")
        shares = tuple(float((mask & case.dull).sum() / case.dull.sum()) for mask in masks)
        eaten.setdefault((case.tone, case.half), []).append((shares[0], shares[1]))
    print("share of what does not shine that is taken for gloss, in thousandths: mean and worst surface, ours; naive")
    for (tone, half), rows in sorted(eaten.items()):
        words = "; ".join(f"{1000 * np.mean(part):6.2f} {1000 * max(part):6.2f}" for part in zip(*rows, strict=True))
        print(f"{tone:10}{half:10}{len(rows):4} surfaces  {words}")


def _figures(mask: Bits, case: Case) -> str:
    right, wrong = int((mask & case.shines).sum()), int((mask & case.dull).sum())
    precision = f"{right / (right + wrong):.2f}" if right + wrong else "   -"
    return f"{right / case.shines.sum():.2f} {precision}"
