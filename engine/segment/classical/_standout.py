"""A product on a ground of many colours: what has a colour of its own that the photo's border does not show.

Regional contrast against the border (Zhu et al. 2014 call it boundary connectivity) in shading-free chroma gives a
first idea, what it encloses belongs to it (the white inside of a cup), and only one compact thing with an edge all
around is believed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._chroma import Surface, dominant
from engine.segment.classical._features import Features
from engine.segment.classical._flood import flood
from engine.segment.classical._masks import components, disc, fill_holes, soften
from engine.types import FloatMask, Mask

__all__ = ["standing_out"]

Floats = NDArray[np.float32]
_BIN = 0.04
_BINS = 80
_OWN = 4.0  # times as frequent within as at the border
_LEAST, _MOST = 0.06, 0.6  # of the photo
_COMPACT = 0.93  # part of its hull that the product fills
_EDGED = 0.9  # part of the outline that has an edge
_CLEAR_EDGE = 2.0  # Lab units a pixel along the outline


def standing_out(features: Features, points: Floats) -> tuple[FloatMask, float, Surface] | None:
    """(h, w) probability, confidence and main surface; None where nothing stands out for certain.

    Args:
        features: of the photo.
        points: (h, w, 2) what `chroma` gave.
    """
    h, w = features.shape
    seed = _rare(points)
    pieces = components(cv2.morphologyEx(seed, cv2.MORPH_OPEN, disc(1)), int(0.0015 * h * w))
    if not pieces:
        return None
    bridge = max(3, min(h, w) // 50)
    core = np.pad(np.max(pieces, axis=0), bridge)
    core = cv2.morphologyEx(core, cv2.MORPH_CLOSE, disc(bridge))[bridge:-bridge, bridge:-bridge]
    core = np.max(components(core, int(_LEAST * h * w)) or [np.zeros((h, w), np.uint8)], axis=0)
    if not core.any():
        return None
    hull = _hull(core)
    if float((hull > 0).mean()) > _MOST:
        return None
    markers = np.zeros((h, w), np.int32)
    markers[cv2.erode(core, disc(2)) > 0] = 1
    markers[cv2.erode(hull, disc(min(h, w) // 14)) > 0] = 1
    markers[cv2.dilate(hull, disc(min(h, w) // 14)) == 0] = 2
    markers[:2], markers[-2:], markers[:, :2], markers[:, -2:] = 2, 2, 2, 2
    cut = fill_holes((flood(features.edge, markers) == 1).astype(np.uint8) * 255, h * w // 4)
    whole = components(cut, int(_LEAST * h * w))
    if not whole:
        return None
    product = whole[0]
    compact = float((product > 0).sum() / max(1, (_hull(product) > 0).sum()))
    line = (cv2.dilate(product, disc(3)) > 0) & (cv2.erode(product, disc(3)) == 0)
    edges = cv2.dilate(features.edge, disc(2))[line]
    clear = float((edges > _CLEAR_EDGE).mean())
    if compact < _COMPACT or clear < _EDGED:
        return None
    around = np.median(points[product == 0], axis=0)
    surface = dominant(points, features.lab[..., 0], product > 0, around)
    return soften(product, 1.4), 0.75 * compact * clear, surface


def _rare(points: Floats) -> Mask:
    """Pixels whose chroma is far more frequent within the photo than at its border."""
    h, w = points.shape[:2]
    index = np.clip(np.rint(points / _BIN).astype(int) + _BINS // 2, 0, _BINS - 1)
    flat = index[..., 0] * _BINS + index[..., 1]
    width = max(2, min(h, w) // 16)
    rim = np.ones((h, w), bool)
    rim[width:-width, width:-width] = False

    def frequency(where: NDArray[np.bool_]) -> Floats:
        counts = np.bincount(flat[where], minlength=_BINS * _BINS).reshape(_BINS, _BINS).astype(np.float32)
        smooth: Floats = cv2.GaussianBlur(counts / max(1, where.sum()), (0, 0), 0.8)
        return smooth

    within, outside = frequency(~rim), frequency(rim)
    ratio = (within + 1e-5) / (outside + 1e-4)
    return np.where(ratio[index[..., 0], index[..., 1]] > _OWN, np.uint8(255), np.uint8(0))


def _hull(mask: Mask) -> Mask:
    outline = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(outline)), 255)
    return filled
