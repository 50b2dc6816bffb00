"""Lines of print: marks of one height and one ink, side by side on one (possibly slanted) line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._letters import Mark, Page, pages, weigh
from engine.types import Mask, Rgb

__all__ = ["Line", "read_lines"]

_FEWEST = 3  # marks in a line: two lie on a line whatever they are
_BOWED = 5  # marks from which a line may be bowed, as it is around a cup
_SLANT = 0.4  # rise of a line on its length
_LONGER = 0.7  # of the surest reading's confidence: a longer one that has it is taken
_BLOCK = 2.0  # heights between the lines of one block
_LEAST = 0.3  # of confidence: less is not worth comparing

Bits = NDArray[np.bool_]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of print."""

    marks: tuple[Mark, ...]
    size: tuple[int, int]
    """(height, width) of the picture that it was read on."""
    confidence: float

    def block(self, shape: tuple[int, int]) -> Mask:
        """(h, w) the hull of the marks' boxes, so that a slanted or curved line is covered tightly."""
        scale = np.array([shape[1] / self.size[1], shape[0] / self.size[0]], np.float32)
        corners = np.array([(m.box[x], m.box[y]) for m in self.marks for x in (0, 2) for y in (1, 3)], np.float32)
        mask = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(corners * scale).astype(np.int32)), 255)
        grown: Mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        return grown

    def strokes(self, shape: tuple[int, int]) -> Mask:
        """(h, w) the marks themselves."""
        whole = np.zeros(self.size, np.uint8)
        for mark in self.marks:
            x0, y0, x1, y1 = mark.box
            whole[y0:y1, x0:x1] |= np.where(mark.shape, np.uint8(255), np.uint8(0))
        shrinks = shape[0] < self.size[0]
        sized = cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return np.where(sized > (60 if shrinks else 127), np.uint8(255), np.uint8(0))


def read_lines(rgb: Rgb) -> list[Line]:
    """All lines of print in a picture of about 1 MP, the surest first; no two lie on each other.

    One line is read in several ways: it is as sure as the surest, and holds what the longest of the good ones holds.
    """
    read = sorted((line for page in pages(rgb) for line in _on_page(page)), key=lambda line: -line.confidence)
    read = sorted((_in_company(line, read) for line in read), key=lambda line: -line.confidence)
    shape = (rgb.shape[0] // 2, rgb.shape[1] // 2)
    kept: list[tuple[Line, Mask]] = []
    for line in read:
        block = line.block(shape)
        same = next((k for k, (_, other) in enumerate(kept) if (other[block > 0] > 0).mean() > 0.3), None)
        if same is None:
            kept.append((line, block))
        elif line.confidence > _LONGER * kept[same][0].confidence and len(line.marks) > len(kept[same][0].marks):
            kept[same] = replace(line, confidence=kept[same][0].confidence), block
    return [line for line, _ in kept]


def _in_company(line: Line, others: Sequence[Line]) -> Line:
    """Lines come in blocks: near a surer one of the same ink a line is as sure as both are in the mean."""
    for other in others:  # the surest first
        if other.confidence <= line.confidence:
            break
        if other.size == line.size and _one_ink(other.marks[0], line.marks[0]) and _apart(line, other) < _BLOCK:
            return replace(line, confidence=(line.confidence + other.confidence) / 2)
    return line


def _apart(a: Line, b: Line) -> float:
    """Gap between two lines in heights of the taller one; 0 where their boxes meet."""
    boxes = [np.array([m.box for m in line.marks]) for line in (a, b)]
    low = np.maximum(boxes[0][:, :2].min(axis=0), boxes[1][:, :2].min(axis=0))
    high = np.minimum(boxes[0][:, 2:].max(axis=0), boxes[1][:, 2:].max(axis=0))
    tall = max(float(np.median(box[:, 3] - box[:, 1])) for box in boxes)
    return float(np.maximum(0, low - high).max()) / tall


def _on_page(page: Page) -> list[Line]:
    pairs = _neighbours(page.boxes)
    likely = [k for group in _groups(len(page.boxes), pairs) for k in group]
    marks: dict[int, Mark] = {}
    for k in likely:
        x0, y0, x1, y1 = (int(v) for v in page.boxes[k])
        mark = weigh(page, int(page.numbers[k]), (x0, y0, x1, y1))
        if mark is not None:
            marks[k] = mark
    alike = [(i, j) for i, j in pairs if i in marks and j in marks and _one_ink(marks[i], marks[j])]
    size = (page.rgb.shape[0], page.rgb.shape[1])
    lines = []
    for group in _groups(len(page.boxes), alike):
        line = [marks[k] for k in group]
        confidence = _confidence(line)
        if confidence >= _LEAST:
            lines.append(Line(tuple(line), size, confidence))
    return lines


def _neighbours(boxes: Ints) -> list[tuple[int, int]]:
    """Pairs (left, right) that stand side by side and are of about one height."""
    if len(boxes) < 2:
        return []
    x0, y0, x1, y1 = (boxes[:, k].astype(np.float32) for k in range(4))
    tall = y1 - y0
    low, high = np.minimum(tall[:, None], tall[None]), np.maximum(tall[:, None], tall[None])
    gap = x0[None] - x1[:, None]
    ahead = (x0 + x1)[None] / 2 - (x0 + x1)[:, None] / 2
    aside = np.abs((y0 + y1)[None] / 2 - (y0 + y1)[:, None] / 2)
    shared = np.minimum(y1[:, None], y1[None]) - np.maximum(y0[:, None], y0[None])
    near = (x0[None] > x0[:, None]) & (gap < 1.3 * high) & (gap > -0.5 * low)
    near &= (low > 0.5 * high) & ((shared > 0.55 * low) | ((aside < _SLANT * ahead) & (gap < 0.5 * low)))
    return [(int(i), int(j)) for i, j in np.argwhere(near)]


def _one_ink(a: Mark, b: Mark) -> bool:
    """Both stand out from their paper the same way, neither much less than the other."""
    strong, weak = (float(np.linalg.norm(m.ink)) for m in (a, b))
    alike = float(a.ink @ b.ink) / (strong * weak)
    return alike > 0.8 and min(strong, weak) > 0.4 * max(strong, weak)


def _groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """What pairs connect, of enough marks to be a line."""
    parent = list(range(count))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for i, j in pairs:
        parent[root(j)] = root(i)
    groups: dict[int, list[int]] = {}
    for k in range(count):
        groups.setdefault(root(k), []).append(k)
    return [group for group in groups.values() if len(group) >= _FEWEST]


def _confidence(line: Sequence[Mark]) -> float:
    """More letters, of even height and ink, in a line that is longer than it is high."""
    heights = np.array([m.height for m in line], float)
    widths = np.array([m.width for m in line], float)
    letters = float(np.maximum(1, np.rint(widths / heights)).sum())  # small ones may touch
    inks = np.array([np.sqrt((m.ink**2).mean()) for m in line])
    centres = np.array([(m.box[0] + m.box[2]) / 2 for m in line])
    middles = np.array([(m.box[1] + m.box[3]) / 2 for m in line])
    length = np.ptp(centres) / heights.mean()
    along = (centres - centres.mean()) / max(1.0, float(np.ptp(centres)))
    bow = np.polyfit(along, middles, min(len(line) // _BOWED, 1) + 1) if length > 0 else np.array([middles.mean()])
    wander = float(np.abs(middles - np.polyval(bow, along)).mean() / heights.mean())
    varied = float(np.clip(widths.std() / widths.mean() / 0.2, 0, 1))  # letters differ in width; slats and tiles do not
    strokes = np.array([m.stroke for m in line])
    score = min(1.0, 0.17 + 0.13 * letters) * min(1.0, inks.mean() / 50.0 + 0.25)
    score *= 1.0 - min(1.0, 1.2 * heights.std() / heights.mean()) * 0.6
    score *= 1.0 - min(1.0, 2.0 * wander)
    score *= 0.6 + 0.4 * varied
    score *= 1.0 - min(1.0, 1.5 * max(0.0, strokes.std() / strokes.mean() - 0.15)) * 0.8
    return float(np.clip(score * min(1.0, length / 1.5), 0, 0.95))
