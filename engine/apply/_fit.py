"""From an action to the paint of one region: every action that changes colours."""

from __future__ import annotations

from engine.apply._paint import Paint
from engine.apply._region import Region
from engine.apply.recolor import fit_recolor
from engine.apply.tone import fit_tone
from engine.errors import NotSupported
from engine.types import Action, Recolor, Texture, Tone

__all__ = ["check_action", "fit"]


def fit(action: Action, region: Region) -> Paint | None:
    """The action fitted to a region; None where it changes nothing. `Remove` is no paint: see `fill_hole`.

    Raises:
        NotSupported: see `check_action`.
    """
    match action:
        case Recolor():
            return fit_recolor(region.rgb, region.mask, region.matte, action)
        case Tone():
            return fit_tone(action)
        case _:
            raise NotSupported(f"{type(action).__name__} is not built yet.")


def check_action(action: Action, whose: str) -> None:
    """Raise NotSupported, naming `whose` it is, for an action that validates but is not built yet."""
    if isinstance(action, Texture):
        raise NotSupported(f"Texture for {whose} is not built yet: choose a colour instead of a pattern.")
