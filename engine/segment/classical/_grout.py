"""Joints between tiles: thin dark or light lines about cells that are alike, on any wall; and a floor's tiling."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._features import Features
from engine.segment.classical._masks import Found, components, disc, instance
from engine.segment.classical._regions import unshaded
from engine.segment.classical._strokes import fine_copy
from engine.segment.classical._tiling import Tiling
from engine.types import FloatMask, Mask

__all__ = ["find_grout"]

_CELLS_NEEDED = 6
_LARGEST_TILE = 0.05  # of the photo
_REACH = 3.0  # working pixels from a joint's middle to the tile beside it
_RIM = 3  # working pixels from a cell's outline
_SPECK = 12  # working pixels: a shorter piece is no joint
_SEEN = 1.0  # units of `unshaded` colour: how far a joint stands out, at least
_USUAL = 0.6  # of how far most of them stand out: less is a speck beside a joint
_LIKE = 12.0  # L* units within one floor's joints
_LEAST, _SUREST = 0.35, 0.9  # of a score
_WORTH = 0.1  # score of a tiling that stands out as much as chance does
_CONTRAST = 0.8  # L* units a joint stands out from the tiles at both sides


def find_grout(features: Features, tiling: Tiling | None) -> Found:
    """All joints as one instance: a net's of six cells or more, of gradually changing size, and the `tiling`'s."""
    light = cv2.GaussianBlur(features.lab[..., 0], (0, 0), 0.7)
    nets = [(net, sign) for sign in (1.0, -1.0) if (net := _net(light * sign)) is not None and net[0] >= _LEAST]
    found: list[tuple[float, Mask, NDArray[np.float64]]] = []
    if nets:
        (score, joints), sign = max(nets, key=lambda net: net[0][0])
        found.append((score, joints, np.array((-sign, 0, 0))))
    if tiling is not None:
        found.append((min(_SUREST, tiling.clear * _WORTH), tiling.joints, tiling.colour))
    if not found:
        return 0.0, ()
    even = unshaded(cv2.cvtColor(fine_copy(features).astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB))
    mask = np.maximum.reduce([_fine(even, joints, colour) for _, joints, colour in found])
    score = max(score for score, _, _ in found)
    return score, (instance(mask, score, features.size),)


def _fine(even: NDArray[np.float32], coarse: Mask, colour: NDArray[np.float64]) -> FloatMask:
    """(H, W) 0..1: the joints as thin as the photo has them, about the `coarse` ones.

    A pixel belongs to a joint where it is nearer to the joint's middle near by than to the tiles.

    Args:
        even: (H, W, 3) the photo, `unshaded`.
        coarse: (h, w) the joints as found on the working copy.
        colour: (3,) the way from the tiles' colour to the joints'.
    """
    height, width = even.shape[:2]
    scale = height / coarse.shape[0]
    value = even @ colour.astype(np.float32)
    near = cv2.resize(cv2.dilate(coarse, disc(1)), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    around = disc(max(2, round(_REACH * scale)))
    ridge = value - cv2.morphologyEx(value, cv2.MORPH_OPEN, around)
    crest = cv2.dilate(np.where(near, ridge, 0), around)
    least = max(_SEEN, _USUAL * float(np.median(crest[near])))
    share: FloatMask = np.where(near & (crest > least), ridge / (crest + 1e-6), 0).astype(np.float32)
    return share


def _net(light: NDArray[np.float32]) -> tuple[float, Mask] | None:
    """Joints darker than the tiles of `light`, with a score, or None."""
    h, w = light.shape
    joints = _thin_lines(light)
    kept = np.zeros((h, w), np.uint8)
    scores: list[float] = []
    for net in components(cv2.dilate(joints, disc(1)), int(0.0015 * h * w)):
        cells = _cells(net)
        if len(cells) < _CELLS_NEEDED:
            continue
        regular = _regularity(cells)
        if regular < 0.3:
            continue
        inner = joints & _rims(net.shape, cells)
        kept |= _continued(light, joints & net, inner, cells)
        scores.append(regular * min(1.0, 0.5 + len(cells) / 30.0))
    if not scores:
        return None
    return float(min(_SUREST, max(scores))), kept


def _continued(light: NDArray[np.float32], joints: Mask, inner: Mask, cells: list[_Cell]) -> Mask:
    """The joints of `inner` and what goes on from them for a tile's width at their lightness: cut tiles at the rim."""
    if not inner.any():
        return inner
    reach = max(3, round(float(np.median([cell.area for cell in cells])) ** 0.5))
    usual = float(np.median(light[inner > 0]))
    around = cv2.dilate(inner, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    like = (np.abs(light - usual) < _LIKE).astype(np.uint8) * 255
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joints & (around & like | inner), connectivity=8)
    long = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) >= _SPECK
    long[0] = False
    going_on = long[labels] & np.isin(labels, np.unique(labels[inner > 0]))
    kept: Mask = going_on.astype(np.uint8) * np.uint8(255)
    return kept


def _thin_lines(light: NDArray[np.float32]) -> Mask:
    """Dark ridges at most about 5 px wide and at least 9 px long, by closings along eight directions."""
    ridge = cv2.morphologyEx(light, cv2.MORPH_CLOSE, disc(3)) - light
    long = np.zeros_like(ridge)
    for angle in np.radians(np.arange(0, 180, 22.5)):
        kernel = np.zeros((11, 11), np.uint8)
        dx, dy = round(5 * np.cos(angle)), round(5 * np.sin(angle))
        cv2.line(kernel, (5 - dx, 5 - dy), (5 + dx, 5 + dy), 1, 1)
        weight = kernel.astype(np.float32) / kernel.sum()
        long = np.maximum(long, cv2.filter2D(ridge, -1, weight, borderType=cv2.BORDER_REFLECT))
    local = cv2.blur(ridge, (31, 31))
    lines: Mask = ((long > _CONTRAST) & (long > 1.7 * local) & (ridge > 0.8 * _CONTRAST)).astype(np.uint8) * 255
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    x: float
    y: float
    area: float
    outline: NDArray[np.int32]


def _rims(shape: tuple[int, int], cells: list[_Cell]) -> Mask:
    """Where the joints about the cells run: not inside, where a tile may have specks."""
    mask = np.zeros(shape, np.uint8)
    cv2.drawContours(mask, [cell.outline for cell in cells], -1, 255, 2 * _RIM + 1)
    return mask


def _cells(net: Mask) -> list[_Cell]:
    """Holes of a net that look like tiles: convex, four corners, neither specks nor as large as doors."""
    contours, tree = cv2.findContours(net, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    cells: list[_Cell] = []
    largest = _LARGEST_TILE * net.size
    if tree is None:
        return cells
    for contour, (_, _, _, parent) in zip(contours, tree[0], strict=True):
        area = float(cv2.contourArea(contour))
        if parent < 0 or not 25 <= area <= largest:
            continue
        hull = float(cv2.contourArea(cv2.convexHull(contour)))
        if area < 0.8 * hull:
            continue
        corners = cv2.approxPolyDP(contour, 0.06 * cv2.arcLength(contour, True), True)
        moments = cv2.moments(contour)
        if len(corners) != 4 or moments["m00"] <= 0:
            continue
        cells.append(_Cell(moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], area, contour))
    return cells


def _regularity(cells: list[_Cell]) -> float:
    """1 where every tile has the size of its nearest neighbours, 0 where sizes are unrelated."""
    table = np.array([(cell.x, cell.y, cell.area) for cell in cells])
    gaps = np.hypot(table[:, None, 0] - table[None, :, 0], table[:, None, 1] - table[None, :, 1])
    np.fill_diagonal(gaps, np.inf)
    nearest = np.argsort(gaps, axis=1)[:, :3]
    ratio = np.abs(np.log(table[:, 2][:, None] / table[:, 2][nearest]))
    near = gaps[np.arange(len(cells))[:, None], nearest] < 2.2 * np.sqrt(table[:, 2])[:, None]
    alike = (ratio < 0.45) & near
    return float(alike.mean())
