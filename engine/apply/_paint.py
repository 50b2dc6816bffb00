"""The shape every action takes: a function of colour and place, fitted to one region of one photo."""

from __future__ import annotations

from typing import Protocol

from engine._tiles import Sites, Window
from engine.colour import Linear
from engine.types import Rgb

__all__ = ["Paint"]


class Paint(Protocol):
    """What an action does to colours. Both methods describe the same mapping; the first is the quick one.

    `at` says where the pixels lie: it indexes any map of the region's window, such as its mask, its matte and what the
    paint was fitted to (see `Region`).
    """

    @property
    def reach(self) -> int:
        """How far away the neighbours may be that a pixel's result in `opaque` depends on, px."""
        ...

    def opaque(self, rgb: Rgb, at: Window) -> Rgb:
        """New bytes for (h, w, 3) uint8 sRGB, pixels that belong to the region wholly. Called from several threads."""
        ...

    def linear(self, colours: Linear, at: Sites) -> Linear:
        """New colours for (N, 3) float32 linear light: foregrounds estimated at soft edges."""
        ...
