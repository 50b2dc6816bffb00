"""What the classical segmenter is measured against: exact masks of rendered photos, and changed copies of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.segment.classical import ClassicalSegmenter
from engine.types import Instance, Photo, Prompt, Rgb, Segmentation

__all__ = ["PHOTOS", "TRUTH", "VARIATIONS", "ask", "overlap", "photo", "target", "thin_score", "union"]

ROOT: Final = Path(__file__).resolve().parents[2]
PHOTOS, TRUTH = ROOT / "s3palette" / "demo" / "photos", Path(__file__).parent / "truth"
LABELS: Final = (
    "none", "wall", "floor", "ceiling", "window", "door", "molding", "cabinet", "tile", "tilegrout", "floorgrout",
    "other", "product", "text", "background",
)  # fmt: skip
CLASSES: Final = {
    "floor": ("floor", "floorgrout"), "ceiling": ("ceiling",), "wall": ("wall",), "product": ("product", "text"),
    "background": ("background",), "grout": ("tilegrout", "floorgrout"),
}  # fmt: skip
UNDECIDED: Final = ("none", "tile", "tilegrout")
"""A tiled wall is a wall to some and a backsplash to others."""

Bits = NDArray[np.bool_]


def photo(name: str) -> Rgb:
    """(H, W, 3) a photo of the demo."""
    return np.array(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))


def target(name: str, finder: str) -> tuple[Bits, Bits]:
    """(H, W) what a finder should find, and where the truth is decided.

    Of "text" the truth knows the lines' blocks; the ink in them is what differs from the block's median by more than
    half of the strongest difference.
    """
    truth = np.array(Image.open(TRUTH / f"{name}.png"))
    if finder == "text":
        grey = cv2.cvtColor(photo(name), cv2.COLOR_RGB2GRAY).astype(np.float32)
        ink = np.zeros(truth.shape, bool)
        count, labels = cv2.connectedComponents((truth == LABELS.index("text")).astype(np.uint8))
        for k in range(1, count):
            block = labels == k
            away = np.abs(grey - np.median(grey[block]))
            ink |= block & (away > 0.5 * np.quantile(away[block], 0.98))
        return ink, np.ones(truth.shape, bool)
    wanted = np.isin(truth, [LABELS.index(c) for c in CLASSES[finder]])
    if finder == "grout":
        return wanted, np.ones(truth.shape, bool)
    return wanted, ~np.isin(truth, [LABELS.index(c) for c in UNDECIDED])


def ask(rgb: Rgb, *finders: str) -> dict[str, Segmentation]:
    """One photo through the segmenter; finder -> its answer."""
    segmenter = ClassicalSegmenter()
    prompts = [Prompt(finder, finder, finder) for finder in finders]
    features = segmenter.encode_images([Photo(rgb)])[0]
    return dict(zip(finders, segmenter.segment(features, prompts, segmenter.encode_text(prompts)), strict=True))


def union(instances: tuple[Instance, ...], size: tuple[int, int]) -> Bits:
    """(H, W) all instances together, at photo size."""
    found = np.zeros(size, bool)
    for instance in instances:
        found |= cv2.resize(instance.mask, size[::-1]) >= 0.5
    return found


def overlap(mine: Bits, theirs: Bits, decided: Bits) -> float:
    """Intersection over union where the truth is decided."""
    return float((mine & theirs & decided).sum() / max(1, ((mine | theirs) & decided).sum()))


def thin_score(mine: Bits, theirs: Bits, pixels: int) -> float:
    """F-score of thin lines, as of boundaries: what lies within some pixels of the other one's is right."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    near_mine, near_theirs = (cv2.dilate(bits.astype(np.uint8), kernel) > 0 for bits in (mine, theirs))
    precision = float((mine & near_theirs).sum() / max(1, mine.sum()))
    recall = float((theirs & near_mine).sum() / max(1, theirs.sum()))
    return 2 * precision * recall / max(1e-9, precision + recall)


def _linear(rgb: Rgb, gain: NDArray[np.float64]) -> Rgb:
    light = np.clip((rgb / 255.0) ** 2.2 * gain, 0, 1)
    return np.rint(light ** (1 / 2.2) * 255).astype(np.uint8)


def _noisy(rgb: Rgb) -> Rgb:
    grain = np.random.default_rng(3).normal(0, 5, rgb.shape)
    return np.clip(rgb + grain, 0, 255).astype(np.uint8)


def _jpeg(rgb: Rgb) -> Rgb:
    data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.array(Image.open(BytesIO(data.tobytes())))


VARIATIONS: Final[Mapping[str, tuple[Callable[[Rgb], Rgb], Callable[[Bits], Bits]]]] = {
    "flipped": (lambda rgb: np.ascontiguousarray(rgb[:, ::-1]), lambda bits: bits[:, ::-1]),
    "brighter": (lambda rgb: _linear(rgb, np.full(3, 2.0)), lambda bits: bits),
    "darker": (lambda rgb: _linear(rgb, np.full(3, 0.5)), lambda bits: bits),
    "warmer": (lambda rgb: _linear(rgb, np.array([1.15, 1.0, 0.7])), lambda bits: bits),
    "noisy": (_noisy, lambda bits: bits),
    "half": (lambda rgb: cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), lambda b: b[::2, ::2]),
    "jpeg60": (_jpeg, lambda bits: bits),
}
"""A change of the photo, and the same change of its masks."""
