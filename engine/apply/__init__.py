"""What a rule does to a region's colours, and how that comes onto the photo."""

from engine.apply._paint import Paint
from engine.apply.composite import claim, composite
from engine.apply.recolor import Repaint, fit_recolor, median_colour
from engine.apply.tone import Toned, fit_tone

__all__ = ["Paint", "Repaint", "Toned", "claim", "composite", "fit_recolor", "fit_tone", "median_colour"]
