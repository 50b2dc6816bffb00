"""The named tones on a wall, a backdrop by lamplight and a thing, to look at; and how grey `neutral` makes grey."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from _figures import difference, lab
from _masks_used import replayed
from _truth import SCENES, Scene
from PIL import Image, ImageDraw, ImageFont

from engine.pipeline import render
from engine.types import Layer, Photo, Recipe, Rgb, Tone
from s3palette.domain.materials import load_materials
from s3palette.recipes import build_recipe

__all__ = ["neutral", "tones_sheet"]

_ROWS: Final = (("study", "wall"), ("tin_tungsten", "background"), ("radio", "body"))
_GREYS: Final = (("tin", "background"), ("tin_tungsten", "background"), ("tin_shade", "background"))
_COLOURED: Final = (("galley", "floor"), ("loft", "wall"), ("hall", "wall"))
_WIDTH: Final = 320


def _scene(name: str) -> Scene:
    """A scene; the tin in another light is none of its own."""
    return SCENES[name] if name in SCENES else replace(SCENES["tin"], name=name)


def _named(scene: Scene, surface: str, tone: Tone) -> Rgb:
    """A surface of a scene in a tone."""
    found = replayed(surface, scene.mask(surface).astype(np.float32))
    recipe = Recipe((found.prompt,), (Layer(surface, tone),))
    return render(Photo(scene.base()), [found], recipe, source="replay").photo.rgb


def _tones() -> dict[str, Tone]:
    """The named tones of the catalogue, as the engine gets them."""
    found = {}
    for name in load_materials().tones:
        (layer,) = build_recipe("interior", {"Wall": {"action": "tone", "value": name}}).layers
        assert isinstance(layer.action, Tone)
        found[name] = layer.action
    return found


def tones_sheet() -> Image.Image:
    """A row for each surface: the photo, then every named tone."""
    rows = []
    for name, surface in _ROWS:
        scene = _scene(name)
        pictures = [scene.base(), *(_named(scene, surface, tone) for tone in _tones().values())]
        size = (_WIDTH, _WIDTH * pictures[0].shape[0] // pictures[0].shape[1])
        rows.append(np.concatenate([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures], axis=1))
    sheet = Image.fromarray(np.concatenate(rows))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for k, words in enumerate(("photo", *_tones())):
        draw.text((k * _WIDTH + 10, 8), words, (255, 255, 255), font, stroke_width=2, stroke_fill=(0, 0, 0))
    return sheet


def neutral() -> list[dict[str, Any]]:
    """Print what a full `balance` does to grey backdrops in other light, and to what has a colour of its own."""
    rows = []
    print(f"{'balance 100':32}{'chroma before':>16}{'after':>8}{'CIEDE2000':>12}")
    for name, surface in (*_GREYS, *_COLOURED):
        scene = _scene(name)
        inside = scene.mask(surface)
        before, after = (
            lab(np.median(rgb[inside], axis=0).astype(np.uint8))
            for rgb in (scene.base(), _named(scene, surface, Tone(balance=100)))
        )
        chroma = [float(np.hypot(*colour[1:])) for colour in (before, after)]
        moved = float(difference(before, after))
        case = {"scene": scene.name, "half": scene.half, "surface": surface, "change": "balance 100", "method": "ours"}
        rows.append({**case, "before": chroma[0], "after": chroma[1], "moved": moved})
        print(f"{scene.name + ' ' + surface:32}{chroma[0]:16.1f}{chroma[1]:8.1f}{moved:12.1f}")
    return rows
