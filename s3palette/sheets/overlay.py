"""Masks made visible: a translucent colour and an outline for every concept, stripes where it is protected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s3palette.sheets._lettering import INK
from s3palette.sheets._marks import PAPER, Colour, Swatch, legend, stripes, wrapped

__all__ = ["concept_colours", "overlay", "with_legend"]

Rgb = NDArray[np.uint8]

_COLOURS: tuple[Colour, ...] = (
    (0, 122, 255), (255, 122, 0), (0, 178, 120), (214, 40, 120), (140, 82, 255), (0, 174, 199), (196, 148, 0),
    (226, 60, 44), (92, 122, 20), (70, 92, 190), (176, 92, 56), (104, 104, 112), (230, 110, 180), (30, 140, 90),
)  # fmt: skip
_TINT = 0.42
_MUTE = 0.45
"""How far what belongs to no concept is drawn towards its own grey."""


def concept_colours(concepts: Iterable[str]) -> dict[str, Colour]:
    """A colour of its own for each concept, in order; from the fifteenth on they repeat."""
    return {name: _COLOURS[k % len(_COLOURS)] for k, name in enumerate(dict.fromkeys(concepts))}


def overlay(
    rgb: Rgb, labels: Mapping[str, NDArray[np.integer]], colours: Mapping[str, Colour], protected: Collection[str] = ()
) -> Rgb:
    """The photo with its masks on it.

    Args:
        rgb: (H, W, 3) uint8 sRGB; not changed.
        labels: concept -> (h, w) instance numbers, 0 = none; stretched to the photo where its size differs.
        colours: concept -> sRGB; every key of `labels` has one.
        protected: concepts drawn with stripes, on top of the others.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = rgb.shape[:2]
    grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    muted = cv2.addWeighted(rgb, 1 - _MUTE, grey, _MUTE, 18)
    picture: Rgb = muted.copy()
    line = max(2, round(max(height, width) / 500))
    striped = stripes(height, width, 7 * line)
    for concept in sorted(labels, key=lambda name: name in protected):
        sized = cv2.resize(labels[concept].astype(np.uint16), (width, height), interpolation=cv2.INTER_NEAREST)
        inside = sized > 0
        filled = inside & striped if concept in protected else inside
        tint = np.array(colours[concept], np.float32)
        picture[filled] = np.rint((1 - _TINT) * muted[filled] + _TINT * tint).astype(np.uint8)
        picture[_outline(sized, line)] = colours[concept]
    return picture


def with_legend(picture: Rgb, entries: Sequence[Swatch]) -> Image.Image:
    """The picture with a legend under it."""
    image = Image.fromarray(picture)
    size = max(14, round(max(image.size) / 60))
    lines = wrapped(entries, image.width - 2 * size, size)
    sheet = Image.new("RGB", (image.width, image.height + size + 2 * size * len(lines)), PAPER)
    sheet.paste(image)
    for k, line in enumerate(lines):
        legend(sheet, (size, image.height + size + 2 * size * k), line, size, INK)
    return sheet


def _outline(labels: NDArray[np.uint16], line: int) -> NDArray[np.bool_]:
    """Borders between instances and around them, `line` pixels wide, inside the mask."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * line + 1, 2 * line + 1))
    inner = cv2.erode(labels, kernel) != cv2.dilate(labels, kernel)
    edge: NDArray[np.bool_] = inner & (labels > 0)
    return edge
