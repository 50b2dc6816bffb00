"""One photo through the whole engine, stage by stage: CPU time on one thread, beside OpenCV reading and writing it.

    python bench/photo.py [--runs 5] [--megapixels 12]

The demo's photos enlarged, with grain (as in bench/jobs.py): rooms with Wall and Floor repainted, Ceiling protected and
Grout found; products with Body repainted, Label_Text and Gloss protected. The classical engine finds them.
"""

from __future__ import annotations

import sys

import _path  # noqa: F401
from _cost import Watch, on_one_thread
from _opencv_files import read, write
from _photos import enlarged

from engine import ClassicalSegmenter, Layer, Prompt, Recipe, Recolor, warm_up
from engine.image_io import decode
from engine.pipeline import encode, render, segment
from s3palette.demo.albums import ALBUMS


def recipe(found: dict[str, str], painted: dict[str, tuple[int, int, int]], protect: tuple[str, ...]) -> Recipe:
    prompts = tuple(Prompt(concept, concept, finder=finder) for concept, finder in found.items())
    return Recipe(prompts, tuple(Layer(concept, Recolor(colour)) for concept, colour in painted.items()), protect)


ROOM = recipe(
    {"Wall": "wall", "Floor": "floor", "Ceiling": "ceiling", "Grout": "grout"},
    {"Floor": (200, 162, 122), "Wall": (143, 167, 143)},
    ("Ceiling", "Grout"),
)
PRODUCT = recipe(
    {"Body": "body", "Label_Text": "text", "Gloss": "highlight"},
    {"Body": (143, 167, 143)},
    ("Label_Text", "Gloss"),
)


def once(data: bytes, chosen: Recipe, segmenter: ClassicalSegmenter, watch: Watch) -> None:
    photo = watch.run("decode", lambda: decode(data))
    (found,) = watch.run("segment", lambda: segment([photo], chosen.prompts, segmenter))
    rendered = watch.run("render", lambda: render(photo, found, chosen, source=segmenter.name))
    watch.run("encode", lambda: encode(rendered))


def main() -> int:
    chosen = on_one_thread(__doc__)
    warm_up()
    segmenter = ClassicalSegmenter()
    print("| photo | decode | segment | matte and rule | encode | CPU ms | x its files by OpenCV |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rooms, products = (next(album for album in ALBUMS if album.preset == name) for name in ("interior", "seller"))
    for album, rule in ((rooms, ROOM), (products, PRODUCT)):
        for number, path in enumerate(album.photos):
            data, watch, peer = enlarged(path, number, chosen.megapixels), Watch(), Watch()
            for _ in range(chosen.runs):
                once(data, rule, segmenter, watch)
                peer.run("files", lambda data=data: write(read(data)))
            spent, files = [cost.cpu for cost in watch.least.values()], peer.least["files"].cpu
            columns = " | ".join(f"{stage:.0f}" for stage in spent)
            print(f"| {path.stem} | {columns} | {sum(spent):.0f} | {sum(spent) / files:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
