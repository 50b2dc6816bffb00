"""The ground a product stands on, read from the photo's border: smooth, of one or a few colours, with soft shadows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.segment.classical._length import length

__all__ = ["Ground", "fit_ground"]

Floats = NDArray[np.float32]
_NEAR = 7.0  # Lab distance at which a border pixel still counts as ground
_TONES = 3
_BLOWN = 97.0  # L*
_EVEN = 0.3  # noise of a ground without any grain


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """How far every pixel is from the ground's colour."""

    distance: Floats
    """(h, w) Lab distance to the ground, lightness counted in full."""
    tint: Floats
    """(h, w) distance in a*, b* from the ground in the same light: a shadow dims a*, b* along with L*."""
    light: Floats
    """(h, w) L* as a part of the ground's L*: below 1 in a shadow."""
    shade: Floats
    """(h, w) L* as a part of the brightest tone's: a shadow on white paper may be as dark as the grey wall behind."""
    noise: float
    """Median Lab distance of the border from its model: what the ground itself varies by."""
    level: float
    """Median L* of the border."""
    studio: float
    """0..1: part of the border that a smooth ground of few tones explains."""

    @property
    def flawless(self) -> bool:
        """A sheet of paper or a cut-out: no grain, and most of the border."""
        return self.noise < _EVEN and self.studio > 0.75

    @property
    def blank(self) -> bool:
        """Flawless, and as bright as a photo gets: a cut-out, or paper blown out."""
        return self.flawless and self.level > _BLOWN


def fit_ground(lab: Floats) -> Ground:
    """Fit a quadratic colour surface to the border, and up to three flat tones for what it leaves; lab (h, w, 3)."""
    h, w = lab.shape[:2]
    soft = cv2.GaussianBlur(lab, (0, 0), 1.2)
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)
    width = max(2, round(0.035 * min(h, w)))
    rim = np.zeros((h, w), bool)
    rim[:width], rim[-width:], rim[:, :width], rim[:, -width:] = True, True, True, True
    colours, rows = soft[rim], basis[rim]
    step = max(1, len(colours) // 4000)
    colours, rows = colours[::step], rows[::step]
    corner = (np.abs(rows[:, 1]) > 0.8) & (np.abs(rows[:, 2]) > 0.8)
    weight = np.ones(len(colours), np.float32)
    for _ in range(6):  # iteratively reweighted: what the product covers of the border loses its vote
        voting = (rows * np.square(weight)[:, None]).T.astype(np.float64)
        fit = np.linalg.solve(voting @ rows, voting @ colours).astype(np.float32)
        miss = length(colours - rows @ fit)
        weight = (1.0 / (1.0 + (miss / 4.0) ** 2)).astype(np.float32)
    surface = (basis @ fit).astype(np.float32)
    model, explained = _tones(colours, corner)
    models = np.stack([surface, *(np.broadcast_to(tone, surface.shape) for tone in model)])
    distances = length(soft[None] - models)
    nearest = distances.argmin(axis=0)
    ground = np.take_along_axis(models, nearest[None, ..., None], axis=0)[0]
    light = np.clip(soft[..., 0] / np.maximum(ground[..., 0], 4.0), 0, 2)
    expected = ground[..., 1:] * np.minimum(light, 1.0)[..., None]
    distance = distances.min(axis=0).astype(np.float32)
    known = distance[rim][distance[rim] < _NEAR]
    return Ground(
        distance=distance,
        tint=length(soft[..., 1:] - expected).astype(np.float32),
        light=light.astype(np.float32),
        shade=(soft[..., 0] / np.maximum(models[..., 0].max(axis=0), 4.0)).astype(np.float32),
        noise=float(np.median(known)) if len(known) else _NEAR,
        level=float(np.median(colours[:, 0])),
        studio=max(float((miss < _NEAR).mean()), 0.9 * explained),
    )


def _tones(colours: Floats, corner: NDArray[np.bool_]) -> tuple[list[Floats], float]:
    """Flat tones of 12 % of the border or more that own a corner (a product seldom does), and what they explain."""
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    count = min(_TONES, len(colours))
    _, label, centres = cv2.kmeans(np.ascontiguousarray(colours), count, None, stop, 2, cv2.KMEANS_PP_CENTERS)
    label = label.ravel()
    tones: list[Floats] = []
    near = 0.0
    for k in range(count):
        mine = colours[label == k]
        if len(mine) < 0.12 * len(colours) or corner[label == k].sum() < 0.12 * corner.sum():
            continue
        close = float((length(mine - centres[k]) < _NEAR).mean())
        if close > 0.6:
            tones.append(centres[k])
            near += close * len(mine) / len(colours)
    return tones, near
