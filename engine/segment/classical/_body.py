"""The product's main surface: what a colour option changes, without its lining, label, cap, fittings and shadow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._chroma import Surface
from engine.segment.classical._features import Features
from engine.segment.classical._flood import flood
from engine.segment.classical._masks import Found, components, disc, fill_holes, instance, soften
from engine.segment.classical._product import Cut
from engine.types import FloatMask, Mask

__all__ = ["find_body"]

Bits = NDArray[np.bool_]
_LEAST = 0.05  # of the product: less is a detail, not its body
_CRUMB = 0.003  # of the product
_HOLE = 0.012  # of the product: larger gaps of the body are parts of another make
_VEIL = 0.35  # distance beside the line from ground to body within which a gap is gloss and not another colour
_GRAZING = 0.2  # share of its own chroma that a surface keeps under a sheen
_SMALL, _PURE = 0.1, 0.75  # of the largest piece; a smaller one must have this share of the chroma: else it is a like
_SHADE = 20.0  # L*
_HUE, _STRAY = 0.18, 4.0  # distance beside the line from ground to body that is another hue; times the surface's own
_CALM = 8.0  # L* of local contrast
_SMOOTH = 1.6  # Lab units a pixel: nothing but light changes so slowly
_LEAK = 3  # pixels: half of a passage too narrow to count
_STEP = 9.0  # Lab units a pixel: the edge between two materials; a highlight's is softer
_FAR = 48.0  # L* from a neutral body's median to a part that is none of it,
_APART = 2.5  # or times its light,
_OTHER = 3.0  # and times that of the body beside the part; the faces of a box differ by less
_DETAIL = 0.004  # of the product
_MIRRORED = 0.05  # of the product: what is smaller and lighter may be a window mirrored in it
_EVEN = 6.0, 8.0  # L* that a light and a dark part vary by in the median at most; reflections on lacquer vary by more
_FULL, _GREY = 25.0, 0.25  # Lab chroma of a surface, and the share of it that its dark grey parts have at most
_MOSTLY = 0.3  # of a part
_BAR = 0.0006  # of the product
_DIM = 9.0  # L* below which colour is not to be trusted


def find_body(features: Features, cut: Cut, letters: Mask) -> Found:
    """One instance: the largest surface of one colour, in any light.

    Args:
        features: of the photo.
        cut: what `product_mask` gave.
        letters: (h, w) strokes of print; those on the body count as body, they are protected by themselves.
    """
    surface = cut.surface
    if cut.confidence <= 0.0 or surface is None:
        return 0.0, ()
    product = cut.mask >= 0.5
    own = _coloured(features, surface, product) if surface.chromatic else _neutral(features, product)
    body = _whole(own, product, _veiled(surface), letters)
    if surface.chromatic:
        body &= cv2.bitwise_not(_fittings(features, surface, product))
        body &= cv2.bitwise_not(_grilles(features, surface, product, letters))
    share = float((body > 0).sum() / max(1, product.sum()))
    if share < _LEAST:
        return 0.0, ()
    mask: FloatMask = np.minimum(soften(body, 1.0), cut.mask)
    inside = cv2.erode(body, disc(2)) > 0
    pure = float(own[inside].mean()) if inside.any() else 0.0
    score = cut.confidence * (0.5 + 0.5 * min(1.0, share / 0.4)) * pure
    return score, (instance(mask, score, features.size),)


def _coloured(features: Features, surface: Surface, product: Bits) -> Bits:
    """Pixels of the surface's own chroma, their border on the strongest edge near by."""
    own = (surface.alike & product).astype(np.uint8) * 255
    own = cv2.morphologyEx(cv2.morphologyEx(own, cv2.MORPH_OPEN, disc(1)), cv2.MORPH_CLOSE, disc(1))
    grazing = (surface.along > _GRAZING) & (surface.beside < 0.25) & product  # a sheen pales the rim of round things
    own |= cv2.dilate(own, disc(7)) & np.where(grazing, np.uint8(255), np.uint8(0))
    own |= _smoothly_on(features, own, product)
    markers = np.zeros(features.shape, np.int32)
    markers[cv2.erode(own, disc(2), borderValue=255) > 0] = 1
    markers[cv2.dilate(own, disc(2)) == 0] = 2
    markers[~product] = 2
    settled = np.where((flood(features.edge, markers) == 1) & product, np.uint8(255), np.uint8(0))
    pieces = components(settled, 1)
    for piece in pieces[1:]:
        small = (piece > 0).sum() < _SMALL * (pieces[0] > 0).sum()
        if small and float(np.median(surface.along[piece > 0])) < _PURE:
            settled &= cv2.bitwise_not(piece)
    # in its own deep shade a surface has no colour to know it by: what it encloses there is its own
    shade = (fill_holes(settled, int(0.25 * product.sum())) > 0) & (features.lab[..., 0] < _SHADE)
    shade &= cv2.blur(features.texture, (15, 15)) < _CALM  # dark bits of polished metal are none
    own_too: Bits = (settled > 0) | (shade & product)
    return own_too


def _smoothly_on(features: Features, own: Mask, product: Bits) -> Mask:
    """Where the product goes on from its own colour without an edge: another lamp's light, or a mirrored ground.

    A stretch counts where most of it has the surface's colour.
    """
    even = np.where(product & (features.edge < _SMOOTH) & (features.lab[..., 0] > _SHADE), np.uint8(255), np.uint8(0))
    labels = cv2.connectedComponents(cv2.morphologyEx(even, cv2.MORPH_OPEN, disc(_LEAK)), connectivity=4)[1]
    mass = np.bincount(labels.ravel())
    mine = np.bincount(labels[own > 0], minlength=len(mass)) > 0.5 * mass
    mine[0] = False
    return np.where(mine[labels], np.uint8(255), np.uint8(0))


def _fittings(features: Features, surface: Surface, product: Bits) -> Mask:
    """Small parts of plainly another hue, as gold on leather: too small to survive a smooth outline.

    How far the surface's own hue strays says what another one is: little on lacquer, much on worn leather.
    """
    own = surface.alike & product & (surface.along > _PURE)
    if not own.any():
        return np.zeros(features.shape, np.uint8)
    limit = max(_HUE, _STRAY * float(np.quantile(surface.beside[own], 0.9)))
    coloured = product & (surface.along > _GRAZING) & (features.lab[..., 0] > _DIM)
    other = (coloured & (surface.beside > limit)).astype(np.uint8) * 255
    found = np.zeros(features.shape, np.uint8)
    for piece in components(cv2.morphologyEx(other, cv2.MORPH_OPEN, disc(1)), max(8, int(0.0002 * product.sum()))):
        found |= piece
    fringe = (coloured & (surface.beside > 0.5 * limit)).astype(np.uint8) * 255
    parts: Mask = cv2.dilate(found, disc(3)) & (fringe | found)
    return parts


def _grilles(features: Features, surface: Surface, product: Bits, letters: Mask) -> Mask:
    """Dark grey parts in a surface of full colour, and what shows of it between their bars.

    Shade takes little of such a surface's colour, however blue the light in it.
    """
    light = features.lab[..., 0]
    colour, power = np.hypot(features.lab[..., 1], features.lab[..., 2]), _luminance(light)
    own = product & surface.alike
    own_colour = float(np.median(colour[own])) if own.any() else 0.0
    if own_colour < _FULL:
        return np.zeros(features.shape, np.uint8)
    other = product & ~surface.alike & (letters == 0)
    dark = other & (_OTHER * power < float(np.median(power[own]))) & (colour < _GREY * own_colour) & (light > _DIM)
    labels = cv2.connectedComponents(other.astype(np.uint8), connectivity=4)[1]
    size = np.bincount(labels.ravel())
    parts = (np.bincount(labels[dark], minlength=len(size)) > _MOSTLY * size) & (size > max(8, _BAR * product.sum()))
    parts[0] = False
    found: Mask = cv2.morphologyEx(np.where(parts[labels], np.uint8(255), np.uint8(0)), cv2.MORPH_CLOSE, disc(2))
    return found


def _neutral(features: Features, product: Bits) -> Bits:
    """A grey product has no hue to go by: all of it, but for coloured parts and for sharply set off light or dark ones.

    Light falls off softly on one surface, however far; where a part of another lightness begins there is an edge.
    """
    light = features.lab[..., 0]
    colourful = np.hypot(features.lab[..., 1], features.lab[..., 2])
    typical = float(np.median(colourful[product]))
    tinted = (colourful > typical + 14.0) & (light > _DIM)
    power = _luminance(light)
    level = float(np.median(power[product]))
    own = product.copy()
    within = cv2.erode(product.astype(np.uint8), disc(4)) > 0
    far = np.abs(light - np.median(light[product])) > _FAR
    for stretch, least in (
        (tinted | far, _DETAIL),
        (power > _APART * level, _MIRRORED),
        (_APART * power < level, _DETAIL),
    ):
        for piece in components((product & stretch).astype(np.uint8) * 255, max(20, int(least * product.sum()))):
            line = (cv2.dilate(piece, disc(1)) > 0) & (cv2.erode(piece, disc(1)) == 0) & within
            beside = (cv2.dilate(piece, disc(4)) > 0) & (cv2.dilate(piece, disc(2)) == 0) & product
            levels, mean = light[piece > 0], float(np.median(power[piece > 0]))
            even = float(np.median(np.abs(levels - np.median(levels)))) < _EVEN[mean < level]  # lamps have no voice
            sharp = bool(line.any() and np.median(features.edge[line]) > _STEP and even)
            around = float(np.median(power[beside])) if beside.any() else mean
            other = max(mean, around) > _OTHER * min(mean, around)
            if (sharp and other) or bool(tinted[piece > 0].mean() > 0.5):
                own &= piece == 0
    return own


def _luminance(light: FloatMask) -> FloatMask:
    """Linear, 0..1, of L*; and a little more, for in the dark a ratio is mostly noise."""
    power: FloatMask = np.where(light > 8, ((light + 16) / 116) ** 3, light / np.float32(903.3)) + np.float32(0.003)
    return power


def _veiled(surface: Surface) -> Bits:
    """Colours that gloss and print in white or black make of the body: between the ground's and its own."""
    if not surface.chromatic:
        return np.ones(surface.along.shape, bool)
    veiled: Bits = surface.beside < _VEIL
    return veiled


def _whole(own: Bits, product: Bits, veiled: Bits, letters: Mask) -> Mask:
    """Without crumbs, gaps of gloss and print closed, the outline smooth."""
    size = int(product.sum())
    body = own.astype(np.uint8) * 255
    kept = np.zeros(body.shape, np.uint8)
    for piece in components(body, max(12, int(_CRUMB * size))):
        kept |= piece
    printed = np.zeros(body.shape, np.uint8)
    for letter in components(letters, 1):
        around = (cv2.dilate(letter, disc(2)) > 0) & (letter == 0)
        if (kept[around] > 0).mean() > 0.5:
            printed |= letter
    near = fill_holes(kept | printed, int(_HOLE * size))
    near = np.where(veiled | (printed > 0), near, kept)
    near = cv2.morphologyEx(near, cv2.MORPH_OPEN, disc(1)) | kept
    filled = fill_holes(near, max(8, int(0.001 * size)))
    smooth: Mask = cv2.medianBlur(filled, 5) & np.where(product, np.uint8(255), np.uint8(0))
    return smooth
