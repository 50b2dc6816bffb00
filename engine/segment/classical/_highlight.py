"""Specular highlights: small, bright, nearly colourless, and clearly above what surrounds them."""

from __future__ import annotations

import cv2
import numpy as np

from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, components, disc, instance
from engine.types import Mask

__all__ = ["find_highlight"]

_BRIGHT = 74.0  # L* a highlight has at least
_GLARE = 90.0  # L* its core has where it does not tower above its surroundings
_EXCESS = 16.0  # L* above the median of the surroundings
_MOST = 0.02  # of the photo, all highlights together
_LARGEST = 0.003  # of the photo: larger bright patches are white things, windows or lamps


def find_highlight(features: Features, letters: Mask | None = None) -> Found:
    """All highlights as one instance; `letters` (h, w) are strokes of print, which are bright and small too."""
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
        if letters is not None and (letters[window][mine] > 0).mean() > 0.3:
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
