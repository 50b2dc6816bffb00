"""Text on pictures, in the one scalable font that is always there: Pillow's own."""

from __future__ import annotations

from functools import cache

from PIL import ImageDraw, ImageFont

__all__ = ["INK", "MUTED", "caps", "fitted", "font", "text_width", "writable"]

Font = ImageFont.FreeTypeFont
Colour = tuple[int, int, int]

INK: Colour = (28, 28, 30)
MUTED: Colour = (118, 116, 112)
_CAPS_TRACKING = 0.12
"""Space between capitals, as a share of the font size."""


@cache
def font(size: int) -> Font:
    """The font at `size` pixels. Needs Pillow with FreeType, which every wheel has."""
    made = ImageFont.load_default(size)
    if not isinstance(made, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType; install its wheel")
    return made


def text_width(text: str, size: int) -> int:
    """Pixels that `text` takes."""
    return round(font(size).getlength(text))


def writable(text: str) -> bool:
    """Does the font have a glyph for every character? It has Latin letters, no Hangul."""
    missing = bytes(font(20).getmask("\uffff"))
    return all(char == " " or bytes(font(20).getmask(char)) != missing for char in text)


def fitted(text: str, size: int, width: int) -> str:
    """`text`, cut with an ellipsis where it would be wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def caps(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, fill: Colour = MUTED) -> None:
    """Small spaced capitals with their upper left corner at `at`."""
    x = float(at[0])
    for char in text.upper():
        draw.text((x, at[1]), char, font=font(size), fill=fill)
        x += font(size).getlength(char) + size * _CAPS_TRACKING
