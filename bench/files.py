"""What photos cost to read and results to write: the engine beside OpenCV and Pillow in the same run, on one thread.

    python bench/files.py [--runs 5] [--megapixels 12]

The photos are those of bench/jobs.py. OpenCV writes PNG with the settings that were fastest for these photos without
growing the file (level 1, run lengths, average filter), Pillow at level 1; both read JPEG with libjpeg-turbo.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable

import _path  # noqa: F401
import cv2
import numpy as np
from _photos import album
from PIL import Image

from engine import set_threads
from engine.image_io import decode, encode_png

FAST = (
    cv2.IMWRITE_PNG_COMPRESSION,
    1,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_AVG,
)


def by_opencv(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), FAST)[1].tobytes()


def by_pillow(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()


def read_by_opencv(data: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def cpu_ms(runs: int, work: Callable[[], object]) -> float:
    """The least of several runs."""
    spent = []
    for _ in range(runs):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megapixels", type=float, default=12)
    chosen = parser.parse_args()
    set_threads(1)
    cv2.setNumThreads(1)
    photos = album(4, chosen.megapixels)
    pictures = [decode(data).rgb for data in photos]
    print("| | CPU ms | x the engine | MB |\n|---|---:|---:|---:|")
    for name, ways, inputs in (
        ("read JPEG", {"engine": decode, "OpenCV": read_by_opencv}, photos),
        ("write PNG", {"engine": encode_png, "OpenCV": by_opencv, "Pillow": by_pillow}, pictures),
    ):
        ours = 0.0
        for way, work in ways.items():
            spent = np.mean([cpu_ms(chosen.runs, lambda work=work, one=one: work(one)) for one in inputs])
            files = photos if name == "read JPEG" else [work(picture) for picture in pictures]
            ours = ours or spent
            size = np.mean([len(file) for file in files]) / 1e6
            print(f"| {name}, {way} | {spent:.0f} | {spent / ours:.1f} | {size:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
