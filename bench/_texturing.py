"""`quality.py --action texture`: a floor in another material, against the scene rendered with it.

Every method is told where the floor lies (four corners of a rectangle, as a user would set them), and gets the pattern
in the median colour that the true floor has, as recolor does. `ours` is the engine; `ours_alone` has to find the plane
by itself, so its joints lie elsewhere than the truth's and SSIM says little of it. `tiles` pastes the pattern flat, as
large as it is in the middle of the floor. `plane` lays it in perspective, unlit. `plane_light` also multiplies by the
floor's own lightness over its median.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from _figures import difference, lab
from _side_by_side import side_by_side
from _truth import SCENES, Bits, Floor, Scene, varied
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from engine.apply import composite, fit_texture, region_of
from engine.colour import LUMA, Linear, to_bytes, to_linear
from engine.patterns import Sheet
from engine.planes import Facet, facets_of, view_of
from engine.types import Rgb

__all__ = ["METHODS", "run"]

_FINE: Final = 3
"""Samples of the pattern a pixel and side."""


@dataclass(frozen=True)
class Figures:
    """The new floor against the true one."""

    median: float
    """Median CIEDE2000."""
    p95: float
    ssim: float
    """Mean SSIM of L*."""
    colour: float
    """CIEDE2000 of the two floors' mean colours."""


def _plane(floor: Floor, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Pixels -> metres of the floor, (3, 3), w > 0 before the horizon."""
    (x, y), (width, depth) = floor.origin, floor.metres
    corners = np.array([(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(floor.quad.astype(np.float32), corners), np.float64)
    return matrix if matrix[2] @ (*floor.quad.mean(axis=0), 1) > 0 else -matrix


def _laid(pattern: Rgb, floor: Floor, inside: Bits) -> Linear:
    """(N, 3) linear light of the pattern at the pixels `inside`, in perspective."""
    rows, columns = np.nonzero(inside)
    to_metres, per_metre = _plane(floor, inside.shape), len(pattern) / floor.pattern_side
    light, total = to_linear(pattern), np.zeros((len(rows), 3), np.float32)
    for dy in (np.arange(_FINE) + 0.5) / _FINE:
        for dx in (np.arange(_FINE) + 0.5) / _FINE:
            x, y, w = to_metres @ np.stack([columns + dx, rows + dy, np.ones(len(rows))])
            at = [(v / w * per_metre).astype(int) % len(pattern) for v in (y, x)]
            total += light[at[0], at[1]]
    return total / _FINE**2


def _ours(photo: Rgb, inside: Bits, floor: Floor, pattern: Rgb) -> Rgb:
    return _engine(photo, inside, pattern, floor, (Facet(_plane(floor, inside.shape)),))


def _ours_alone(photo: Rgb, inside: Bits, floor: Floor, pattern: Rgb) -> Rgb:
    mask = inside.astype(np.uint8) * 255
    return _engine(photo, inside, pattern, floor, facets_of(mask, view_of(photo), "floor", 1.0))


def _engine(photo: Rgb, inside: Bits, pattern: Rgb, floor: Floor, facets: Sequence[Facet]) -> Rgb:
    """The engine's texture with this pattern as its sheet."""
    light, side = to_linear(pattern), floor.pattern_side
    mask = inside.astype(np.uint8) * 255
    region = region_of(photo, mask, np.zeros_like(mask), np.full_like(mask, 255))
    assert region is not None
    red, green, blue = (int(v) for v in to_bytes(np.median(light, axis=(0, 1))))
    paint = fit_texture(region, Sheet(light, (side, side)), (red, green, blue), facets)
    assert paint is not None
    result = photo.copy()
    composite(result, region, paint)
    return result


def _tiles(photo: Rgb, inside: Bits, floor: Floor, pattern: Rgb) -> Rgb:
    ys, xs = np.nonzero(inside)
    x, _, w = _plane(floor, inside.shape) @ np.array([[np.median(xs)] * 2, [np.median(ys)] * 2, [1, 1]])
    x2, _, w2 = _plane(floor, inside.shape) @ np.array([np.median(xs) + 1, np.median(ys), 1])
    side = max(8, round(floor.pattern_side / abs(x2 / w2 - x[0] / w[0])))
    small = cv2.resize(pattern, (side, side), interpolation=cv2.INTER_AREA)
    result = photo.copy()
    result[inside] = small[ys % side, xs % side]
    return result


def _unlit(photo: Rgb, inside: Bits, floor: Floor, pattern: Rgb) -> Rgb:
    result = photo.copy()
    result[inside] = to_bytes(_laid(pattern, floor, inside))
    return result


def _lit(photo: Rgb, inside: Bits, floor: Floor, pattern: Rgb) -> Rgb:
    light = to_linear(photo)[inside] @ LUMA
    result = photo.copy()
    result[inside] = to_bytes(_laid(pattern, floor, inside) * (light / np.median(light))[:, None])
    return result


METHODS: Final[Mapping[str, Callable[[Rgb, Bits, Floor, Rgb], Rgb]]] = {
    "ours": _ours,
    "ours_alone": _ours_alone,
    "tiles": _tiles,
    "plane": _unlit,
    "plane_light": _lit,
}
"""Method -> (photo, floor's mask, floor's plane, pattern) -> result."""


def _figures(result: Rgb, truth: Rgb, inside: Bits) -> Figures:
    mine, real = lab(result), lab(truth)
    away = difference(mine[inside], real[inside])
    _, likeness = structural_similarity(mine[..., 0], real[..., 0], data_range=100, gaussian_weights=True, full=True)
    means = [lab(to_bytes(to_linear(rgb)[inside].mean(axis=0))) for rgb in (result, truth)]
    return Figures(
        float(np.median(away)),
        float(np.percentile(away, 95)),
        float(likeness[inside].mean()),
        float(difference(means[0], means[1])),
    )


def _exposed(pattern: Rgb, truth: Rgb) -> Rgb:
    """The pattern with the median colour that the true floor (N, 3) has in the photo."""
    light = to_linear(pattern)
    return to_bytes(light * (np.median(to_linear(truth), axis=0) / np.median(light, axis=(0, 1))))


def _retextured(scenes: Sequence[str]) -> list[Scene]:
    return [SCENES[name] for name in scenes if SCENES[name].texture is not None]


def run(scenes: Sequence[str], methods: Sequence[str], variant: str, sheets: Path | None) -> list[dict[str, Any]]:
    """Print the table; the rows as they are written to a file."""
    print(f"{'scene':12}{'half':10}{'method':16}{'median':>7}{'p95':>7}{'SSIM':>7}{'colour':>8}")
    rows = []
    for scene in _retextured(scenes):
        photo, truth, inside = varied(scene.base(), variant), scene.truth("texture"), scene.mask("floor", "grout")
        pattern = _exposed(scene.pattern(), truth[inside])
        for method in methods:
            result = METHODS[method](photo, inside, scene.floor(), pattern)
            found = _figures(result, truth, inside)
            rows.append({"scene": scene.name, "half": scene.half, "method": method, **asdict(found)})
            figures = f"{found.median:7.2f}{found.p95:7.2f}{found.ssim:7.3f}{found.colour:8.2f}"
            print(f"{scene.name:12}{scene.half:10}{method:16}{figures}")
            if sheets is not None:
                side_by_side(photo, result, truth, inside, method).save(
                    sheets / f"{scene.name}-{method}.jpg", quality=88
                )
    return rows
