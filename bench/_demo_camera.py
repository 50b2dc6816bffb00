"""What is seen of a scene without light: the camera, and the class, colour, direction and distance of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np
from _demo_house import Camera
from _demo_parts import Stage, texel
from numpy.typing import NDArray

__all__ = ["Layers", "probe", "sensor"]

_FINE = 3
"""Rays a pixel and side."""


def sensor(
    camera: Camera, size: tuple[int, int], spp: int, crop: tuple[int, int, int, int] | None = None
) -> dict[str, Any]:
    """mitsuba's description of the camera; size = (width, height) in pixels, crop = (left, top, width, height)."""
    left, top, width, height = crop or (0, 0, *size)
    return {
        "type": "perspective",
        "fov": camera.fov,
        "fov_axis": "x",
        "near_clip": 0.01,
        "far_clip": 50.0,
        "to_world": mi.ScalarTransform4f().look_at(origin=camera.origin, target=camera.target, up=[0, 0, 1]),
        "principal_point_offset_y": camera.shift,
        "sampler": {"type": "independent", "sample_count": spp},
        "film": {
            "type": "hdrfilm",
            "width": size[0],
            "height": size[1],
            "crop_offset_x": left,
            "crop_offset_y": top,
            "crop_width": width,
            "crop_height": height,
            "pixel_format": "rgb",
            "rfilter": {"type": "box"},  # noise of neighbours stays independent: the filter counts on it
        },
    }


@dataclass(frozen=True, eq=False)
class Layers:
    """What is known of every pixel without light: class (H, W), albedo (H, W, 3 n), normal (H, W, 3), depth (H, W)."""

    labels: NDArray[np.uint8]
    albedo: NDArray[np.float32]
    normal: NDArray[np.float32]
    depth: NDArray[np.float32]


def probe(scene: Any, stages: Sequence[Stage], camera: Camera, size: tuple[int, int], classes: Sequence[str]) -> Layers:
    """Cast 3 x 3 rays a pixel: the class is their majority, the rest their mean; prints on textures are read by uv.

    A label is the place of the shape's class in `classes`, 0 for any other. `stages` are the one the scene was loaded
    from and others of the same shapes in other colours: their albedos come side by side.
    """
    width, height = size
    rays = mi.load_dict({"type": "aov", "aovs": "shape:shape_index,at:uv,normal:sh_normal,depth:depth"})
    fine = mi.load_dict(sensor(camera, (width * _FINE, height * _FINE), 1))
    raw = np.array(mi.render(scene, integrator=rays, sensor=fine, spp=1))
    shape, uv, normal, depth = np.rint(raw[..., 0]).astype(int), raw[..., 1:3], raw[..., 3:6], raw[..., 6]
    labels, albedo = np.zeros(shape.shape, np.uint8), np.zeros((*shape.shape, 3 * len(stages)), np.float32)
    for number, name in _shapes(scene):
        kind = name.split("__")[0]
        here = shape == number
        labels[here] = classes.index(kind) if kind in classes else 0
        albedo[here] = np.concatenate([stage.albedo(name, uv[here]) for stage in stages], axis=1)
        if name in stages[0].overlay:
            mark, mask = stages[0].overlay[name]
            labels[here] = np.where(texel(mask, uv[here]), classes.index(mark), labels[here])
    blocks = labels.reshape(height, _FINE, width, _FINE)
    votes = np.stack([(blocks == k).sum(axis=(1, 3)) for k in range(len(classes))], axis=2)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values.reshape(height, _FINE, width, _FINE, -1).mean(axis=(1, 3)).astype(np.float32)

    return Layers(votes.argmax(axis=2).astype(np.uint8), mean(albedo), mean(normal), mean(depth)[..., 0])


def _shapes(scene: Any) -> list[tuple[int, str]]:
    """(the number by which a ray names the shape, its name) of every shape."""
    shapes = scene.shapes()
    if not mi.variant().startswith("scalar"):  # numbers of the process, not of the scene
        return [(int(dr.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]), shape.id()) for shape in shapes]
    return [(number, shape.id()) for number, shape in enumerate(shapes, start=1)]  # 0 is the sky
