"""Draw every material of the catalogue on one sheet: `python bench/swatches.py [FILE]`, docs/materials.jpg by default.

Each square shows 1.2 m of a surface, or 12 cm of cloth and leather. Names are the English ones: the font that is always
there has no Hangul.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))

from engine.colour import to_bytes  # noqa: E402 - the project need not be installed
from engine.patterns import Mipmap, sheet_of  # noqa: E402
from engine.types import Rgb  # noqa: E402
from s3palette.domain.materials import Material, load_materials  # noqa: E402
from s3palette.recipes import material_pattern  # noqa: E402
from s3palette.sheets._lettering import font  # noqa: E402

SIDE, GAP, WORDS, ACROSS = 220, 12, 62, 6


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
    materials = list(load_materials().materials.values())
    rows = -(-len(materials) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * (SIDE + GAP) + GAP, rows * (SIDE + WORDS + GAP) + GAP), (250, 250, 249))
    draw = ImageDraw.Draw(sheet)
    for k, material in enumerate(materials):
        left, top = GAP + k % ACROSS * (SIDE + GAP), GAP + k // ACROSS * (SIDE + WORDS + GAP)
        sheet.paste(Image.fromarray(swatch(material)), (left, top))
        lines = (material.name_en, material.id, ", ".join(material.presets))
        for n, (words, size) in enumerate(zip(lines, (15, 12, 12), strict=True)):
            draw.text((left, top + SIDE + 5 + 18 * n), words, (40, 40, 40) if n == 0 else (110, 110, 110), font(size))
    sheet.save(parser.parse_args().file, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
