"""Render every demo photo and its exact masks: `python bench/render_demo.py [NAME ...] [--spp N]`.

Needs mitsuba (3.9 was used), numpy, opencv and pillow; the scalar variant runs anywhere. The light is gathered in
passes, which tell its noise from it; the noise is filtered out and a little of a sensor's put in. The one photo that is
not rendered, `coffee`, is scikit-image's: see docs/photos.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import mitsuba as mi
import numpy as np
from PIL import Image

mi.set_variant("scalar_rgb")

from _demo_camera import probe, sensor  # noqa: E402 - mitsuba's variant must be set first
from _demo_develop import denoise, develop, merge  # noqa: E402
from _demo_house import View  # noqa: E402
from _demo_parts import Stage  # noqa: E402
from _demo_products import PRODUCTS  # noqa: E402
from _demo_rooms import HELD_OUT, ROOMS  # noqa: E402

WIDTH, HEIGHT = 1200, 900
CHECK_SIZE = (800, 600)
ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "s3palette" / "demo" / "photos"
TRUTH = ROOT / "tests" / "engine" / "truth"
CHECKS = ROOT / "tests" / "engine" / "held_out"
INTEGRATOR = {"type": "path", "max_depth": 7, "rr_depth": 4}
SPP_OF_A_PASS = 4
"""Samples a pixel between two looks for fireflies."""
LABELS = (
    "none",
    "wall",
    "floor",
    "ceiling",
    "window",
    "door",
    "molding",
    "cabinet",
    "tile",
    "tilegrout",
    "floorgrout",
    "other",
    "product",
    "text",
    "background",
)
"""Value of a truth pixel -> class. `floorgrout` lies in the floor, `text` on the product."""


def render(name: str, view: View, spp: int) -> None:
    """Write PHOTOS/name.jpg and TRUTH/name.png, or both into CHECKS."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        view.build(stage)
        scene = mi.load_dict({"type": "scene", **stage.shapes}, optimize=False)  # merged shapes lose their names
        known = probe(scene, [stage], view.camera, (WIDTH, HEIGHT), LABELS)
        tracer, camera = mi.load_dict(INTEGRATOR), mi.load_dict(sensor(view.camera, (WIDTH, HEIGHT), SPP_OF_A_PASS))
        seeds = range(view.seed * 1000, view.seed * 1000 + max(2, spp // SPP_OF_A_PASS))
        passes = [np.array(mi.render(scene, integrator=tracer, sensor=camera, seed=seed))[..., :3] for seed in seeds]
    light = denoise(*merge(np.asarray(passes, np.float32)), known.albedo, known.normal, known.depth)
    photo = develop(light, view.exposure, view.balance, view.seed)
    photos, truth, labels = PHOTOS, TRUTH, known.labels
    if name in HELD_OUT:  # both in one folder of the tests, smaller
        photos = truth = CHECKS
        photo = cv2.resize(photo, CHECK_SIZE, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(labels, CHECK_SIZE, interpolation=cv2.INTER_NEAREST)
    Image.fromarray(labels).save(truth / f"{name}.png", optimize=True)
    Image.fromarray(photo).save(photos / f"{name}.jpg", quality=90, optimize=True)
    size = (photos / f"{name}.jpg").stat().st_size // 1024
    print(f"{name}: {time.perf_counter() - start:.0f} s, {size} KB")


def main() -> None:
    """Render the photos named on the command line, or all."""
    everything = ROOMS | PRODUCTS | HELD_OUT
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(everything)}")
    parser.add_argument("--spp", type=int, default=24, help="samples a pixel")
    options = parser.parse_args()
    PHOTOS.mkdir(parents=True, exist_ok=True)
    TRUTH.mkdir(parents=True, exist_ok=True)
    CHECKS.mkdir(parents=True, exist_ok=True)
    for name in options.names or everything:
        render(name, everything[name], options.spp)


if __name__ == "__main__":
    main()
