"""The ground's shadows: what is the ground in less light, or in the light that the product throws on it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._chroma import Surface
from engine.segment.classical._features import Features
from engine.segment.classical._flood import flood
from engine.segment.classical._ground import Ground
from engine.segment.classical._masks import components, disc, spread
from engine.segment.classical._reach import DARKEST_SHADOW, TINT
from engine.types import Mask

__all__ = ["with_shadow"]

Bits = NDArray[np.bool_]
_DIM = 0.97  # of the ground's L*: a shadow has less
_REFLECTED, _ASIDE = 0.62, 0.45  # of the product's own chroma: no light on the ground has more; of another lamp's tint
_SMOOTH = 1.6  # Lab units a pixel: nothing but light changes so slowly
_SOFT = 6.0  # Lab units a pixel: a shadow's edge is softer than an object's
_PLAIN = 0.4  # of what is no ground: so much of a grey thing is plainly no shadow
_FLAT = 0.25  # of the product's height: a shadow beside it is not higher
_STAIR, _BACK = 0.03, 0.03  # of the ground's L*: a step down into the shadow, and how far up again noise may lead


def with_shadow(features: Features, reached: Mask, surface: Surface) -> Mask:
    """(h, w) the ground with its shadows.

    Args:
        features: of the photo, with a ground.
        reached: (h, w) the ground so far.
        surface: the product's, as far as it is known; a shadow's chroma is the ground's, or on the way to this one's.
    """
    ground = features.ground
    assert ground is not None
    if not (reached == 0).any():
        return reached
    if surface.chromatic:
        return _beside_colour(features, ground, reached, surface)
    return _beside_grey(features, ground, reached)


def _dim(ground: Ground) -> Bits:
    return (ground.shade < _DIM) & (ground.shade > 0.5 * DARKEST_SHADOW)


def _beside_colour(features: Features, ground: Ground, reached: Mask, surface: Surface) -> Mask:
    """What may be either, as a side of the product that mirrors the ground, goes where the softer edge leads."""
    thrown = (ground.shade >= _DIM) & (features.edge < _SMOOTH)  # the light that a coloured thing throws around it
    free = (_dim(ground) | thrown) & (surface.along < _REFLECTED) & (surface.beside < _ASIDE)
    above = _above((reached == 0) & surface.alike & (surface.along > _REFLECTED))
    parts = cv2.connectedComponents(
        (free & (reached == 0) & (features.edge < _SMOOTH)).astype(np.uint8), connectivity=4
    )[1]
    lies = np.bincount(parts[~above], minlength=parts.max() + 1) > 0.5 * np.bincount(parts.ravel())
    lies[0] = False
    free &= ~above | lies[parts]  # a label, a cap has the product below it, a shadow only where it falls behind
    markers = np.where(reached > 0, np.int32(2), np.where(free, np.int32(0), np.int32(1)))
    settled: Mask = np.where(flood(features.edge, markers) == 2, np.uint8(255), np.uint8(0))
    return settled


def _beside_grey(features: Features, ground: Ground, reached: Mask) -> Mask:
    """Colour does not tell them from the product: what stands is parted from what lies.

    A shadow that lies beside the product is flat, for it is seen from the side; between it and what of the product
    rises above all shadows the strongest edge is the product's outline.
    """
    shadow = _dim(ground) & ((ground.tint < 2 * max(TINT, 3.0 * ground.noise)) | (features.edge < _SMOOTH))
    whole = components(cv2.morphologyEx(cv2.bitwise_not(reached), cv2.MORPH_OPEN, disc(3)), 1)
    if not whole:
        return reached
    rows = np.flatnonzero((whole[0] > 0).any(axis=1))
    middle = int(rows[0] + rows[-1]) // 2
    stands = cv2.morphologyEx(((reached == 0) & ~shadow).astype(np.uint8), cv2.MORPH_OPEN, disc(2)) > 0
    if stands.sum() > _PLAIN * (reached == 0).sum():
        shadow[:middle, _spanned(stands[:middle])] = False
    else:  # a thing as pale as a shadow: shadows lie on the ground
        shadow[:middle] = False
    lying = (_descend(reached, shadow & (features.edge < _SOFT), ground.shade) > 0) & (reached == 0)
    flat = lying.sum(axis=0) < _FLAT * int(rows[-1] - rows[0])
    flat[_spanned(((whole[0] > 0) & ~shadow)[:middle])] = False
    lying &= flat[None]
    markers = np.zeros(features.shape, np.int32)
    markers[cv2.erode(reached | np.where(lying, np.uint8(255), np.uint8(0)), disc(1), borderValue=255) > 0] = 2
    markers[cv2.erode(np.where((reached == 0) & ~shadow, np.uint8(255), np.uint8(0)), disc(2), borderValue=255) > 0] = 1
    settled: Mask = np.where(flood(features.edge, markers) == 2, np.uint8(255), np.uint8(0))
    return settled | reached


def _above(stands: Bits) -> Bits:
    """What has something that plainly stands below it in its column."""
    solid = cv2.morphologyEx(stands.astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    return np.asarray(np.maximum.accumulate(solid[::-1], axis=0)[::-1] > 0)


def _spanned(rising: Bits) -> slice:
    """The columns from the first to the last that has anything."""
    columns = np.flatnonzero(rising.any(axis=0))
    return slice(int(columns[0]), int(columns[-1]) + 1) if len(columns) else slice(0)


def _descend(seed: Mask, allowed: Bits, shade: NDArray[np.float32]) -> Mask:
    """Seed, and what one reaches from it in `allowed` on a way that hardly ever gets lighter.

    A shadow darkens towards the foot of what throws it; a grey or white thing that stands there is lighter again.
    """
    reached = seed
    for level in np.arange(1.0, 0.5 * DARKEST_SHADOW, -_STAIR):
        stair = allowed & (shade > level - _STAIR) & (shade < level + _BACK)
        reached = spread(reached, np.where(stair, np.uint8(255), np.uint8(0)))
    return reached
