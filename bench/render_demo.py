"""Render every demo photo and its exact masks: `python bench/render_demo.py [NAME ...] [--spp N]`.

Needs mitsuba (3.9 was used), numpy, opencv and pillow; the scalar variant runs anywhere. The light is gathered in
passes, which tell its noise from it; the noise is filtered out and a little of a sensor's put in. The one photo that is
not rendered, `coffee`, is scikit-image's: see docs/photos.md.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from PIL import Image

mi.set_variant("scalar_rgb")

from _demo_develop import denoise, develop, merge  # noqa: E402 - mitsuba's variant must be set first
from _demo_house import View  # noqa: E402
from _demo_parts import Stage, texel  # noqa: E402 - mitsuba's variant must be set first
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


def _sensor(view: View, spp: int, scale: int = 1) -> dict[str, Any]:
    origin, target = view.camera.origin, view.camera.target
    return {
        "type": "perspective",
        "fov": view.camera.fov,
        "fov_axis": "x",
        "near_clip": 0.01,
        "far_clip": 50.0,
        "to_world": mi.ScalarTransform4f().look_at(origin=origin, target=target, up=[0, 0, 1]),
        "principal_point_offset_y": view.camera.shift,
        "sampler": {"type": "independent", "sample_count": spp},
        "film": {
            "type": "hdrfilm",
            "width": WIDTH * scale,
            "height": HEIGHT * scale,
            "pixel_format": "rgb",
            "rfilter": {"type": "box"},  # noise of neighbours stays independent: the filter counts on it
        },
    }


@dataclass(frozen=True, eq=False)
class Layers:
    """What is known of every pixel without light: class (H, W), albedo and normal (H, W, 3), depth (H, W)."""

    labels: NDArray[np.uint8]
    albedo: NDArray[np.float32]
    normal: NDArray[np.float32]
    depth: NDArray[np.float32]


def probe(scene: Any, stage: Stage, view: View) -> Layers:
    """Cast 3 x 3 rays a pixel: the class is their majority, the rest their mean; prints on textures are read by uv."""
    scale = 3
    rays = mi.load_dict({"type": "aov", "aovs": "shape:shape_index,at:uv,normal:sh_normal,depth:depth"})
    raw = np.array(mi.render(scene, integrator=rays, sensor=mi.load_dict(_sensor(view, 1, scale)), spp=1))
    shape, uv, normal, depth = np.rint(raw[..., 0]).astype(int), raw[..., 1:3], raw[..., 3:6], raw[..., 6]
    labels, albedo = np.zeros(shape.shape, np.uint8), np.zeros((*shape.shape, 3), np.float32)
    for index, item in enumerate(scene.shapes(), start=1):  # 0 is the sky
        name = item.id()
        kind = name.split("__")[0]
        here = shape == index
        labels[here] = LABELS.index(kind) if kind in LABELS else 0
        albedo[here] = stage.albedo(name, uv[here])
        if name in stage.overlay:
            mark, mask = stage.overlay[name]
            labels[here] = np.where(texel(mask, uv[here]), LABELS.index(mark), labels[here])
    blocks = labels.reshape(HEIGHT, scale, WIDTH, scale)
    votes = np.stack([(blocks == k).sum(axis=(1, 3)) for k in range(len(LABELS))], axis=2)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values.reshape(HEIGHT, scale, WIDTH, scale, -1).mean(axis=(1, 3)).astype(np.float32)

    return Layers(votes.argmax(axis=2).astype(np.uint8), mean(albedo), mean(normal), mean(depth)[..., 0])


def render(name: str, view: View, spp: int) -> None:
    """Write PHOTOS/name.jpg and TRUTH/name.png, or both into CHECKS."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        view.build(stage)
        scene = mi.load_dict({"type": "scene", **stage.shapes}, optimize=False)  # merged shapes lose their names
        known = probe(scene, stage, view)
        tracer, camera = mi.load_dict(INTEGRATOR), mi.load_dict(_sensor(view, SPP_OF_A_PASS))
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
