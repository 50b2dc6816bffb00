"""Work in pieces: full-size floats never exist, and what has no edge in it is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["TILE_SIDE", "Sites", "Tile", "Window", "strips", "tiles"]

STRIP_ROWS: Final = 256
TILE_SIDE: Final = 256

Window = tuple[slice, slice]
"""Rows and columns, to index an array with."""
Sites = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row and column of each of N pixels, to index an array with."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of an image of `size` (height, width)."""

    window: Window
    size: tuple[int, int]

    def grown(self, margin: int) -> tuple[Window, Window]:
        """The tile with `margin` px around it as far as the image goes, and where the tile lies within that."""
        outer, inner = [], []
        for span, end in zip(self.window, self.size, strict=True):
            start, stop = max(0, span.start - margin), min(end, span.stop + margin)
            outer.append(slice(start, stop))
            inner.append(slice(span.start - start, span.stop - start))
        return (outer[0], outer[1]), (inner[0], inner[1])

    def around(self, chosen: NDArray[np.bool_] | NDArray[np.uint8], margin: int = 0) -> Tile | None:
        """The least part of this tile that holds what is `chosen` and up to `margin` px more; None: nothing is.

        `chosen` covers `self.grown(margin)`.
        """
        x, y, width, height = cv2.boundingRect(chosen.view(np.uint8))
        if not width:
            return None
        outer, _ = self.grown(margin)
        parts = [
            slice(
                max(span.start, around.start + first - margin), min(span.stop, around.start + first + length + margin)
            )
            for span, around, first, length in zip(self.window, outer, (y, x), (height, width), strict=True)
        ]
        return Tile((parts[0], parts[1]), self.size)

    def parts(self, side: int) -> Iterator[Tile]:
        """Tiles of at most `side` px a side that cover this one, once each."""
        rows, columns = self.window
        for y in range(rows.start, rows.stop, side):
            for x in range(columns.start, columns.stop, side):
                yield Tile((slice(y, min(y + side, rows.stop)), slice(x, min(x + side, columns.stop))), self.size)

    def sites(self, chosen: NDArray[np.bool_]) -> Sites:
        """Where the tile's `chosen` pixels, (h, w) bool, lie in the image."""
        rows, columns = np.nonzero(chosen)
        return rows + self.window[0].start, columns + self.window[1].start


def strips(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Row ranges (start, stop) that cover first..last-1, at most `STRIP_ROWS` each."""
    for start in range(first, last, STRIP_ROWS):
        yield start, min(start + STRIP_ROWS, last)


def tiles(size: tuple[int, int], side: int = TILE_SIDE) -> Iterator[Tile]:
    """Tiles of at most `side` px a side that cover an image of `size` (height, width), once each."""
    return Tile((slice(0, size[0]), slice(0, size[1])), size).parts(side)
