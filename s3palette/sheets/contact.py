"""The contact sheet: an album's photos before and after, side by side, with the rule that was applied on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from s3palette.sheets._lettering import INK, MUTED, caps, fitted, font, writable
from s3palette.sheets._marks import PAPER, Swatch, legend, wrapped

__all__ = ["CELL", "Row", "contact_sheet", "thumbnail"]

CELL = (640, 480)
"""Box (width, height) that every picture is fitted into."""

_MARGIN, _GAP, _CAPTION, _LINE = 64, 24, 68, 28
_SMALL, _BODY, _TITLE = 17, 20, 46
_WARNING = (168, 92, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One photo."""

    pictures: tuple[NDArray[np.uint8], ...]
    """(h, w, 3) uint8 each, one a column."""
    name: str
    found: tuple[Swatch, ...] = ()
    """Legend under the last picture: what was found, in the colour it is drawn in."""
    warnings: tuple[str, ...] = ()
    """Under its name, each on a line of its own."""


def thumbnail(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture fitted into a cell; a smaller one stays as it is."""
    height, width = rgb.shape[:2]
    scale = min(CELL[0] / width, CELL[1] / height, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small: NDArray[np.uint8] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return small


def contact_sheet(title: str, columns: Sequence[str], rows: Sequence[Row], swatches: Sequence[Swatch]) -> Image.Image:
    """Draw the sheet. Each row has a picture for every column."""
    width = 2 * _MARGIN + len(columns) * CELL[0] + (len(columns) - 1) * _GAP
    lines = wrapped(swatches, width - 2 * _MARGIN, _BODY)
    heights = [_height(row) for row in rows]
    head = _MARGIN + 112 + 40 * len(lines) + 56
    sheet = Image.new("RGB", (width, head + sum(heights) + _MARGIN - 24), PAPER)
    draw = ImageDraw.Draw(sheet)
    caps(draw, (_MARGIN, _MARGIN), "S3 Palette", _SMALL)
    draw.text((_MARGIN - 2, _MARGIN + 32), title, font=font(_TITLE), fill=INK)
    for k, line in enumerate(lines):
        legend(sheet, (_MARGIN, _MARGIN + 112 + 40 * k), line, _BODY, INK)
    for k, column in enumerate(columns):
        caps(draw, (_column(k), head - 36), column, _SMALL)
    y = head
    for k, row in enumerate(rows):
        _row(sheet, draw, y, row, k)
        y += heights[k]
    return sheet


def _height(row: Row) -> int:
    """Pixels from the top of its pictures to the top of the next row's."""
    legends = len(wrapped(row.found, CELL[0], _SMALL))
    picture: int = max(thumbnail(picture).shape[0] for picture in row.pictures)
    return picture + max(_CAPTION + 24 * max(1, len(row.warnings)), 36 + _LINE * legends)


def _row(sheet: Image.Image, draw: ImageDraw.ImageDraw, y: int, row: Row, index: int) -> None:
    pictures = [thumbnail(picture) for picture in row.pictures]
    under = y + max(picture.shape[0] for picture in pictures) + 12
    for k, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (_column(k), y))
    name = row.name if writable(row.name) else f"Photo {index + 1}"
    draw.text((_MARGIN, under), fitted(name, _BODY, CELL[0]), font=font(_BODY), fill=INK)
    last = _column(len(pictures) - 1)
    for k, line in enumerate(wrapped(row.found, CELL[0], _SMALL)):
        legend(sheet, (last, under + 2 + _LINE * k), line, _SMALL, MUTED)
    for k, warning in enumerate(row.warnings):
        cut = fitted(warning, _SMALL, last - _GAP - _MARGIN)
        draw.text((_MARGIN, under + 30 + 24 * k), cut, font=font(_SMALL), fill=_WARNING)


def _column(k: int) -> int:
    return _MARGIN + k * (CELL[0] + _GAP)
