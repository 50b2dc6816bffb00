"""Texture: a pattern on the surface, in perspective, in the photo's own light.

What a surface sends back is its reflectance times the light on it. The photo without the old pattern
(`engine.apply._light`) is repainted in the material's colour, which tells light from gloss (`engine.apply.recolor`);
the sheet, looked up where the plane of the surface says, gives each pixel its share of that. The region's median
becomes the material's colour, and what would run past white is bent back in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from engine._tiles import Sites, Window
from engine.apply._light import Light, fit_light
from engine.apply._region import Region
from engine.apply._shoulder import soft_shoulder
from engine.apply.recolor import Repaint, fit_recolor
from engine.colour import Linear, linear_of, srgb_of, to_bytes
from engine.patterns import Mipmap, Sheet
from engine.planes import Facet
from engine.types import Recolor, Rgb

__all__ = ["Textured", "fit_texture"]

Floats = NDArray[np.float32]

_SITES: Final = 20_000
"""Pixels of a region that its median is worked out from."""
_KNEE: Final = 0.8
_GLOSS: Final = np.float32(0.3)  # linear; only what is brighter and stands out of its surroundings is a reflection
_STANDS_OUT: Final = np.float32(1.7)  # times the light around
_FAR: Final = 1e-3
"""Least w, as a share of the region's greatest: beyond it lies the horizon, and a mask may run over it."""
_ROWS: Final = 16_384
"""Single pixels looked up at once; a look-up takes no more than 32766 rows."""
_STEPS: Final = 4095
_TABLE: Final = linear_of(np.arange(_STEPS + 1) / _STEPS).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Textured:
    """A fitted texture. Satisfies `engine.apply.Paint`."""

    pattern: Mipmap
    facets: Sequence[Facet]
    turn: tuple[float, float]
    """Cosine and sine of the angle that the sheet is laid at."""
    light: Light
    repaint: Repaint
    origin: tuple[int, int]
    """Row and column of the photo where the region's window begins."""
    gain: NDArray[np.float32]
    """(3,) linear value of a pixel, of its reflectance times the repainted light."""
    shoulder: tuple[tuple[float, float], ...]
    """Knee and top of each channel, see `soft_shoulder`."""
    reach: ClassVar[int] = 0

    def opaque(self, rgb: Rgb, at: Window) -> Rgb:
        """New bytes for (h, w, 3) uint8 sRGB."""
        encoded = rgb.astype(np.float32) / np.float32(255)
        y, x = (np.arange(span.start, span.stop, dtype=np.float32) for span in at)
        rows, columns = np.meshgrid(y, x, indexing="ij")
        light = _linear(self.light.over(encoded, at))
        return to_bytes(self._lit(_linear(encoded), light, rows, columns))

    def linear(self, colours: Linear, at: Sites) -> Linear:
        """New colours for (N, 3) float32 linear light."""
        result = np.empty_like(colours)
        for start in range(0, len(colours), _ROWS):
            part = slice(start, start + _ROWS)
            rows, columns = at[0][part], at[1][part]
            light = _linear(self.light.among(srgb_of(colours[part]).astype(np.float32), rows, columns))
            result[part] = self._lit(
                colours[part, None],
                light[:, None],
                rows.astype(np.float32)[:, None],
                columns.astype(np.float32)[:, None],
            )[:, 0]
        return result

    def _lit(self, photo: Linear, light: Linear, rows: Floats, columns: Floats) -> Linear:
        """(h, w, 3) linear light: pattern in that light, and the photo's reflections on it."""
        value = self._reflectance(rows + self.origin[0], columns + self.origin[1])
        bare = self.repaint.unbounded(light.reshape(-1, 3), rows.ravel()).reshape(light.shape)
        value *= bare * self.gain
        for c in range(3):
            value[..., c] = soft_shoulder(value[..., c], *self.shoulder[c])
        gloss = np.maximum(photo - np.maximum(_STANDS_OUT * light, _GLOSS), 0)
        lit: Linear = np.minimum(value + gloss.min(axis=-1, keepdims=True), 1)
        return lit

    def _reflectance(self, rows: Floats, columns: Floats) -> Linear:
        """(h, w, 3) of photo pixels; each facet looks up its own columns."""
        result = np.zeros((*rows.shape, 3), np.float32)
        for facet in self.facets:
            own = (columns >= facet.first) & (columns < facet.last)
            if own.all():
                return self._seen(facet, rows, columns)
            used = own.any(axis=0)
            if used.any():
                # Columns of one facet lie together in a tile; single pixels are one column.
                part = self._seen(facet, rows[:, used], columns[:, used])
                result[:, used] = np.where(own[:, used, None], part, result[:, used])
        return result

    def _seen(self, facet: Facet, rows: Floats, columns: Floats) -> Linear:
        (a, b, c), (d, e, f), (g, h, i) = facet.matrix
        x, y = columns.astype(np.float64) + 0.5, rows.astype(np.float64) + 0.5  # pixels' middles
        w = np.maximum(g * x + h * y + i, _FAR)
        u, v = (a * x + b * y + c) / w, (d * x + e * y + f) / w
        steps = ((a - u * g) / w, (d - v * g) / w, (b - u * h) / w, (e - v * h) / w)
        cos, sin = self.turn
        u, v = cos * u - sin * v, sin * u + cos * v
        ux, vx, uy, vy = steps
        turned = (cos * ux - sin * vx, sin * ux + cos * vx, cos * uy - sin * vy, sin * uy + cos * vy)
        ux, vx, uy, vy = (part.astype(np.float32) for part in turned)
        return self.pattern.look(u.astype(np.float32), v.astype(np.float32), (ux, vx, uy, vy))


def fit_texture(region: Region, sheet: Sheet, colour: tuple[int, int, int], facets: Sequence[Facet]) -> Textured | None:
    """Fit a pattern to a region, so that the median of the region's result is its colour.

    Args:
        region: where.
        sheet: the pattern.
        colour: sRGB, 0..255 each.
        facets: the region's planes; their columns cover the photo.

    Returns:
        The paint, or None where nothing of the region is left.
    """
    repaint = fit_recolor(region.rgb, region.mask, region.matte, Recolor(colour), region.surroundings)
    if repaint is None:
        return None
    mask = np.where(region.matte > 0, region.mask, np.uint8(0))
    angle = np.radians(sheet.turn)
    one = np.ones(3, np.float32)
    origin = region.window[0].start, region.window[1].start
    turn = float(np.cos(angle)), float(np.sin(angle))
    near = tuple(_nearest_at_one(facet, region.window) for facet in facets)
    paint = Textured(Mipmap(sheet), near, turn, fit_light(region.rgb, mask), repaint, origin, one, ())
    rows, columns = np.nonzero(mask)
    step = max(1, -(-rows.size // _SITES))  # OpenCV takes no column of 32,768
    at = rows[::step], columns[::step]
    encoded = region.rgb[at].astype(np.float32) / np.float32(255)
    light = _linear(paint.light.among(encoded, *at))
    plain = paint._reflectance(
        (at[0] + origin[0]).astype(np.float32)[:, None], (at[1] + origin[1]).astype(np.float32)[:, None]
    )[:, 0]
    target = linear_of(np.array(colour) / 255)
    median = np.maximum(np.median(plain * repaint.unbounded(light, at[0]), axis=0), 1e-5)
    gain = (target / median).astype(np.float32)
    # The stronger the gain, the earlier the shoulder: past a dark thing's median there is more gloss than paint.
    brighter = np.maximum(1.0, target / np.maximum(np.median(light, axis=0), 1e-4) / 2)
    knees = target + np.maximum(0.0, _KNEE - target) / brighter
    tops = repaint.top * gain
    return replace(paint, gain=gain, shoulder=tuple(zip(knees.tolist(), tops.tolist(), strict=True)))


def _nearest_at_one(facet: Facet, window: Window) -> Facet:
    """The same facet, with w = 1 at the window's nearest corner."""
    corners = np.array(
        [(x, y, 1) for y in (window[0].start, window[0].stop) for x in (window[1].start, window[1].stop)]
    )
    return replace(facet, matrix=facet.matrix / max(float((corners @ facet.matrix[2]).max()), 1e-12))


def _linear(encoded: Floats) -> Linear:
    """Linear light of encoded values 0..1, by table."""
    return np.take(_TABLE, (encoded * np.float32(_STEPS) + np.float32(0.5)).astype(np.uint16))
