"""Specular highlights: small, bright, nearly colourless, and clearly above what surrounds them."""

from __future__ import annotations

import cv2
import numpy as np

from engine.segment.classical._chroma import Surface
from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, components, disc, instance
from engine.segment.classical._product import Cut
from engine.types import Mask

__all__ = ["find_highlight"]

_BRIGHT = 74.0  # L* a highlight has at least
_GLARE = 90.0  # L* its core has where it does not tower above its surroundings
_EXCESS = 16.0  # L* above the median of the surroundings
_BARE = 0.35  # of the surface's own chroma: where less is left the lamp shows
_PALE = 0.5  # of the surface's own a*, b* chroma: a ground of the surface's hue makes `along` say too little
_RISE = 12.0  # L* above the surface around
_FRAMED = 0.6  # part of what surrounds a highlight that is the surface
_MOST = 0.02  # of the photo, all highlights together
_LARGEST = 0.003  # of the photo: larger bright patches are white things, windows or lamps


def find_highlight(features: Features, cut: Cut, letters: Mask) -> Found:
    """All highlights as one instance.

    On a product with a colour of its own they are where that colour gives way to the lamp's; elsewhere, what is bright
    and pale.

    Args:
        features: of the photo.
        cut: what `product_mask` gave.
        letters: (h, w) strokes of print, which are bright and small too.
    """
    if cut.surface is not None and cut.surface.chromatic:
        return _veils(features, cut, cut.surface, letters)
    return _sparks(features, letters)


def _veils(features: Features, cut: Cut, surface: Surface, letters: Mask) -> Found:
    """Lamps mirrored in a coloured surface: lighter than it, without its chroma, and with it all around.

    Only their core: the fringe still has the surface's colour, and kept it would show as a ring of the old one.
    """
    light = features.lab[..., 0]
    h, w = light.shape
    own = surface.alike & (cut.mask > 0.5)
    weight = own.astype(np.float32)
    reach = max(4.0, 0.02 * min(h, w))
    around = cv2.GaussianBlur(light * weight, (0, 0), reach) / np.maximum(cv2.GaussianBlur(weight, (0, 0), reach), 1e-3)
    rise = light - around
    strength = np.hypot(features.lab[..., 1], features.lab[..., 2])
    pale = strength < max(8.0, _PALE * float(np.median(strength[own]))) if own.any() else own
    bare = (surface.along < _BARE) & pale & (rise > _RISE) & (cut.mask > 0.5) & (letters == 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bare.astype(np.uint8), connectivity=8)
    kept = np.zeros((h, w), np.uint8)
    rises: list[float] = []
    for k in range(1, count):
        x, y, dx, dy, area = (int(v) for v in stats[k])
        if not 4 <= area <= _LARGEST * h * w:
            continue
        window = (slice(max(0, y - 5), y + dy + 5), slice(max(0, x - 5), x + dx + 5))
        mine = (labels[window] == k).astype(np.uint8)
        ring = (cv2.dilate(mine, disc(5)) > 0) & (cv2.dilate(mine, disc(2)) == 0)
        if ring.any() and own[window][ring].mean() > _FRAMED and not letters[window][ring].any():
            kept[window][mine > 0] = 255
            rises += [float(rise[window][mine > 0].mean())] * area
    if not rises or len(rises) > _MOST * h * w:
        return 0.0, ()
    score = float(np.clip(0.3 + np.mean(rises) / 70.0, 0, 0.9)) * min(1.0, 0.5 + len(rises) / 60.0)
    core = np.clip(0.5 + (_BARE - surface.along) / 0.3, 0, 1)
    mask = np.where(kept > 0, core, 0).astype(np.float32)
    return score, (instance(mask, score, features.size),)


def _sparks(features: Features, letters: Mask) -> Found:
    """Small, bright, pale patches well above what surrounds them."""
    light = features.lab[..., 0]
    chroma = np.hypot(features.lab[..., 1], features.lab[..., 2])
    h, w = light.shape
    reach = max(9, int(0.07 * min(h, w))) | 1
    coarse = cv2.resize(light, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
    levels = np.clip(coarse * 2.55, 0, 255).astype(np.uint8)
    around = cv2.resize(cv2.medianBlur(levels, reach).astype(np.float32) / 2.55, (w, h))
    chroma_around = cv2.blur(chroma, (reach, reach))
    excess = light - around
    pale = chroma < np.maximum(16.0, 0.62 * chroma_around)
    ground = features.ground
    if ground is not None and ground.studio > 0.6:
        # bits of a white ground between straps and laces are no highlights, nor is the product's rim against it
        patches = components((ground.distance < 9.0).astype(np.uint8) * 255, max(30, int(0.0015 * h * w)))
        for patch in patches:
            pale &= cv2.dilate(patch, disc(4)) == 0
    candidate = ((light > _BRIGHT) & (excess > _EXCESS) & pale).astype(np.uint8) * 255
    bright = (light > _BRIGHT).astype(np.uint8)
    _, patch, patches_stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    patch_area = patches_stats[:, cv2.CC_STAT_AREA]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(candidate, connectivity=8)
    kept, scores = np.zeros((h, w), np.uint8), []
    for k in range(1, count):
        x0, y0, dx, dy, area = (int(v) for v in stats[k])
        if area < 4 or area > _LARGEST * h * w or max(dx, dy) > 0.3 * max(h, w):
            continue
        window = (slice(y0, y0 + dy), slice(x0, x0 + dx))
        mine = labels[window] == k
        if (letters[window][mine] > 0).mean() > 0.3:
            continue
        if patch_area[patch[window][mine]].max() > 2 * _LARGEST * h * w:
            continue  # a corner of a window, a lamp or a white wall
        rise = float(excess[window][mine].mean())
        if float(light[window][mine].max()) < (_GLARE if rise < 2 * _EXCESS else _BRIGHT + 2.0):
            continue
        kept[window][mine] = 255
        scores.append((rise, area))
    if not scores:
        return 0.0, ()
    total = sum(area for _, area in scores)
    if total > _MOST * h * w:
        return 0.0, ()  # glitter, noise or a pattern: highlights are few
    mean = sum(e * area for e, area in scores) / total
    score = float(np.clip(0.25 + mean / 70.0, 0, 0.9)) * min(1.0, 0.5 + total / 60.0)
    if score < 0.35:
        return 0.0, ()
    # the fall-off around a core belongs to the highlight as far as it stays above its surroundings
    halo = cv2.dilate(kept, disc(2))
    strength = np.clip((excess - 4.0) / (_EXCESS - 4.0), 0, 1) * (halo > 0) * (chroma < chroma_around + 12.0)
    mask = np.maximum(strength, kept / 255.0).astype(np.float32)
    return score, (instance(mask, score, features.size),)
