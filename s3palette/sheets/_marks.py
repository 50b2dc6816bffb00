"""Legends: the colour that stands for a concept, striped where it is protected, and its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from s3palette.sheets._lettering import font, text_width

__all__ = ["PAPER", "Colour", "Swatch", "legend", "stripes", "wrapped"]

Colour = tuple[int, int, int]
"""sRGB, 0..255 each."""
PAPER: Colour = (250, 250, 248)
_HAIRLINE: Colour = (176, 174, 170)


@dataclass(frozen=True, slots=True)
class Swatch:
    """One entry of a legend."""

    label: str
    colour: Colour
    striped: bool = False


def stripes(height: int, width: int, period: int) -> NDArray[np.bool_]:
    """(height, width): diagonal stripes, half of every `period` pixels."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    striped: NDArray[np.bool_] = (rows + columns) % period < period // 2
    return striped


def legend(sheet: Image.Image, at: tuple[int, int], line: Sequence[Swatch], size: int, ink: Colour) -> None:
    """One line of entries in letters of `size` pixels; `at` is its upper left corner."""
    draw = ImageDraw.Draw(sheet)
    x, y = at
    side = round(1.2 * size)
    for entry in line:
        _square(sheet, (x, y), side, entry.colour, entry.striped)
        draw.text((x + 3 * side // 2, y + side / 2), entry.label, font=font(size), fill=ink, anchor="lm")
        x += _entry_width(entry, size)


def _entry_width(entry: Swatch, size: int) -> int:
    return 4 * size + text_width(entry.label, size)


def wrapped(entries: Sequence[Swatch], width: int, size: int) -> list[list[Swatch]]:
    """Entries broken into lines of at most `width` pixels."""
    lines: list[list[Swatch]] = []
    left = 0
    for entry in entries:
        if not lines or _entry_width(entry, size) > left:
            lines.append([])
            left = width
        lines[-1].append(entry)
        left -= _entry_width(entry, size)
    return lines


def _square(sheet: Image.Image, at: tuple[int, int], side: int, colour: Colour, striped: bool) -> None:
    tile = np.full((side, side, 3), colour, np.uint8)
    if striped:
        tile[~stripes(side, side, max(4, side // 3))] = PAPER
    sheet.paste(Image.fromarray(tile), at)
    box = (at[0], at[1], at[0] + side - 1, at[1] + side - 1)
    ImageDraw.Draw(sheet).rectangle(box, outline=colour if striped else _HAIRLINE, width=max(1, side // 16))
