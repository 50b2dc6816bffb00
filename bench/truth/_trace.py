"""One trace, many looks: a path tracer that carries a scene's repaints along the same rays as its base.

What a principled surface reflects is base colour * D + S, where D and S do not know the colour (Burley 2012, as
mitsuba's `principled` has it with no metal and no tints), and where a ray goes on does not either. So S is asked of a
twin with black base colour, and a look's reflection is S + (f - S) * its colour / the usual colour, at every bounce.
A repaint then differs from the base by the paint and by nothing else: what noise is left is the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np
from _demo_parts import Stage

__all__ = ["ManyLooks", "Surface", "surfaces"]

_DEPTH = 7
"""Vertices of a path, the lamp included."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Shapes of one finish and one colour that some looks change."""

    pointers: Sequence[Any]
    """The reflectances of the shapes in the scene."""
    bare: Any
    """The same reflectance with black base colour."""
    usual: Any
    """Texture of the base colour."""
    looks: Mapping[int, Any]
    """Number of a look -> its texture."""


def surfaces(scene: Any, base: Stage, looks: Sequence[Stage]) -> list[Surface]:
    """What differs between stages that have the same shapes, in the same order, and differ in colours only."""
    by_name = {shape.id(): shape for shape in scene.shapes()}
    found: list[tuple[list[Any], Surface]] = []
    for name, colour in base.colours.items():
        changed = {k: stage for k, stage in enumerate(looks) if not np.array_equal(stage.colours[name], colour)}
        if not changed:
            continue
        inner = base.shapes[name]["bsdf"]["inner"]
        finish = [v for key, v in inner.items() if key != "base_color"]
        mark = [finish, base.repeats[name], colour, [(k, stage.colours[name]) for k, stage in changed.items()]]
        pointer = mi.BSDFPtr(by_name[name].bsdf())
        known = next((surface for other, surface in found if _same(other, mark)), None)
        if known is not None:
            known.pointers.append(pointer)  # type: ignore[attr-defined]
            continue
        black = mi.load_dict({"type": "twosided", "inner": inner | {"base_color": {"type": "rgb", "value": 0.0}}})
        textures = {k: mi.load_dict(stage.shapes[name]["bsdf"]["inner"]["base_color"]) for k, stage in changed.items()}
        found.append((mark, Surface([pointer], black, mi.load_dict(inner["base_color"]), textures)))
    return [surface for _, surface in found]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(_same, one, other))
    return bool(np.array_equal(one, other))


class ManyLooks(mi.SamplingIntegrator):  # type: ignore[misc]
    """Path tracer with one picture for the base and one for each look, as further channels of the film.

    Light sampling and reflection sampling are joined by the power heuristic (Veach 1997); no path ends by chance.
    """

    def __init__(self, count: int, changed: Sequence[Surface]) -> None:
        super().__init__(mi.Properties())
        self._count, self._changed = count, changed

    def aov_names(self) -> list[str]:
        return [f"{k}.{c}" for k in range(self._count) for c in "RGB"]

    def _scales(self, si: Any, bsdf: Any, active: Any) -> tuple[list[Any], list[Any]]:
        """Where each changed surface is hit, and each look's colour there over the usual one."""
        scales, hits = [mi.Color3f(1.0) for _ in range(self._count)], []
        for surface in self._changed:
            here = mi.Bool(False)
            for pointer in surface.pointers:
                here |= bsdf == pointer
            here &= active
            hits.append(here)
            usual = dr.maximum(surface.usual.eval(si, here), 1e-4)
            for k, texture in surface.looks.items():
                scales[k] = dr.select(here, texture.eval(si, here) / usual, scales[k])
        return hits, scales

    def _sheen(self, si: Any, hits: Sequence[Any], wo: Any) -> Any:
        """What the changed surfaces reflect whatever their colour."""
        sheen = mi.Color3f(0.0)
        for here, surface in zip(hits, self._changed, strict=True):
            sheen = dr.select(here, surface.bare.eval(mi.BSDFContext(), si, wo, here), sheen)
        return sheen

    @dr.syntax  # type: ignore[untyped-decorator]
    def sample(self, scene: Any, sampler: Any, ray: Any, medium: Any = None, active: Any = True) -> Any:
        context = mi.BSDFContext()
        ray, depth, active = mi.Ray3f(ray), mi.UInt32(0), mi.Bool(active)
        through = [mi.Color3f(1.0) for _ in range(self._count)]
        light = [mi.Color3f(0.0) for _ in range(self._count)]
        last = dr.zeros(mi.SurfaceInteraction3f)
        last_pdf, last_delta = mi.Float(1.0), mi.Bool(True)
        while active:
            si = scene.ray_intersect(ray, active)
            bsdf = si.bsdf(ray)
            seen = mi.DirectionSample3f(scene, si, last)
            share = _heuristic(last_pdf, scene.pdf_emitter_direction(last, seen, ~last_delta))
            emitted = share * seen.emitter.eval(si, active)
            onward = active & si.is_valid() & (depth + 1 < _DEPTH)
            hits, scales = self._scales(si, bsdf, onward)

            lamp, power = scene.sample_emitter_direction(si, sampler.next_2d(), True, onward)
            lit = onward & (lamp.pdf != 0)
            towards = si.to_local(lamp.d)
            value, pdf = bsdf.eval_pdf(context, si, towards, lit)
            power = dr.select(lit, power * dr.select(lamp.delta, 1, _heuristic(lamp.pdf, pdf)), 0)
            sheen = self._sheen(si, hits, towards)

            drawn, weight = bsdf.sample(context, si, sampler.next_1d(), sampler.next_2d(), onward)
            kept = dr.select(drawn.pdf > 0, self._sheen(si, hits, drawn.wo) / drawn.pdf, 0)
            for k in range(self._count):
                light[k] = light[k] + through[k] * (emitted + (sheen + (value - sheen) * scales[k]) * power)
                through[k] = through[k] * (kept + (weight - kept) * scales[k])

            ray = si.spawn_ray(si.to_world(drawn.wo))
            last, last_pdf = si, drawn.pdf
            last_delta = mi.has_flag(drawn.sampled_type, mi.BSDFFlags.Delta)
            active = onward & (drawn.pdf > 0)
            depth += 1
        return light[0], mi.Bool(True), [light[k][c] for k in range(self._count) for c in range(3)]


def _heuristic(one: Any, other: Any) -> Any:
    a, b = one * one, other * other
    return dr.select(a > 0, a / (a + b), 0)
