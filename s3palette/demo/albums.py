"""What the demo works on: three photos a domain, and one rule for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["ALBUMS", "Album"]

_PHOTOS = Path(__file__).parent / "photos"


@dataclass(frozen=True, slots=True)
class Album:
    name: str
    """Of its folder."""
    title: str
    preset: str
    photo_names: tuple[str, ...]
    concepts: Mapping[str, Any]
    """The rule in the shape of the API."""
    protect: tuple[str, ...]

    @property
    def photos(self) -> tuple[Path, ...]:
        return tuple(_PHOTOS / f"{name}.jpg" for name in self.photo_names)


def _recolor(value: str) -> Mapping[str, Any]:
    return {"action": "recolor", "value": value}


ALBUMS: Final = (
    Album(
        name="interior",
        title="Interior: three rooms, one palette",
        preset="interior",
        photo_names=("living", "kitchen", "bedroom"),
        concepts={"Wall": _recolor("#A7AFA0"), "Floor": _recolor("walnut_a")},
        protect=("Ceiling", "Glass_highlight"),
    ),
    Album(
        name="seller",
        title="Seller: two mugs and a real photograph, one colour",
        preset="seller",
        photo_names=("mug_teal_daylight", "mug_terracotta_tungsten", "coffee"),
        concepts={
            "Body": _recolor("navy_a"),
            # a tone suits paper and wood alike; one grey for both would bleach the table
            "Background": {"action": "tone", "value": {"exposure": 0.2, "saturation": -60}},
        },
        protect=("Label_Text", "Gloss"),
    ),
)
