"""What a recolour costs: mask, matte, fit and composite, beside a flat fill in the same run.

    python bench/apply.py [--runs 5]

The peer is the least a program could do: blend one flat colour through the mask with float32 numpy. It keeps no light,
no texture and no soft edge. Every size runs in a process of its own, so that peak memory is that size's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.apply import Region, composite, fit
from engine.masks import binary, label_map
from engine.matte import soft_matte
from engine.types import Instance, Photo, Recolor, Rgb

TARGET = (143, 167, 143)
SIZES = {"1 MP": (866, 1155), "4 MP": (1732, 2309), "12 MP": (3000, 4000)}


def wall(height: int, width: int) -> Photo:
    """A plastered wall in a light that falls off, with grain, a dark opening in the middle."""
    rng = np.random.default_rng(1)
    light = (
        np.linspace(0.35, 0.95, width, dtype=np.float32)[None] * np.linspace(1, 0.7, height, dtype=np.float32)[:, None]
    )
    grey = light * 200 + rng.normal(0, 2, (height, width)).astype(np.float32)
    rgb = np.stack([np.clip(grey * k, 0, 255) for k in (1.0, 0.94, 0.88)], axis=-1).astype(np.uint8)
    cv2.rectangle(rgb, (width // 3, height // 3), (2 * width // 3, height), (38, 32, 30), -1)
    return Photo(cv2.GaussianBlur(rgb, (3, 3), 0))


def coarse_mask(side: int = 288) -> NDArray[np.float32]:
    mask = np.ones((side, side), np.float32)
    mask[side // 3 :, side // 3 : 2 * side // 3] = 0
    return cv2.GaussianBlur(mask, (3, 3), 0)


def flat_fill(rgb: Rgb, mask: NDArray[np.uint8]) -> Rgb:
    share = (mask > 0).astype(np.float32)[..., None]
    return (rgb.astype(np.float32) * (1 - share) + np.array(TARGET, np.float32) * share).astype(np.uint8)


def median_ms(runs: int, work: Callable[[], object]) -> float:
    took = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def peak_bytes() -> int:
    """Highest resident size since `reset_peak` (Linux)."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def measure(name: str, runs: int) -> tuple[list[float], float]:
    """[mask, matte, fit + composite, flat fill] in ms, and the engine's peak memory over the decoded photo's size."""
    cv2.setNumThreads(1)
    photo = wall(*SIZES[name])
    rgb = photo.rgb
    instance = Instance(1.0, (0, 0, 1, 1), coarse_mask())
    before = reset_peak()

    def paint() -> None:
        out = rgb.copy()
        fitted = fit(Recolor(TARGET), region)
        assert fitted is not None
        composite(out, region, fitted)

    mask_ms = median_ms(runs, lambda: label_map(photo, [instance]))
    mask = binary(label_map(photo, [instance]))
    matte_ms = median_ms(runs, lambda: soft_matte(rgb, mask))
    region = Region(rgb, (slice(0, rgb.shape[0]), slice(0, rgb.shape[1])), mask, soft_matte(rgb, mask))
    paint_ms = median_ms(runs, paint)
    peak = (peak_bytes() - before) / rgb.nbytes + 1
    return [mask_ms, matte_ms, paint_ms, median_ms(runs, lambda: flat_fill(rgb, mask))], peak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print("ms, one thread   mask   matte   paint   whole   flat fill   ratio   peak memory / photo")
    context = multiprocessing.get_context("spawn")
    for name in SIZES:
        with context.Pool(1) as pool:
            (mask, matte, paint, flat), peak = pool.apply(measure, (name, runs))
        whole = mask + matte + paint
        columns = f"{mask:7.0f} {matte:7.0f} {paint:7.0f} {whole:7.0f} {flat:11.0f} {whole / flat:7.2f} {peak:15.1f}"
        print(f"{name:>14} {columns}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
