"""One photo through the whole engine, stage by stage: CPU time on one thread, beside OpenCV reading and writing it.

    python bench/photo.py [--runs 5] [--megapixels 12]

The demo's photos enlarged, with grain (as in bench/jobs.py): rooms with Wall and Floor repainted, Ceiling protected and
Grout found; products with Body repainted, Label_Text and Gloss protected. The classical engine finds them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import _path  # noqa: F401
import cv2
import numpy as np
from _photos import enlarged

from engine import ClassicalSegmenter, Layer, Prompt, Recipe, Recolor, set_threads, warm_up
from engine.image_io import decode
from engine.pipeline import encode, render, segment
from s3palette.demo.albums import ALBUMS

T = TypeVar("T")
FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""OpenCV's fastest way to write PNG that does not grow photos; bench/files.py compares."""


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


class Watch:
    """The least CPU time of several runs, a stage."""

    def __init__(self) -> None:
        self.least: dict[str, float] = {}

    def run(self, stage: str, work: Callable[[], T]) -> T:
        started = time.process_time()
        answer = work()
        spent = (time.process_time() - started) * 1000
        self.least[stage] = min(spent, self.least.get(stage, spent))
        return answer


def once(data: bytes, chosen: Recipe, segmenter: ClassicalSegmenter, watch: Watch) -> None:
    photo = watch.run("decode", lambda: decode(data))
    (found,) = watch.run("segment", lambda: segment([photo], chosen.prompts, segmenter))
    rendered = watch.run("render", lambda: render(photo, found, chosen, source=segmenter.name))
    watch.run("encode", lambda: encode(rendered))


def files_alone(data: bytes) -> None:
    cv2.imencode(".png", cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), FAST)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megapixels", type=float, default=12)
    chosen = parser.parse_args()
    set_threads(1)
    cv2.setNumThreads(1)
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
                peer.run("files", lambda data=data: files_alone(data))
            total = sum(watch.least.values())
            columns = " | ".join(f"{spent:.0f}" for spent in watch.least.values())
            print(f"| {path.stem} | {columns} | {total:.0f} | {total / peer.least['files']:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
