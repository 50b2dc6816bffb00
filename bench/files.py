"""What photos cost to read and results to write: the engine beside OpenCV and Pillow in the same run, on one thread.

    python bench/files.py [--runs 5] [--megapixels 12]

The photos are those of bench/jobs.py. OpenCV writes PNG with the settings that were fastest for these photos without
growing the file (level 1, run lengths, average filter), Pillow at level 1; both read JPEG with libjpeg-turbo.
"""

from __future__ import annotations

import io
import sys

import _path  # noqa: F401
import cv2
import numpy as np
from _cost import Watch, on_one_thread
from _opencv_files import read, write
from _photos import album
from PIL import Image

from engine.image_io import decode, encode_png


def read_by_opencv(data: bytes) -> np.ndarray:
    return cv2.cvtColor(read(data), cv2.COLOR_BGR2RGB)


def by_opencv(rgb: np.ndarray) -> bytes:
    return write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def by_pillow(rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()


def main() -> int:
    chosen = on_one_thread(__doc__)
    photos = album(4, chosen.megapixels)
    pictures = [decode(data).rgb for data in photos]
    print("| | CPU ms | x the engine | MB |\n|---|---:|---:|---:|")
    for name, ways, inputs in (
        ("read JPEG", {"engine": decode, "OpenCV": read_by_opencv}, photos),
        ("write PNG", {"engine": encode_png, "OpenCV": by_opencv, "Pillow": by_pillow}, pictures),
    ):
        ours = 0.0
        for way, work in ways.items():
            watch = Watch()
            for number, one in enumerate(inputs):
                for _ in range(chosen.runs):
                    watch.run(str(number), lambda work=work, one=one: work(one))
            spent = np.mean([cost.cpu for cost in watch.least.values()])
            files = photos if name == "read JPEG" else [work(picture) for picture in pictures]
            ours = ours or spent
            size = np.mean([len(file) for file in files]) / 1e6
            print(f"| {name}, {way} | {spent:.0f} | {spent / ours:.1f} | {size:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
