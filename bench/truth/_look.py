"""What a scene of the truth set is, and in what its renderings differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a renderer comes with them, which what is drawn by chance does not need
    from _demo_house import Camera
    from _demo_parts import Image8, Stage

__all__ = ["Look", "Set", "Tone"]

Tone = tuple[int, int, int]
"""Mean sRGB colour of a surface, 0..255."""


@dataclass(frozen=True)
class Look:
    """One rendering: the base photo where nothing is given."""

    paint: Mapping[str, Tone] = field(default_factory=dict)
    """Class -> its new colour."""
    floor: Image8 | None = None
    """A seamless pattern for the floor, PATTERN_SIDE metres square."""
    bare: bool = False
    """Without the class `extra`."""

    def tone(self, surface: str, usual: Tone) -> Tone:
        """Colour of a surface: the repaint's or its usual one."""
        return self.paint.get(surface, usual)


@dataclass(frozen=True)
class Set:
    """How a scene is built, from where it is seen, how it is exposed.

    `exposure` None is as much as makes the brightest of what `render.METERED` names, in its lightest paint, `bright`
    in its median (linear); `floor` is a rectangle of the floor in metres, x0, y0, x1, y1, that lies before the camera.
    """

    build: Callable[[Stage, Look], None]
    camera: Camera
    exposure: float | None
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    floor: tuple[float, float, float, float] | None = None
    seed: int = 0
    bright: float = 0.6
