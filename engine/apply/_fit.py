"""From an action to the paint of one region: every action that changes colours."""

from __future__ import annotations

from collections.abc import Sequence

from engine.apply._paint import Paint
from engine.apply._region import Region
from engine.apply.recolor import fit_recolor
from engine.apply.texture import fit_texture
from engine.apply.tone import fit_tone
from engine.patterns import sheet_of
from engine.planes import Facet
from engine.types import Recolor, Texture, Tone

__all__ = ["fit"]


def fit(action: Recolor | Tone | Texture, region: Region, facets: Sequence[Facet] = ()) -> Paint | None:
    """The action fitted to a region; None where it changes nothing. `Remove` is no paint: see `fill_hole`.

    `facets` are the planes of the region, for a texture.
    """
    match action:
        case Recolor():
            return fit_recolor(region.rgb, region.mask, region.matte, action, region.surroundings)
        case Tone():
            return fit_tone(action, region)
        case Texture(pattern):
            return fit_texture(region, sheet_of(pattern), pattern.colour, facets)
