"""A product on a ground of any make: boards, cloth, tiles, stone, and the wall behind them.

Such a ground shows at the photo's border, most of all at the height at which it shows within: a table has one look
from left to right, a wall above it another. Superpixels (their number, colour and edges as for rooms) are weighed by
how much they look like the ground at their height and by how much like the product; a random walk (Grady 2005, with
prior models) carries that over even surfaces, and both looks are learnt anew from what came out. Of the outlines that
the answer has at different levels the one is taken that parts most and runs along the clearest edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._length import length
from engine.segment.classical._masks import components, disc, fill_holes
from engine.segment.classical._regions import Regions, bottleneck, make_regions
from engine.segment.classical._walk import walker
from engine.types import Mask

__all__ = ["find_amid"]

_RIM = 0.02  # of the shorter side: a superpixel that lies there belongs to the ground
_LOOK = (0.45, 1.2, 1.2, 1.0)  # what lightness, the two colours and the grain count for in a look
_ALIKE = 4.0  # units of that look
_HEIGHT = 0.2  # of the photo's height, within which a ground keeps its look
_MIDDLE = (0.25, 0.22)  # of height and width: where a product is looked for first
_ROUNDS = 4
_UNLIKE = 3.0  # how much less a look of the ground's speaks for the product, at first
_OPEN, _CLOSED = 1.5, 4.0  # Lab units a pixel of the strongest edge on the way from the border: none; an outline
_REACHED, _ENCLOSED = 0.5, 0.1  # what either says, beside a look that is wholly the ground's
_PULL = 0.05  # weight of a superpixel's own look against one of its neighbours' (an even border: 1)
_EDGE, _STEP = 1.6, 5.0  # Lab units a pixel, and units of colour: the walk is slowed to 1/e
_LEVELS = np.arange(0.1, 0.91, 0.08)
_PIECE = 0.15  # of the largest piece: smaller ones are none
_SMALL_HOLE, _HOLE, _GROUND = 0.003, 0.04, 0.08  # of the photo; look like the ground's of a hole that shows it
_VISIBLE, _SHARP = 2.5, 12.0  # Lab units a pixel: an edge one sees, and one that is as clear as any
_MOST, _LEAST = (0.5, 0.7), (0.01, 0.06)  # of the photo: confidence falls from the first to the second; rises
_TOP = 0.79  # confidence: which of many things is the product, pixels alone do not tell for certain

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """What lies above one level."""

    mask: Mask
    """(h, w)."""
    gap: float
    """Step of the likelihood across the outline."""
    clear: float
    """Part of the outline that has an edge one sees."""
    sharp: float
    """0..1: mean edge along the outline."""
    inside: float
    """0..1: 1 where the outline is all within the photo."""
    compact: float
    """Part of their hulls that its pieces fill."""
    main: float
    """Part of it that its largest piece is."""

    @property
    def share(self) -> float:
        return float((self.mask > 0).mean())

    @property
    def worth(self) -> float:
        """For comparison with the outlines of other levels."""
        size = float(np.sqrt(min(1.0, self.share / _LEAST[1]))) * _falling(self.share)
        return self.gap * self.sharp * self.inside * self.compact * size

    @property
    def confidence(self) -> float:
        """0.._TOP."""
        size = float(np.clip((self.share - _LEAST[0]) / (_LEAST[1] - _LEAST[0]), 0, 1)) * _falling(self.share)
        shape = float(np.clip((self.compact - 0.4) / 0.4, 0, 1)) * self.inside * self.main
        gap = float(np.sqrt(np.clip(self.gap / 0.7, 0, 1)))
        return _TOP * gap * self.clear**2 * shape * size


def find_amid(features: Features) -> tuple[Mask, float] | None:
    """(h, w) the product and a confidence of at most 0.79; None where nothing parts from the ground."""
    regions = make_regions(features, np.zeros(features.shape, np.int32))
    likely, ground = _weigh(features, regions)
    outlines = list(_outlines(features, regions.labels, likely, ground))
    if not outlines:
        return None
    best = max(outlines, key=lambda outline: outline.worth)
    return best.mask, best.confidence


def _weigh(features: Features, regions: Regions) -> tuple[Floats, Floats]:
    """(n,) likelihood of every superpixel to be the product's, and how much it looks like the ground at its height."""
    h, w = features.shape
    width = max(2, round(_RIM * min(h, w)))
    rim = np.ones((h, w), np.float32)
    rim[width:-width, width:-width] = 0
    border = regions.mean(rim) > 0.2
    area = regions.area / regions.area.mean()
    grain = np.minimum(regions.mean(cv2.blur(features.texture, (9, 9))), _SHARP)
    look = np.concatenate([regions.paint, grain[:, None]], axis=1) * np.array(_LOOK)
    squares = np.square(look).sum(axis=1)
    alike = np.exp(-np.maximum(squares[:, None] + squares - 2 * np.einsum("ik,jk", look, look), 0) / (2 * _ALIKE**2))
    level, across = regions.centre.T.astype(np.float64)
    beside = np.exp(-np.square(level[:, None] - level) / (2 * _HEIGHT**2))
    way = bottleneck(regions, border)
    reached = _REACHED * np.exp(-np.square(way / _OPEN))
    enclosed = _ENCLOSED * (1 - np.exp(-np.square(way / _CLOSED)))
    walk = walker(regions.pairs, _weights(regions), np.where(border, 3.0, _PULL))
    near = alike * beside
    likely = np.zeros(len(area))
    for turn in range(_ROUNDS):
        back = (border if turn == 0 else 1 - likely + 2 * border) * area
        ground = _sums(near, back) / (_sums(beside, back) + 1e-9)
        front = likely * area * ~border
        if turn == 0:
            middle = np.exp(-np.square((level - 0.5) / _MIDDLE[0]) / 2 - np.square((across - 0.5) / _MIDDLE[1]) / 2)
            front = middle * area * ~border * (1 - reached / _REACHED) * np.exp(-_UNLIKE * ground)
        own = _sums(alike, front) / (front.sum() + 1e-9) + enclosed
        prior = np.where(border, 0, own / (own + ground + reached + 1e-4))
        likely = np.clip(walk(prior), 0, 1)
    return likely, ground


def _sums(shares: Floats, weight: Floats) -> Floats:
    """(n,) weighted sums of the rows of (n, n); BLAS would keep the other cores spinning for as much."""
    sums: Floats = np.einsum("ij,j", shares, weight)
    return sums


def _weights(regions: Regions) -> Floats:
    """(m,) how easily one walks from a superpixel to the next: falls with the edge between them and the colour step."""
    a, b = regions.pairs.T
    step = length((regions.paint[a] - regions.paint[b]) * (0.3, 1.2, 1.2))
    weight: Floats = regions.border * np.exp(-regions.barrier / _EDGE - step / _STEP) / np.sqrt(regions.area.mean())
    return weight


def _outlines(features: Features, labels: NDArray[np.int32], likely: Floats, ground: Floats) -> Iterator[_Outline]:
    """What lies above each level, as far as it is large enough to be a product."""
    size = labels.size
    sharp = np.minimum(cv2.dilate(features.edge, disc(1)), _SHARP)
    for level in _LEVELS:
        above = np.where(likely >= level, np.uint8(255), np.uint8(0))[labels]
        pieces = components(cv2.morphologyEx(above, cv2.MORPH_OPEN, disc(2)), int(_LEAST[0] * size))
        pieces = [piece for piece in pieces if (piece > 0).sum() > _PIECE * (pieces[0] > 0).sum()]
        if not pieces:
            continue
        mask = fill_holes(np.max(pieces, axis=0), int(_SMALL_HOLE * size))
        for hole in components(fill_holes(mask, int(_HOLE * size)) & cv2.bitwise_not(mask), 1):
            if ground[labels[hole > 0]].mean() < _GROUND:
                mask |= hole
        inner = cv2.subtract(cv2.erode(mask, disc(2)), cv2.erode(mask, disc(5))) > 0
        outer = cv2.subtract(cv2.dilate(mask, disc(5)), cv2.dilate(mask, disc(2))) > 0
        if not inner.any() or not outer.any():
            continue
        edges = sharp[cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, disc(1)) > 0]
        frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]) > 0
        yield _Outline(
            mask=mask,
            gap=float(likely[labels[inner]].mean() - likely[labels[outer]].mean()),
            clear=float((edges > _VISIBLE).mean()),
            sharp=float(edges.mean()) / _SHARP,
            inside=max(0.0, 1.0 - 4.0 * float(frame.mean())),
            compact=_compact(mask),
            main=float((pieces[0] > 0).sum() / sum((piece > 0).sum() for piece in pieces)),
        )


def _compact(mask: Mask) -> float:
    """Part of the hulls of its pieces that a mask fills."""
    outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return float((mask > 0).sum()) / max(1.0, sum(cv2.contourArea(cv2.convexHull(line)) for line in outlines))


def _falling(share: float) -> float:
    return float(np.clip((_MOST[1] - share) / (_MOST[1] - _MOST[0]), 0, 1))
