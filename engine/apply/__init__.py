"""What a rule does to a region's colours, and how that comes onto the photo."""

from engine.apply._fit import fit
from engine.apply._paint import Paint
from engine.apply._region import Region, claim, region_of
from engine.apply._warm import warm_up
from engine.apply.composite import composite
from engine.apply.measure import measured_colour
from engine.apply.recolor import Repaint, fit_recolor, median_colour
from engine.apply.remove import fill_hole, hole_of
from engine.apply.texture import Textured, fit_texture
from engine.apply.tone import Toned, fit_tone

__all__ = [
    "Paint",
    "Region",
    "Repaint",
    "Textured",
    "Toned",
    "claim",
    "composite",
    "fill_hole",
    "fit",
    "fit_recolor",
    "fit_texture",
    "fit_tone",
    "hole_of",
    "measured_colour",
    "median_colour",
    "region_of",
    "warm_up",
]
