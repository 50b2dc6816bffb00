"""What to keep of a line of print: its strokes where it stands on the product, the whole label where it is on one.

The line was found on a small copy; its strokes are read again from the photo itself.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.colour import to_linear
from engine.segment.classical._features import Features
from engine.segment.classical._flood import flood
from engine.segment.classical._length import length
from engine.segment.classical._masks import components, disc, fill_holes
from engine.segment.classical._product import Cut
from engine.types import FloatMask, Mask, Rgb

__all__ = ["FINE_PIXELS", "fine_copy", "label_patch", "print_copy", "strokes"]

Floats = NDArray[np.float32]
FINE_PIXELS = 1_200_000
"""Print is cut out at this size or the photo's own, whichever is smaller."""
_INK = 0.5  # share of ink at which a pixel is the letter's
_SURE_INK = 0.7  # share that some pixel of a stroke reaches
_OF_PEAK = 0.6  # of the share next to it: what has less ink shows the coat too, and is for the matte to take apart
_FAINT = 1e-5  # squared distance of ink and ground in linear light: less is none
_TINT = 9.0  # a*, b* distance within one label
_FLAT = 2.6  # Lab units a pixel that a label's own shading stays below
_SHADED = 0.45  # of the paper's L* where it turns away from the light
_MARGIN = 0.7  # heights of the line
_OWN_LIGHT = 12.0  # L* between a grey product and its label
_COMPACT = 0.85  # part of its hull that a label fills
_MOST_PRODUCT, _MOST_PHOTO = 0.6, 0.12  # a larger even patch is the thing itself, not a label on it


def fine_copy(features: Features) -> Rgb:
    """The photo at `FINE_PIXELS` at most."""
    height, width = features.size
    scale = min(1.0, (FINE_PIXELS / (height * width)) ** 0.5)
    if scale == 1.0:
        return features.photo
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    smaller: Rgb = cv2.resize(features.photo, size, interpolation=cv2.INTER_AREA)
    return smaller


def print_copy(features: Features) -> Rgb:
    """The photo at `FINE_PIXELS`, or at twice its size where that is less: small print is read enlarged."""
    height, width = features.size
    scale = min(2.0, (FINE_PIXELS / (height * width)) ** 0.5)
    if scale <= 1.0:
        return fine_copy(features)
    larger: Rgb = cv2.resize(features.photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return larger


def strokes(fine: Rgb, block: Mask, seeds: Mask, within: Mask) -> FloatMask:
    """(H, W) share of ink, 0..1, in one line of print; 0 outside the block.

    A pixel of a printed surface is a mix of ground and ink, in light: mixed in bytes, dark print would come out thinner
    than pale print. Both colours are read near by, so shading does not matter.

    Args:
        fine: (H, W, 3) the photo.
        block: (h, w) hull of the line, any size.
        seeds: (h, w) the strokes as found on the smaller copy.
        within: (h, w) what the line is printed on; nothing beyond it is ink, nor says how the ground looks.
    """
    height, width = fine.shape[:2]
    result: FloatMask = np.zeros((height, width), np.float32)
    rough_block = cv2.resize(block, (width, height), interpolation=cv2.INTER_NEAREST)
    x, y, dx, dy = cv2.boundingRect(rough_block)
    pad = max(4, dy // 3)
    window = (slice(max(0, y - pad), y + dy + pad), slice(max(0, x - pad), x + dx + pad))
    scale = max(1, round(width / block.shape[1]))
    printed_on = cv2.resize(within, (width, height), interpolation=cv2.INTER_NEAREST)[window] > 0
    area = (cv2.dilate(rough_block[window], disc(scale + 1)) > 0) & printed_on
    ink = (cv2.resize(seeds, (width, height), interpolation=cv2.INTER_LINEAR)[window] > 127) & area
    if not ink.any():
        return result
    colour = to_linear(fine[window])
    clear = (cv2.dilate(ink.astype(np.uint8), disc(2 * scale)) == 0) & printed_on
    ground = _local(colour, clear, pad)
    core = ink & (cv2.erode(ink.astype(np.uint8), disc(1)) > 0)
    mark = _local(colour - ground, core if core.sum() > 8 else ink, 2 * pad)
    length = np.einsum("ijk,ijk->ij", mark, mark)
    share = np.einsum("ijk,ijk->ij", colour - ground, mark) / np.maximum(length, _FAINT)
    # the mean of a thin stroke is not pure ink: the purest tenth of the line is
    pure = float(np.quantile(share[ink], 0.85))
    share = np.clip(share / max(pure, 0.5), 0, 1).astype(np.float32)
    share[~area] = 0
    count, labels = cv2.connectedComponents((share >= _INK).astype(np.uint8), connectivity=8)
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels.ravel(), share.ravel())
    sure = peaks >= _SURE_INK
    sure[0] = False
    kept = sure[labels]
    near = cv2.dilate(kept.astype(np.uint8), disc(1)) > 0
    least = np.maximum(_INK, _OF_PEAK * cv2.dilate(share, np.ones((3, 3), np.uint8)))
    result[window] = np.where(near, share + (0.5 - least), 0).clip(0, 1)
    return result


def _local(values: Floats, where: NDArray[np.bool_], radius: int) -> Floats:
    """Mean of the chosen pixels near every pixel (normalised convolution, Knutsson and Westin 1993)."""
    weight = where.astype(np.float32) + np.float32(1e-4)
    sums = cv2.GaussianBlur(values * weight[..., None], (0, 0), max(1.0, radius / 2))
    mean: Floats = sums / cv2.GaussianBlur(weight, (0, 0), max(1.0, radius / 2))[..., None]
    return mean


def label_patch(features: Features, cut: Cut, block: Mask, letters: Mask) -> Mask | None:
    """(h, w) the paper, plate or sticker a line of print stands on; None where that is the product's own surface."""
    free = (block > 0) & (cv2.dilate(letters, disc(1)) == 0)
    if not free.any():
        return None
    paper = np.median(features.lab[free], axis=0)
    if cut.surface is not None and cut.surface.chromatic:
        if cut.surface.alike[free].mean() > 0.5:
            return None
    elif cut.confidence > 0 and abs(paper[0] - np.median(features.lab[cut.mask > 0.5, 0])) < _OWN_LIGHT:
        return None
    near = length(features.lab[..., 1:] - paper[1:]) < _TINT
    near &= (features.lab[..., 0] > _SHADED * paper[0]) & (features.lab[..., 0] < paper[0] + 30)
    even = (near & (features.edge < _FLAT)) | free
    if cut.confidence > 0:
        even &= cut.mask > 0.5
    labels = cv2.connectedComponents(even.astype(np.uint8), connectivity=4)[1]
    mine = np.isin(labels, np.unique(labels[free]))
    closed = cv2.morphologyEx(mine.astype(np.uint8) * 255, cv2.MORPH_CLOSE, disc(4))
    outline = cv2.findContours(block, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    high = min(cv2.minAreaRect(np.concatenate(outline))[1])
    wide = max(4, round(_MARGIN * high))  # what is narrower than its own print has only run into the label
    patch = cv2.morphologyEx(fill_holes(closed, int(0.3 * closed.size)), cv2.MORPH_OPEN, disc(wide))
    pieces = [piece for piece in components(patch, 1) if (piece[free] > 0).any()]
    if not pieces:
        return None
    patch = pieces[0]
    outline = cv2.findContours(patch, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    compact = cv2.contourArea(outline) / max(1.0, cv2.contourArea(cv2.convexHull(outline)))
    whole, most = (float((cut.mask > 0.5).sum()), _MOST_PRODUCT) if cut.confidence > 0 else (patch.size, _MOST_PHOTO)
    if compact < _COMPACT or (patch > 0).sum() > most * whole:
        return None
    markers = np.zeros(features.shape, np.int32)
    markers[cv2.erode(patch, disc(2)) > 0] = 1
    markers[cv2.dilate(patch, disc(6)) == 0] = 2
    settled: Mask = np.where(flood(features.edge, markers) == 1, np.uint8(255), np.uint8(0))
    return settled
