"""Materials' patterns: numbers in, tileable sheets of reflectance with a real size out."""

from engine.patterns._mipmap import Footprint, Mipmap
from engine.patterns._sheet import Sheet, sheet_of

__all__ = ["Footprint", "Mipmap", "Sheet", "sheet_of"]
