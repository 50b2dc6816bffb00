"""How good are the classical masks? `python bench/masks.py` prints IoU a concept and a photo beside a naive peer.

The photos are the rendered ones of the demo, the truth is exact (tests/engine/truth). The peer is what a first script
would do: a fixed band of the picture for ceiling (top fifth), wall (below, to 65 %) and floor (the rest), OpenCV's
GrabCut from a centred box for the product, its complement for the background, MSER boxes for text.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from engine.segment.classical import ClassicalSegmenter  # noqa: E402 - the project need not be installed
from engine.types import Photo, Prompt  # noqa: E402

PHOTOS, TRUTH = ROOT / "s3palette" / "demo" / "photos", ROOT / "tests" / "engine" / "truth"
CLASSES = {"ceiling": (3,), "wall": (1,), "floor": (2, 10), "product": (12, 13), "background": (14,), "text": (13,)}
UNDECIDED = (0, 8, 9)
"""No class, tiles and their joints on a wall: a wall to some, a backsplash to others."""

Bits = NDArray[np.bool_]


def naive(rgb: NDArray[np.uint8], concept: str) -> Bits:
    """The peer's mask, (H, W)."""
    h, w = rgb.shape[:2]
    mask = np.zeros((h, w), bool)
    if concept in ("ceiling", "wall", "floor"):
        top, bottom = {"ceiling": (0.0, 0.2), "wall": (0.2, 0.65), "floor": (0.65, 1.0)}[concept]
        mask[int(top * h) : int(bottom * h)] = True
    elif concept in ("product", "background"):
        small = cv2.resize(rgb, (w // 3, h // 3), interpolation=cv2.INTER_AREA)
        marks = np.zeros(small.shape[:2], np.uint8)
        box = (small.shape[1] // 8, small.shape[0] // 16, 3 * small.shape[1] // 4, 7 * small.shape[0] // 8)
        cv2.grabCut(small, marks, box, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
        mask = cv2.resize((marks & 1).astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST) > 0
        mask = mask if concept == "product" else ~mask
    else:
        for x, y, dx, dy in cv2.MSER_create().detectRegions(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))[1]:
            mask[y : y + dy, x : x + dx] |= dx < 0.1 * w and dy < 0.1 * h
    return mask


def main() -> None:
    """Print the table and the time a photo takes."""
    cv2.setNumThreads(1)
    segmenter = ClassicalSegmenter()
    prompts = [Prompt(concept, concept, concept) for concept in CLASSES]
    print(f"{'photo':26}{'concept':12}{'classical':>10}{'naive':>8}  confidence")
    for path in sorted(TRUTH.glob("*.png")):
        truth = np.asarray(Image.open(path))
        rgb = np.asarray(Image.open(PHOTOS / f"{path.stem}.jpg").convert("RGB"))
        start = time.perf_counter()
        features = segmenter.encode_images([Photo(rgb)])[0]
        answers = segmenter.segment(features, prompts, segmenter.encode_text(prompts))
        spent = time.perf_counter() - start
        decided = ~np.isin(truth, UNDECIDED)
        for answer in answers:
            theirs = np.isin(truth, CLASSES[answer.prompt.concept])
            if not theirs.any():
                if answer.status == "found":
                    print(f"{path.stem:26}{answer.prompt.concept:12}  found, but is not there")
                continue
            mine = np.zeros(truth.shape, bool)
            for instance in answer.instances:
                mine |= cv2.resize(instance.mask, truth.shape[::-1]) >= 0.5
            peer = naive(rgb, answer.prompt.concept)
            scores = [((m & theirs & decided).sum() / ((m | theirs) & decided).sum()) for m in (mine, peer)]
            row = f"{scores[0]:10.3f}{scores[1]:8.3f}  {answer.presence:.2f} {answer.status}"
            print(f"{path.stem:26}{answer.prompt.concept:12}{row}")
        print(f"{path.stem:26}{spent:.2f} s")


if __name__ == "__main__":
    main()
