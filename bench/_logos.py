"""Products with a logo: within it the surface is the one rendered in another paint, so its light and gloss are true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from _truth import PAINTS, SCENES, Bits
from numpy.typing import NDArray

from engine.colour import to_bytes, to_linear
from engine.types import Mask, Rgb

__all__ = ["MARKS", "Marked", "marked", "table"]

_FINE: Final = 4
"""Pixels of the drawing in one of the photo, each way."""
_PLACES: Final = {"tin": (345, 208, 28), "jug": (352, 448, 40), "vase": (385, 425, 42), "radio": (395, 420, 20)}
"""Where a mark is put: x, y and radius, pixels."""

Points = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Marked:
    """A product with a logo."""

    name: str
    """Scene, paint of the logo, mark."""
    rgb: Rgb
    """(H, W, 3) the photo."""
    logo: Bits
    """(H, W) pixels that show more logo than surface."""


def _star() -> list[Points]:
    turns = np.arange(10) * np.pi / 5
    radius = np.where(np.arange(10) % 2, 0.42, 1.0)
    return [list(zip(np.sin(turns) * radius, -np.cos(turns) * radius, strict=True))]


def _peaks() -> list[Points]:
    return [[(-1, 0.7), (-0.3, -0.6), (0.1, 0.15), (0.35, -0.2), (1, 0.7)], [(0.5, -0.8), (0.8, -0.8), (0.65, -0.5)]]


def _ring() -> list[Points]:
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wide, narrow = (list(zip(np.cos(turns) * r, np.sin(turns) * r, strict=True)) for r in (1.0, 0.74))
    return [wide, narrow, [(0, -0.5), (0.43, 0.25), (-0.43, 0.25)]]


MARKS: Final[dict[str, Callable[[], list[Points]]]] = {"star": _star, "peaks": _peaks, "ring": _ring}
"""Name of a mark -> its outlines about 0, 1 its radius; where two lie on each other is none of it."""


def marked(name: str, paint: str, mark: str) -> Marked:
    """A product of the truth set in its own colour, with a mark in one of the paints."""
    scene = SCENES[name]
    share = _drawn(scene.base().shape[:2], mark, *_PLACES[name])
    other = scene.truth(f"body-{paint}")
    mixed = to_linear(scene.base()) * (1 - share[..., None]) + to_linear(other) * share[..., None]
    photo = np.where(share[..., None] > 0, to_bytes(mixed), scene.base())
    return Marked(f"{name}, {paint} {mark}", photo, share > 0.5)


def _drawn(size: tuple[int, int], mark: str, x: int, y: int, radius: int) -> NDArray[np.float32]:
    """(H, W) float32, 0..1: what a mark covers of every pixel."""
    large: Mask = np.zeros((size[0] * _FINE, size[1] * _FINE), np.uint8)
    outlines = [np.rint((np.array(line) * radius + (x, y)) * _FINE).astype(np.int32) for line in MARKS[mark]()]
    cv2.fillPoly(large, outlines, 255)
    share: NDArray[np.float32] = cv2.resize(large, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return share


def _cases() -> Iterator[Marked]:
    for name, scene in SCENES.items():
        if scene.kind == "product":
            yield from (marked(name, paint, mark) for paint in PAINTS for mark in MARKS)


def table(find: Callable[[Rgb], tuple[float, Bits]]) -> None:
    """Print what is found of every logo, and on the same products without one; `find` gives confidence and mask."""
    print(f"{'logo':34}confidence     IoU  recall")
    for case in _cases():
        sure, mine = find(case.rgb)
        both = float((mine & case.logo).sum())
        figures = f"{both / (mine | case.logo).sum():8.2f}{both / case.logo.sum():8.2f}" if mine.any() else "  missed"
        print(f"{case.name:34}{sure:10.2f}{figures}")
    bare = [scene.truth(f"body-{paint}") for scene in SCENES.values() if scene.kind == "product" for paint in PAINTS]
    bare += [scene.base() for scene in SCENES.values() if scene.kind == "product"]
    print(f"of {len(bare)} photos without a logo, {sum(bool(find(rgb)[1].any()) for rgb in bare)} are said to have one")
