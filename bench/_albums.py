"""`quality.py --action album`: one thing photographed in several lights, before and after one rule for all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import numpy as np
from _figures import difference, lab
from _truth import ALBUMS, Bits, photographed

from engine.types import Rgb

__all__ = ["run"]

_TARGET: Final = (143, 167, 143)


def run(paint: Callable[[Rgb, Bits, Bits, tuple[int, int, int]], Rgb]) -> list[dict[str, Any]]:
    """Print, for each album, the greatest and the mean CIEDE2000 between the median colours of its photos' surfaces.

    Args:
        paint: (photo, surface, what lies on it, target) -> result.
    """
    print(f"{'album':10}{'photos':>7}{'before: mean':>14}{'max':>7}{'after: mean':>14}{'max':>7}{'from target':>13}")
    rows = []
    for name, photos in ALBUMS.items():
        before, after = [], []
        for photo in photos:
            rgb, body, text = photographed(photo)
            before.append(_median(rgb, body))
            after.append(_median(paint(rgb, body, text, _TARGET), body))
        goal = lab(np.array(_TARGET, np.uint8))
        found = [*_spread(before), *_spread(after), max(float(difference(colour, goal)) for colour in after)]
        rows.append({"album": name, **dict(zip(_KEYS, found, strict=True))})
        print(
            f"{name:10}{len(photos):7d}{found[0]:14.2f}{found[1]:7.2f}{found[2]:14.2f}{found[3]:7.2f}{found[4]:13.2f}"
        )
    return rows


_KEYS: Final = ("before_mean", "before_max", "after_mean", "after_max", "from_target")


def _median(rgb: Rgb, where: Bits) -> Any:
    return lab(np.median(rgb[where], axis=0).astype(np.uint8))


def _spread(colours: list[Any]) -> tuple[float, float]:
    away = [float(difference(a, b)) for a, b in combinations(colours, 2)]
    return float(np.mean(away)), max(away)
