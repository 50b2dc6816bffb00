"""Printed text: thin strokes of one ink, grouped to lines of letters of one height."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, instance, ordered, soften
from engine.segment.classical._product import Cut
from engine.segment.classical._strokes import fine_copy, label_patch, strokes
from engine.types import Instance, Mask, Rgb

__all__ = ["find_text", "letter_mask"]

_TALLEST = 0.16  # of the shorter side
_STROKE = 21  # enlarged pixels: no letter's stroke is wider
_INK = 18  # grey levels between print and paper
_SURE = 0.5  # grain, stitches and leaves make short even rows too, and score up to 0.45
_FEWEST = 3  # letters in a line
_ZOOM = 2.0  # small print is read on an enlarged copy


@dataclass(frozen=True, slots=True, eq=False)
class _Letter:
    x0: int
    y0: int
    x1: int
    y1: int
    points: np.ndarray[tuple[int, int], np.dtype[np.int32]]
    """(n, 2) x, y."""
    ink: float
    """Grey level of the stroke minus that around it."""
    stroke: float
    """Mean width of the strokes, pixels."""

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


def find_text(features: Features, cut: Cut) -> Found:
    """One instance a line of print: its strokes alone; or, where the lines stand on a label, one for the whole label.

    Args:
        features: of the photo.
        cut: what `product_mask` gave; says whether the ground under the letters is the product's own surface.
    """
    fine: Rgb | None = None
    found: list[Instance] = []
    labels: list[Mask] = []
    scored = sorted(((_confidence(line), line) for line in _lines(_letters(features))), key=lambda pair: -pair[0])
    for score, line in scored:
        if score < _SURE:
            break
        block, seeds = _block(line, features.shape), _painted(line, features.shape)
        if any((label[block > 0] > 0).mean() > 0.5 for label in labels):
            continue  # a further line of a label that is kept whole already
        patch = label_patch(features, cut, block, seeds)
        if patch is not None:
            labels.append(patch)
            found.append(instance(soften(patch, 1.0), score, features.size))
            continue
        fine = fine_copy(features) if fine is None else fine
        mask = strokes(fine, block, seeds)
        if (mask >= 0.5).any():
            found.append(instance(mask, score, features.size))
    if not found:
        return 0.0, ()
    return max(i.score for i in found), ordered(found)


def letter_mask(features: Features) -> Mask:
    """(h, w) the strokes of all letters found, for finders that must not take print for something else."""
    mask = np.zeros(features.shape, np.uint8)
    for line in _lines(_letters(features)):
        mask |= _painted(line, features.shape)
    grown: Mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return grown


def _painted(line: list[_Letter], shape: tuple[int, int]) -> Mask:
    """The strokes of a line, (h, w)."""
    mask = np.zeros(shape, np.uint8)
    for letter in line:
        points = np.clip((letter.points / _ZOOM).astype(int), 0, np.array(shape[::-1]) - 1)
        mask[points[:, 1], points[:, 0]] = 255
    return mask


def _letters(features: Features) -> list[_Letter]:
    h, w = features.shape
    grey = cv2.cvtColor(features.rgb, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC)
    tallest = int(_TALLEST * min(h, w) * _ZOOM)
    grey = cv2.GaussianBlur(grey, (0, 0), 0.8)
    letters: list[_Letter] = []
    for hat in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):  # light print, dark print
        relief = cv2.morphologyEx(grey, hat, cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE)))
        strokes = (relief > np.maximum(_INK, 0.5 * cv2.dilate(relief, np.ones((25, 25), np.uint8)))).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
        for k in range(1, count):
            x, y, dx, dy, area = (int(v) for v in stats[k])
            if not (8 <= dy <= tallest and 2 <= dx <= 2.2 * dy):
                continue
            fill = area / (dx * dy)
            if fill < 0.1 or (fill > 0.8 and dx > 0.45 * dy):
                continue
            if x <= 1 or y <= 1 or x + dx >= grey.shape[1] - 1 or y + dy >= grey.shape[0] - 1:
                continue
            rows, columns = np.nonzero(labels[y : y + dy, x : x + dx] == k)
            points = np.stack([columns + x, rows + y], axis=1).astype(np.int32)
            letter = _measure(grey, points, (x, y, dx, dy))
            if letter is not None:
                letters.append(letter)
    return _distinct(letters)


def _measure(
    grey: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    points: np.ndarray[tuple[int, int], np.dtype[np.int32]],
    box: tuple[int, int, int, int],
) -> _Letter | None:
    """Keep what is made of strokes of one even width and stands clear of what is around it."""
    x, y, dx, dy = box
    pad = 4
    shape = np.zeros((dy + 2 * pad, dx + 2 * pad), np.uint8)
    shape[points[:, 1] - y + pad, points[:, 0] - x + pad] = 1
    inner = cv2.distanceTransform(shape, cv2.DIST_L2, 3)
    ridge = inner[(inner > 0) & (inner >= cv2.dilate(inner, np.ones((3, 3), np.uint8)) - 1e-3)]
    if len(ridge) == 0 or ridge.std() > 0.6 * ridge.mean() + 0.5 or 2 * ridge.mean() > 0.5 * dy:
        return None
    patch = grey[max(0, y - pad) : y + dy + pad, max(0, x - pad) : x + dx + pad].astype(np.float32)
    if patch.shape != shape.shape:
        return None
    ring = (cv2.dilate(shape, np.ones((7, 7), np.uint8)) > 0) & (cv2.dilate(shape, np.ones((3, 3), np.uint8)) == 0)
    around = patch[ring]
    if len(around) == 0:
        return None
    ink = float(patch[shape > 0].mean() - np.median(around))
    if abs(ink) < 22 or around.std() > 0.75 * abs(ink):
        return None
    return _Letter(x, y, x + dx, y + dy, points, ink, float(2 * ridge.mean()))


def _distinct(letters: list[_Letter]) -> list[_Letter]:
    """Light and dark readings may cover each other (the inside of an O): keep the stronger."""
    kept: list[_Letter] = []
    for letter in sorted(letters, key=lambda c: (-abs(c.ink) * c.height, c.x0, c.y0)):
        for other in kept:
            wide = min(letter.x1, other.x1) - max(letter.x0, other.x0)
            high = min(letter.y1, other.y1) - max(letter.y0, other.y0)
            if (
                wide > 0
                and high > 0
                and wide * high > 0.4 * min(letter.width * letter.height, other.width * other.height)
            ):
                break
        else:
            kept.append(letter)
    return kept


def _lines(letters: list[_Letter]) -> list[list[_Letter]]:
    """Chain letters left to right: near, of similar height, on one (possibly slanted) line, in one ink."""
    letters = sorted(letters, key=lambda c: (c.x0, c.y0))
    parent = list(range(len(letters)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for i, a in enumerate(letters):
        for j in range(i + 1, len(letters)):
            b = letters[j]
            tall = max(a.height, b.height)
            gap = b.x0 - a.x1
            if b.x0 - a.x0 > 5 * tall:
                if b.x0 - a.x0 > 5 * _largest(letters):
                    break
                continue
            if (
                gap < 1.3 * tall
                and min(a.height, b.height) > 0.5 * tall
                and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.55 * min(a.height, b.height)
                and a.ink * b.ink > 0
                and min(abs(a.ink), abs(b.ink)) > 0.4 * max(abs(a.ink), abs(b.ink))
            ):
                parent[root(j)] = root(i)
    groups: dict[int, list[_Letter]] = {}
    for k, letter in enumerate(letters):
        groups.setdefault(root(k), []).append(letter)
    return [line for line in groups.values() if len(line) >= _FEWEST]


def _largest(letters: list[_Letter]) -> int:
    return max(letter.height for letter in letters)


def _confidence(line: list[_Letter]) -> float:
    """More letters, of even height and ink, in a line that is longer than it is high."""
    heights = np.array([c.height for c in line], float)
    inks = np.array([abs(c.ink) for c in line])
    widths = np.array([c.width for c in line], float)
    centres = np.array([(c.x0 + c.x1) / 2 for c in line])
    middles = np.array([c.middle for c in line])
    slope = np.polyfit(centres, middles, 1) if np.ptp(centres) > 0 else np.array([0.0, middles.mean()])
    wander = float(np.abs(middles - np.polyval(slope, centres)).mean() / heights.mean())
    length = np.ptp(centres) / heights.mean()
    varied = float(np.clip(widths.std() / widths.mean() / 0.2, 0, 1))  # letters differ in width; slats and tiles do not
    strokes = np.array([c.stroke for c in line])
    score = min(1.0, 0.17 + 0.13 * len(line)) * min(1.0, inks.mean() / 50.0 + 0.25)
    score *= 1.0 - min(1.0, 1.2 * heights.std() / heights.mean()) * 0.6
    score *= 1.0 - min(1.0, 2.0 * wander)
    score *= 0.6 + 0.4 * varied
    score *= 1.0 - min(1.0, 1.5 * max(0.0, strokes.std() / strokes.mean() - 0.15)) * 0.8
    return float(np.clip(score * min(1.0, length / 1.5), 0, 0.95))


def _block(line: list[_Letter], shape: tuple[int, int]) -> Mask:
    """The hull of the letters' boxes, so that a slanted or curved line is covered tightly."""
    corners = np.array([(x, y) for c in line for x in (c.x0, c.x1) for y in (c.y0, c.y1)], np.float32) / _ZOOM
    hull = cv2.convexHull(np.rint(corners).astype(np.int32))
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, hull, 255)
    grown: Mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return grown
