"""Render the truth set: `python bench/truth/render.py [SCENE ...] [--spp N]`; or scenes that nobody has tuned on:

    python bench/truth/render.py --rooms 40 --products 30 --into FOLDER
    TRUTH_SET=FOLDER python bench/quality.py --method ours

Needs the `bench` extra (mitsuba) and, for its variant `llvm_ad_rgb`, an LLVM library that suits it (19; 15 crashes)
at the path DRJIT_LIBLLVM_PATH; `--variant cuda_ad_rgb` runs on a GPU.

Every rendering of a scene sends the same rays: the sampler starts from the same seed and no path ends by chance, so a
repaint differs from its base by the paint, and what noise is left is the same in both. What the files are: README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

try:
    import mitsuba as mi
except ImportError:
    sys.exit("mitsuba, which renders the scenes, is missing: pip install '.[bench]'.")

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent))
VARIANT = argparse.ArgumentParser(add_help=False)
VARIANT.add_argument("--variant", default="llvm_ad_rgb", help="mitsuba's variant")
mi.set_variant(VARIANT.parse_known_args()[0].variant)  # before anything that uses mitsuba is imported

from _changed import changed  # noqa: E402
from _curve import developed  # noqa: E402
from _demo_camera import Layers, probe, sensor  # noqa: E402
from _demo_develop import denoise, merge  # noqa: E402
from _demo_parts import Stage  # noqa: E402
from _look import Look, Set  # noqa: E402
from _patterns import PATTERN_SIDE, PATTERNS  # noqa: E402
from _products import ALBUM, PRODUCTS  # noqa: E402
from _products_random import product  # noqa: E402
from _rooms import ROOMS  # noqa: E402
from _rooms_held_out import ROOMS as MORE_ROOMS  # noqa: E402
from _rooms_random import room  # noqa: E402
from _trace import ManyLooks, surfaces  # noqa: E402

SIZE = (800, 600)
RANDOM = {"room": (room, (400, 300)), "product": (product, (640, 480))}
"""Kind -> what makes one of a number, and (width, height) in pixels: print needs more of them."""
METERED = ("wall", "body", "background")
"""Classes that an exposure is set by where a scene has none of its own."""
PASSES = 8
SETS: dict[str, Set] = ROOMS | MORE_ROOMS | PRODUCTS | ALBUM
BOOK: dict[str, Any] = tomllib.loads((HERE / "scenes.toml").read_text())

Light = NDArray[np.float32]


@dataclass(frozen=True)
class Shot:
    """A scene to be rendered."""

    name: str
    place: Set
    entry: dict[str, Any]
    """Of scenes.toml."""
    size: tuple[int, int]
    """(width, height) in pixels."""
    pictures: Path
    """Where its folder goes."""


def looks(scene: dict[str, Any]) -> dict[str, Look]:
    """Name of a rendering -> how it differs; the base comes first."""
    found = {"base": Look()}
    for surface in scene["surfaces"]:
        for name, colour in BOOK["paints"].items():
            found[f"{surface}-{name}"] = Look(paint={surface: ImageColor.getrgb(colour)[:3]})
    if "texture" in scene:
        found["texture"] = Look(floor=PATTERNS[scene["texture"]]())
    return found


def trace(
    place: Set,
    wanted: Sequence[Look],
    spp: int,
    size: tuple[int, int],
    crop: tuple[int, int, int, int] | None = None,
) -> tuple[list[Light], Layers]:
    """Filtered light (h, w, 3) of looks that have the same shapes, and what is known without light (of all pixels).

    `size` is (width, height), `crop` is (left, top, width, height) in pixels.
    """
    with tempfile.TemporaryDirectory() as folder:
        stages = []
        for look in wanted:
            stages.append(Stage(Path(folder)))  # the same meshes every time, under the same names
            place.build(stages[-1], look)
        scene = mi.load_dict({"type": "scene", **stages[0].shapes}, optimize=False)  # merged shapes lose their names
        known = probe(scene, stages, place.camera, size, BOOK["labels"])
        tracer, each = ManyLooks(len(stages), surfaces(scene, stages[0], stages)), max(1, spp // PASSES)
        camera = mi.load_dict(sensor(place.camera, size, each, crop))
        seeds = range(place.seed * 1000, place.seed * 1000 + PASSES)
        passes = [np.array(mi.render(scene, integrator=tracer, sensor=camera, seed=s, spp=each)) for s in seeds]
    left, top, width, height = crop or (0, 0, *size)
    here = slice(top, top + height), slice(left, left + width)
    light, variance = merge(np.asarray(passes, np.float32)[..., 3:])
    smooth = denoise(light, variance, known.albedo[here], known.normal[here], known.depth[here], levels=3)
    return [smooth[..., 3 * k : 3 * k + 3] for k in range(len(wanted))], known


def around(place: NDArray[np.bool_], margin: int) -> tuple[int, int, int, int]:
    """(left, top, width, height) of the box around the set pixels, `margin` px larger on each side."""
    ys, xs = np.flatnonzero(place.any(axis=1)), np.flatnonzero(place.any(axis=0))
    top, left = max(0, ys[0] - margin), max(0, xs[0] - margin)
    bottom, right = min(place.shape[0], ys[-1] + 1 + margin), min(place.shape[1], xs[-1] + 1 + margin)
    return int(left), int(top), int(right - left), int(bottom - top)


def develop(light: Light, place: Set, exposure: float, curve: str) -> NDArray[np.uint8]:
    """Light -> sRGB bytes: exposure, white balance, and the camera's curve."""
    return developed(light * np.float32(exposure) * np.asarray(place.balance, np.float32), curve)


def quad(place: Set, size: tuple[int, int]) -> list[list[float]]:
    """Where the camera sees the corners (x0, y0), (x1, y0), (x1, y1), (x0, y1) of `place.floor`: x, y in pixels."""
    assert place.floor is not None
    x0, y0, x1, y1 = place.floor
    eye, camera = np.asarray(place.camera.origin), place.camera
    ahead = np.asarray(camera.target) - eye
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    focal = size[0] / 2 / np.tan(np.radians(camera.fov) / 2)
    seen = []
    for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1)):
        ray = np.array([x, y, 0.0]) - eye
        u, v = focal * (ray @ right) / (ray @ ahead), focal * (ray @ down) / (ray @ ahead)
        seen.append([size[0] / 2 + u, size[1] / 2 + v - camera.shift * size[1]])
    return seen


def render(shot: Shot, spp: int) -> None:
    """Write every picture of a scene."""
    start = time.perf_counter()
    place, scene, folder = shot.place, shot.entry, shot.pictures / shot.name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = looks(scene)
    light, known = trace(place, list(wanted.values()), spp, shot.size)
    pictures = dict(zip(wanted, light, strict=True))
    extra = known.labels == BOOK["labels"].index("extra")
    if scene["surfaces"] and extra.any():
        crop = around(extra, 24)
        (bare,), _ = trace(place, [Look(bare=True)], spp, shot.size, crop)
        pictures["removed"] = light[0].copy()
        pictures["removed"][crop[1] : crop[1] + crop[3], crop[0] : crop[0] + crop[2]] = bare
    exposure = place.exposure
    if exposure is None:
        seen = [known.labels == BOOK["labels"].index(name) for name in METERED]
        exposure = place.bright / max(
            float(np.median(value[here].mean(axis=-1))) for value in light for here in seen if here.any()
        )
    turn = -1 if scene.get("mirrored") else 1
    for which, value in pictures.items():
        photo = develop(value, place, exposure, scene["curve"])[:, ::turn]
        save(photo, folder / f"{which}.webp", changed(known.labels[:, ::turn], which, BOOK["labels"], BOOK["margin"]))
    Image.fromarray(np.ascontiguousarray(known.labels[:, ::turn])).save(folder / "labels.png", optimize=True)
    if place.floor is not None:
        corners = [[x if turn == 1 else shot.size[0] - x, y] for x, y in quad(place, shot.size)]
        x0, y0, x1, y1 = place.floor
        plane = {"quad": corners, "metres": [x1 - x0, y1 - y0], "origin": [x0, y0], "pattern_side": PATTERN_SIDE}
        (folder / "floor.json").write_text(json.dumps(plane) + "\n")
    print(f"{shot.name}: {time.perf_counter() - start:.0f} s", flush=True)


def save(photo: NDArray[np.uint8], path: Path, kept: NDArray[np.bool_]) -> None:
    """Write a picture without loss, black where it is not kept."""
    Image.fromarray(np.where(kept[..., None], photo, np.uint8(0))).save(path, lossless=True, quality=90, method=6)


def render_random(kinds: Mapping[str, range], folder: Path, spp: int) -> None:
    """Write a truth set of random rooms and products, by their numbers, with a scenes.toml of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    book = [(HERE / "scenes.toml").read_text().split("\n[albums]")[0], "[albums]"]
    for kind, seeds in kinds.items():
        for seed in seeds:
            make, size = RANDOM[kind]
            place, entry = make(seed)
            render(Shot(f"{kind}{seed}", place, entry, size, folder / "pictures"), spp)
            surfaces = ", ".join(f'{name} = "{finish}"' for name, finish in entry["surfaces"].items())
            book += [f"[scenes.{kind}{seed}]", *(f'{key} = "{entry[key]}"' for key in ("half", "kind", "curve"))]
            book += [f"surfaces = {{ {surfaces} }}"]
            (folder / "scenes.toml").write_text("\n".join(book) + "\n")


def main() -> None:
    """Render the scenes named on the command line, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, parents=[VARIANT], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"any of {', '.join(SETS)}")
    parser.add_argument("--spp", type=int, default=48, help="samples a pixel")
    parser.add_argument("--rooms", type=int, default=0, metavar="N", help="so many random rooms instead")
    parser.add_argument("--products", type=int, default=0, metavar="N", help="so many random products instead")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="number of the first random scene")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where random scenes go")
    options = parser.parse_args()
    counts = {"room": options.rooms, "product": options.products}
    if any(counts.values()):
        if options.into is None or options.scenes:
            parser.error("--rooms and --products need --into FOLDER, and no scenes beside it")
        numbers = {kind: range(options.first, options.first + count) for kind, count in counts.items()}
        render_random(numbers, options.into, options.spp)
        return
    (HERE / "patterns").mkdir(exist_ok=True)
    for name, pattern in PATTERNS.items():
        save(pattern(), HERE / "patterns" / f"{name}.webp", np.ones((1, 1), bool))
    for name in options.scenes or SETS:
        entry = BOOK["scenes"].get(name, {"surfaces": {}, "curve": "srgb"})
        render(Shot(name, SETS[name], entry, SIZE, HERE / "pictures"), options.spp)


if __name__ == "__main__":
    main()
