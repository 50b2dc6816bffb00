"""`quality.py --action album`: one thing photographed in several lights, before and after one rule for all.

The rule's colour is fixed, or one of the photos sets it: then that photo stays as it is and the others are to look like
it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import numpy as np
from _figures import difference, lab
from _truth import ALBUMS, Bits, photographed

from engine.types import Rgb

__all__ = ["run"]

Colour = tuple[int, int, int]
Paint = Callable[[Rgb, Bits, Bits, Colour], Rgb]
"""(photo, surface, what lies on it, target) -> result."""
Measure = Callable[[Rgb, Bits, Bits], Colour]
"""(photo, surface, what lies on it) -> the colour that the surface shows."""

_TARGET: Final = (143, 167, 143)


def run(paint: Paint, measure: Measure) -> list[dict[str, Any]]:
    """Print a line for the fixed colour and one for each photo that sets it, an album at a time.

    Columns: the mean and the greatest CIEDE2000 between the median colours of the photos' surfaces before and after;
    how far the furthest lies from the fixed colour, or from the median of the photo that sets it; and shading, the 90th
    percentile of L* less the 10th, in the photos and in the results that were painted (means).
    """
    print(f"{'album':10}{'colour of':20}{'before: mean':>13}{'max':>7}{'after: mean':>13}{'max':>7}{'away':>7}"
          f"{'shading before':>16}{'after':>7}")  # fmt: skip
    rows = []
    for album, names in ALBUMS.items():
        photos = {name: photographed(name) for name in names}
        for source in (None, *names):
            row = _row(photos, source, paint, measure)
            colour_of = source or "#{:02X}{:02X}{:02X}".format(*_TARGET)
            rows.append({"album": album, "reference": source, **row})
            print(
                f"{album:10}{colour_of:20}{row['before_mean']:13.2f}{row['before_max']:7.2f}"
                f"{row['after_mean']:13.2f}{row['after_max']:7.2f}{row['from_target']:7.2f}"
                f"{row['shading_before']:16.2f}{row['shading_after']:7.2f}"
            )
    return rows


def _row(
    photos: dict[str, tuple[Rgb, Bits, Bits]], source: str | None, paint: Paint, measure: Measure
) -> dict[str, float]:
    target = _TARGET if source is None else measure(*photos[source])
    before = {name: _seen(rgb, body) for name, (rgb, body, _) in photos.items()}
    after = {
        name: before[name] if name == source else _seen(paint(rgb, body, text, target), body)
        for name, (rgb, body, text) in photos.items()
    }
    goal = lab(np.array(_TARGET, np.uint8)) if source is None else before[source][0]
    painted = [name for name in photos if name != source]
    mean_before, max_before = _spread([colour for colour, _ in before.values()])
    mean_after, max_after = _spread([colour for colour, _ in after.values()])
    return {
        "before_mean": mean_before,
        "before_max": max_before,
        "after_mean": mean_after,
        "after_max": max_after,
        "from_target": max(float(difference(after[name][0], goal)) for name in painted),
        "shading_before": float(np.mean([before[name][1] for name in painted])),
        "shading_after": float(np.mean([after[name][1] for name in painted])),
    }


def _seen(rgb: Rgb, where: Bits) -> tuple[Any, float]:
    """Median colour of a surface as Lab, and the range of its shading in L*."""
    low, high = np.percentile(lab(rgb[where])[..., 0], (10, 90))
    return lab(np.median(rgb[where], axis=0).astype(np.uint8)), float(high - low)


def _spread(colours: list[Any]) -> tuple[float, float]:
    away = [float(difference(a, b)) for a, b in combinations(colours, 2)]
    return float(np.mean(away)), max(away)
