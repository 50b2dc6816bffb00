"""`quality.py --action remove`: a thing taken away, against the scene that was rendered without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from _figures import difference, lab
from _masks_used import replayed
from _side_by_side import side_by_side
from _truth import SCENES, Bits, varied
from skimage.metrics import structural_similarity

from engine.matte import reach
from engine.pipeline import render
from engine.types import Layer, Photo, Recipe, Remove, Rgb

__all__ = ["METHODS", "run"]


@dataclass(frozen=True)
class Figures:
    """What is in the thing's place, against what is really behind it."""

    psnr: float
    """dB, over the thing's pixels and three channels."""
    ssim: float
    """Mean SSIM of L* in the thing's place."""
    median: float
    """Median CIEDE2000."""
    p95: float
    outside: int
    """Changed pixels further from the thing than the engine may reach."""


def _ours(photo: Rgb, thing: Bits) -> Rgb:
    found = replayed("extra", thing)
    recipe = Recipe((found.prompt,), (Layer("extra", Remove()),))
    return render(Photo(photo), [found], recipe, source="replay").photo.rgb


def _inpaint(way: int) -> Callable[[Rgb, Bits], Rgb]:
    def fill(photo: Rgb, thing: Bits) -> Rgb:
        """OpenCV's own, on a hole as much wider than the thing as the engine's."""
        side = 2 * reach(thing.shape) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return np.asarray(cv2.inpaint(photo, cv2.dilate(thing.astype(np.uint8) * 255, disc), 5, way))

    return fill


METHODS: Final[Mapping[str, Callable[[Rgb, Bits], Rgb]]] = {
    "ours": _ours,
    "inpaint_telea": _inpaint(cv2.INPAINT_TELEA),  # Telea 2004
    "inpaint_ns": _inpaint(cv2.INPAINT_NS),  # Bertalmio, Bertozzi and Sapiro 2001
}


def _figures(result: Rgb, truth: Rgb, photo: Rgb, thing: Bits) -> Figures:
    mine, real = lab(result), lab(truth)
    away = difference(mine[thing], real[thing])
    square = np.mean((result[thing].astype(np.float64) - truth[thing]) ** 2)
    _, likeness = structural_similarity(mine[..., 0], real[..., 0], data_range=100, gaussian_weights=True, full=True)
    far = cv2.distanceTransform((~thing).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > reach(thing.shape)
    return Figures(
        float(10 * np.log10(255**2 / max(square, 1e-9))),
        float(likeness[thing].mean()),
        float(np.median(away)),
        float(np.percentile(away, 95)),
        int(((result != photo).any(axis=2) & far).sum()),
    )


def run(scenes: Sequence[str], methods: Sequence[str], variant: str, sheets: Path | None) -> list[dict[str, Any]]:
    """Print the table; the rows as they are written to a file."""
    print(f"{'scene':12}{'half':10}{'method':16}{'PSNR':>7}{'SSIM':>7}{'median':>8}{'p95':>7}{'outside':>9}")
    rows = []
    for name in scenes:
        scene = SCENES[name]
        photo, truth, thing = varied(scene.base(), variant), scene.truth("removed"), scene.mask("extra")
        for method in methods:
            result = METHODS[method](photo, thing)
            found = _figures(result, truth, photo, thing)
            rows.append({"scene": name, "half": scene.half, "method": method, **asdict(found)})
            print(
                f"{name:12}{scene.half:10}{method:16}{found.psnr:7.1f}{found.ssim:7.3f}"
                f"{found.median:8.2f}{found.p95:7.2f}{found.outside:9d}"
            )
            if sheets is not None and method == "ours":
                side_by_side(photo, result, truth, thing).save(sheets / f"{name}-removed.jpg", quality=88)
    for method in methods:
        mine = [row for row in rows if row["method"] == method]
        middle = [float(np.median([row[key] for row in mine])) for key in ("psnr", "ssim", "median", "p95")]
        print(f"{'median':22}{method:16}{middle[0]:7.1f}{middle[1]:7.3f}{middle[2]:8.2f}{middle[3]:7.2f}")
    return rows
