"""Draw every material of the catalogue on one sheet, docs/materials.jpg by default.

    apt-get install fonts-nanum
    python bench/swatches.py [FILE] --hangul /usr/share/fonts/truetype/nanum/NanumGothic.ttf

Each square shows 1.2 m of a surface, or 12 cm of cloth and leather. Without a font that has Hangul only the English
names are written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))

from engine.colour import to_bytes  # noqa: E402 - the project need not be installed
from engine.patterns import Mipmap, sheet_of  # noqa: E402
from engine.types import Rgb  # noqa: E402
from s3palette.domain.materials import Material, load_materials  # noqa: E402
from s3palette.recipes import material_pattern  # noqa: E402
from s3palette.sheets._lettering import font  # noqa: E402

SIDE, GAP, WORDS, ACROSS = 220, 12, 62, 6
DARK, PALE = (40, 40, 40), (110, 110, 110)


def swatch(material: Material) -> Rgb:
    """(SIDE, SIDE, 3) sRGB."""
    if material.pattern is None:
        return np.full((SIDE, SIDE, 3), list(bytes.fromhex(material.hex[1:])), np.uint8)
    worn = min(material.pattern.unit) < 0.01
    step = np.float32((0.12 if worn else 1.2) / SIDE)
    angle = np.radians(material.pattern.turn)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    y, x = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + np.float32(0.5)) * step
    flat = np.zeros_like(x)
    footprint = flat + cos * step, flat + sin * step, flat - sin * step, flat + cos * step
    return to_bytes(Mipmap(sheet_of(material_pattern(material))).look(cos * x - sin * y, sin * x + cos * y, footprint))


def main() -> int:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "docs" / "materials.jpg")
    parser.add_argument("--hangul", type=Path, help="a TrueType font for the Korean names")
    chosen = parser.parse_args()
    korean = chosen.hangul and ImageFont.truetype(chosen.hangul, 14)
    materials = list(load_materials().materials.values())
    rows = -(-len(materials) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * (SIDE + GAP) + GAP, rows * (SIDE + WORDS + GAP) + GAP), (250, 250, 249))
    draw = ImageDraw.Draw(sheet)
    for k, material in enumerate(materials):
        left, top = GAP + k % ACROSS * (SIDE + GAP), GAP + k // ACROSS * (SIDE + WORDS + GAP)
        sheet.paste(Image.fromarray(swatch(material)), (left, top))
        below = top + SIDE + 5
        draw.text((left, below), material.name_en, DARK, font(15))
        if korean:
            draw.text((left + SIDE, below + 18), material.name, DARK, korean, anchor="ra")
        draw.text((left, below + 18), material.id, PALE, font(12))
        draw.text((left, below + 36), ", ".join(material.presets), PALE, font(12))
    sheet.save(chosen.file, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
