"""Specular highlights: lamps mirrored in a surface, told from pale paint by what they add to the surface around them.

What is seen of a shiny surface is its paint, lit, plus the lamp's mirror image, which has the lamp's colour and knows
nothing of the paint (dichromatic model, Shafer 1985). So the light that a bright patch has more than its surroundings
is colourless on a coloured surface; on a black one it is many times what the paint gives back; on a white one it rises
above all that the paint can give back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.colour import LUMA, to_linear
from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, disc, instance
from engine.segment.classical._product import Cut
from engine.types import FloatMask, Mask

__all__ = ["find_highlight"]

_STEP = 3.0  # L*
_LEVELS = np.arange(42.0, 100.0, _STEP)  # at which patches are cut out of the photo
_LARGEST = 0.012  # of the photo, in a black product
_LARGEST_HUED = 0.004  # in a coloured one, which a white part of it may look like
_LARGEST_FREE = 0.0006  # where no product is known: larger ones are white things, windows and lamps
_MOST = 0.02  # of the photo, all highlights together
_SMALLEST = 4  # pixels
_BRIGHT = 45.0  # L* of a highlight's core
_EVEN, _EVEN_BLACK = 0.35, 0.6  # of the rise: what a surface varies by around a highlight that lies on it
_COLOURED = 0.05  # distance from grey of a colour's shares of the light
_LAMP = 0.24  # the same of a lamp; tungsten among daylight has 0.2, brown leather more
_COLOURLESS = 0.55  # of that distance: what the lamp may have of it
_STRONG = 0.3  # distance from grey of red, blue, green; beige and blue-grey have less
_KEPT, _HALF_KEPT = 0.25, 0.35  # of the surface's own colour: a pixel with more is recolour's to take apart
_BLACK, _WHITE = 0.1, 0.28  # luminance of the surface around
_TIMES_BLACK, _TIMES_GREY = 3.0, 1.6  # the surface's own luminance that a lamp adds
_PLATEAU = 0.45  # part of a mirrored lamp that is as bright as its middle; white paint brightens gradually
_GLARE = 94.5  # L* that white paint does not reach in even light
_RISE, _RISE_PALE, _RISE_WHITE = 10.0, 7.5, 5.0  # L* above the surroundings
_FRAMED = 0.7  # part of what surrounds a highlight that is the product's own surface
_SEAM, _SPOT = (
    7.0,
    0.0004,
)  # Lab distance that compression gives a bit of white paper; of the photo: less is no such bit
_DARK = 40.0  # L* below which a surface is not told by its colour
_PALE, _WINDOW = 74.0, 0.003  # L* of windows, lamps and white walls, and the part of the photo they cover at least
_CORE = 0.4  # of a lamp's light: the fringe keeps the surface's colour, and kept it would show as a ring of the old one

Bits = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Patch:
    """A bright patch that dimmer pixels enclose, in a window around it."""

    window: tuple[slice, slice]
    shape: Bits
    """The patch."""
    ring: Bits
    """What lies around it."""


def find_highlight(features: Features, cut: Cut, printed: Mask) -> Found:
    """All highlights as one instance.

    Args:
        features: of the photo.
        cut: what `product_mask` gave.
        printed: (h, w) print and labels, which are bright and small too.
    """
    light, linear = features.lab[..., 0], to_linear(features.rgb)
    size = light.size
    mask = np.zeros(light.shape, np.float32)
    weights, sures = [0.0], [0.0]
    product = cut.mask > 0.5 if cut.confidence > 0 else None
    usual = _usual(light, product)
    where = product if product is not None else _small_things(light)
    own = where if cut.surface is None else cut.surface.alike | (light < _DARK)
    for patch in _patches(light, where, mask, int((_LARGEST if product is not None else _LARGEST_FREE) * size)):
        print_near = printed[patch.window] > 0
        if print_near[patch.shape].mean() > 0.3 or print_near[patch.ring].mean() > 0.25:
            continue  # print, or what borders on a label
        patch = replace(patch, ring=patch.ring & ~print_near)
        if (where & own)[patch.window][patch.ring].mean() < _FRAMED or _ground_seen(features, patch):
            continue
        if product is None and float(light[patch.window][patch.shape].max()) < _GLARE:
            continue  # nothing says that it lies on one surface with what is around it: a pale thing, likely
        found = _lamp(light[patch.window], linear[patch.window], patch, usual, size)
        if found is not None:
            sure, share = found
            mask[patch.window] = np.maximum(mask[patch.window], share)
            weights.append(float((share >= 0.5).sum()))
            sures.append(sure * weights[-1])
    total = sum(weights)
    if not _SMALLEST <= total <= _MOST * size + (0.05 * product.sum() if product is not None else 0):
        return 0.0, ()  # glitter, noise or a pattern: highlights are few
    score = sum(sures) / total * min(1.0, 0.6 + total / 80.0)
    return score, (instance(mask, score, features.size),)


def _usual(light: Floats, product: Bits | None) -> float:
    """L* that hardly anything of the product exceeds, or of the photo where none is known."""
    return float(np.quantile(light[product] if product is not None and product.any() else light, 0.93))


def _patches(light: Floats, where: Bits, found: FloatMask, largest: int) -> Iterator[_Patch]:
    """Bright patches in `where` that dimmer pixels enclose, at every level the largest first.

    Whoever takes one marks it in `found`: what lies in it is not offered again.
    """
    h, w = light.shape
    for level in _LEVELS:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((light >= level).astype(np.uint8), connectivity=4)
        x, y, dx, dy, area = (stats[:, k] for k in range(5))
        offered = (area >= _SMALLEST) & (area <= largest) & (x > 0) & (y > 0) & (x + dx < w) & (y + dy < h)
        for fact, least in ((where, 0.5), (light >= level + _STEP, 1e-6), (found < 0.5, 1.0)):
            offered &= np.bincount(labels[fact], minlength=count) >= least * area
        for k in np.flatnonzero(offered[1:]) + 1:
            pad = 6 + int(0.2 * min(dx[k], dy[k]))
            rows = slice(max(0, int(y[k]) - pad), min(h, int(y[k] + dy[k]) + pad))
            window = (rows, slice(max(0, int(x[k]) - pad), min(w, int(x[k] + dx[k]) + pad)))
            shape = labels[window] == k
            solid = shape.astype(np.uint8)
            ring = (cv2.dilate(solid, disc(pad - 1)) > 0) & (cv2.dilate(solid, disc(2)) == 0)
            if ring.any():
                yield _Patch(window, shape, ring)


def _ground_seen(features: Features, patch: _Patch) -> bool:
    """A bit of a white ground between straps and laces is no highlight."""
    ground = features.ground
    if ground is None or ground.studio < 0.6:
        return False
    unlike = float(np.median(ground.distance[patch.window][patch.shape]))
    if ground.flawless and patch.shape.sum() > _SPOT * ground.distance.size:
        return unlike < _SEAM
    return unlike < 2.5 * ground.noise


def _small_things(light: Floats) -> Bits:
    """All but what is bright and large: windows, lamps, white walls, and the bright bits in them."""
    bright = (light > _PALE).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] > _WINDOW * light.size
    large[0] = False
    small: Bits = ~large[labels]
    return small


def _lamp(light: Floats, linear: Floats, patch: _Patch, usual: float, size: int) -> tuple[float, FloatMask] | None:
    """How sure it is that a patch mirrors a lamp, 0..1, and the lamp's share of each pixel; None where it is none."""
    around = light[patch.ring]
    level = float(np.median(around))
    top = float(np.quantile(light[patch.shape], 0.9))
    rise = top - level
    uneven = float(np.abs(around - level).mean()) / max(rise, 1e-3)
    if rise < _RISE_WHITE or uneven > _EVEN_BLACK:
        return None
    core = patch.shape & (light >= (level + top) / 2)
    bright = float(light[core].mean())
    if bright < _BRIGHT:
        return None
    paint = np.median(linear[patch.ring], axis=0)
    added = linear[core].mean(axis=0) - paint
    if added.min() < 0:
        return None
    own, more = float(paint @ LUMA), float(added @ LUMA)
    hue, lamp = _hue(paint), _hue(added)
    if own < _BLACK and more > _TIMES_BLACK * own and np.linalg.norm(lamp) < _LAMP:
        sure = 0.85
    elif uneven > _EVEN:
        return None
    elif np.linalg.norm(hue) > _COLOURED:
        along = float(lamp @ hue) / float(hue @ hue)
        tinted = along > _COLOURLESS or np.linalg.norm(lamp) > max(_LAMP, float(np.linalg.norm(hue)))
        pale = own >= _WHITE
        if tinted or rise < (_RISE_PALE if pale else _RISE):
            return None
        if not pale and patch.shape.sum() > _LARGEST_HUED * size:
            return None
        sure = 0.6 + 0.3 * (1 - max(0.0, along) / _COLOURLESS)
    elif own < _WHITE:
        if more < _TIMES_GREY * own or bright < 80:
            return None
        sure = 0.6
    else:
        plateau = float((light[patch.shape] > level + 0.6 * rise).mean())
        glare = top > _GLARE and top > usual + 2.0
        if not glare and (top < usual + _RISE_WHITE or rise < _RISE_PALE or plateau < _PLATEAU):
            return None
        sure = 0.7 if glare else 0.6
    share = (linear - paint) @ added / float(added @ added)
    near = cv2.dilate(patch.shape.astype(np.uint8), disc(2)) > 0
    kept = np.where(near, np.clip(0.5 + (share - _CORE) / 0.3, 0, 1), 0)
    if np.linalg.norm(hue) > _STRONG:
        own_colour = _hue(linear) @ hue / float(hue @ hue)
        kept *= np.clip(0.5 + 0.5 * (_HALF_KEPT - own_colour) / (_HALF_KEPT - _KEPT), 0, 1)
    return (sure, kept.astype(np.float32)) if (kept >= 0.5).any() else None


def _hue(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """How the shares of red, green and blue in a light differ from grey, (..., 3)."""
    shares: NDArray[np.floating] = light / (light.sum(axis=-1, keepdims=True) + 1e-4) - 1 / 3
    return shares
