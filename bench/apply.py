"""What a recolour costs: mask, matte, fit and composite, beside a flat fill in the same run.

    python bench/apply.py [--runs 5] [--size "12 MP"]

Two surfaces: a wall in another colour, and a black, glossy one made light, whose noise is filtered before it is
amplified. Each with one thread and with as many as there are cores; ratios are of CPU time, which other work on the
machine changes little. The peer is the least a program could do: blend
one flat colour through the mask with float32 numpy, on one thread. It keeps no light, no texture and no soft edge.
Every row runs in a process of its own, so that peak memory is that row's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys

import _path  # noqa: F401
import cv2
import numpy as np
from _cost import Cost, Watch, peak_bytes, reset_peak
from numpy.typing import NDArray

from engine import set_threads, usable_cores, warm_up
from engine.apply import Region, composite, fit
from engine.masks import binary, label_map
from engine.matte import soft_matte
from engine.types import Instance, Photo, Recolor, Rgb

TARGETS = {"wall": (143, 167, 143), "black gloss": (236, 232, 224)}
SIZES = {"1 MP": (866, 1155), "4 MP": (1732, 2309), "12 MP": (3000, 4000), "50 MP": (6124, 8165)}


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


def black_gloss(height: int, width: int) -> Photo:
    """The same in black, with a window's reflection."""
    rgb = wall(height, width).rgb // 12
    cv2.rectangle(rgb, (width // 10, height // 8), (width // 5, height // 3), (228, 232, 240), -1)
    return Photo(cv2.GaussianBlur(rgb, (5, 5), 0))


SURFACES = {"wall": wall, "black gloss": black_gloss}


def coarse_mask(side: int = 288) -> NDArray[np.float32]:
    mask = np.ones((side, side), np.float32)
    mask[side // 3 :, side // 3 : 2 * side // 3] = 0
    return cv2.GaussianBlur(mask, (3, 3), 0)


def flat_fill(rgb: Rgb, mask: NDArray[np.uint8]) -> Rgb:
    share = (mask > 0).astype(np.float32)[..., None]
    return (rgb.astype(np.float32) * (1 - share) + np.array(TARGETS["wall"], np.float32) * share).astype(np.uint8)


def recolour(photo: Photo, action: Recolor, watch: Watch) -> None:
    rgb, instance = photo.rgb, Instance(1.0, (0, 0, 1, 1), coarse_mask())
    mask = binary(watch.run("mask", lambda: label_map(photo, [instance])))
    matte = watch.run("matte", lambda: soft_matte(rgb, mask))
    region = Region(rgb, (slice(0, rgb.shape[0]), slice(0, rgb.shape[1])), mask, matte)
    paint, out = watch.run("fit", lambda: fit(action, region)), rgb.copy()
    assert paint is not None
    watch.run("composite", lambda: composite(out, region, paint))


def measure(name: str, surface: str, threads: int, runs: int) -> tuple[list[Cost], Cost, float]:
    """The engine's stages, flat fill, and the engine's peak memory over the decoded photo's size."""
    cv2.setNumThreads(1)
    set_threads(threads)
    warm_up()
    photo, action = SURFACES[surface](*SIZES[name]), Recolor(TARGETS[surface])
    ours, flat, before = Watch(), Watch(), reset_peak()
    for _ in range(runs):
        recolour(photo, action, ours)
    peak = (peak_bytes() - before) / photo.rgb.nbytes + 1
    mask = np.full(photo.size, 255, np.uint8)
    for _ in range(runs):
        flat.run("flat", lambda: flat_fill(photo.rgb, mask))
    return list(ours.least.values()), flat.least["flat"], peak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", choices=SIZES, help="one size instead of all")
    chosen = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("| photo | surface | threads | mask | matte | fit | composite | ms | CPU ms | x flat fill | memory / photo |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name in SIZES if chosen.size is None else (chosen.size,):
        for surface in SURFACES:
            for threads in sorted({1, usable_cores()}):
                with context.Pool(1) as pool:
                    ours, flat, peak = pool.apply(measure, (name, surface, threads, chosen.runs))
                wall, cpu = sum(stage.wall for stage in ours), sum(stage.cpu for stage in ours)
                columns = " | ".join(f"{stage.wall:.0f}" for stage in ours)
                figures = f"{columns} | {wall:.0f} | {cpu:.0f} | {cpu / flat.cpu:.1f} | {peak:.1f}"
                print(f"| {name} | {surface} | {threads} | {figures} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
