"""Building blocks of the demo scenes: meshes, procedural surfaces and a stage that remembers what each shape is.

Lengths are metres; x is right, y is into the picture, z is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = [
    "Grid",
    "Stage",
    "fabric",
    "lathe",
    "pillow",
    "planks",
    "plate",
    "print_lines",
    "rounded_box",
    "soft_noise",
    "texel",
    "tiles",
    "tube",
    "wavy_sheet",
]

Floats = NDArray[np.float64]
Image8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Grid:
    """Sheets of points: each (n, m, 3) with normals of the same shape and texture coordinates (n, m, 2)."""

    sheets: tuple[tuple[Floats, Floats, Floats], ...]

    def moved(self, x: float, y: float, z: float, turn: float = 0.0) -> Grid:
        """Turned by `turn` degrees about the vertical axis, then moved."""
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        spin = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        return Grid(tuple((p @ spin + (x, y, z), n @ spin, uv) for p, n, uv in self.sheets))

    def tilted(self, degrees: float) -> Grid:
        """Turned about the x axis."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        spin = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
        return Grid(tuple((p @ spin, n @ spin, uv) for p, n, uv in self.sheets))


def _sheet(points: Floats, uv: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """Normals from the points themselves: d/drow x d/dcolumn."""
    normal = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    normal /= np.linalg.norm(normal, axis=2, keepdims=True) + 1e-12
    if uv is None:
        v, u = np.meshgrid(np.linspace(0, 1, len(points)), np.linspace(0, 1, points.shape[1]), indexing="ij")
        uv = np.stack([u, v], axis=2)
    return points, normal, uv


def plate(origin: Sequence[float], across: Sequence[float], up: Sequence[float]) -> Grid:
    """A flat parallelogram; texture coordinates run 0..1 along `across` and `up`; the normal is across x up."""
    a, b = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    points = np.asarray(origin) + a[..., None] * np.asarray(across) + b[..., None] * np.asarray(up)
    normal = np.cross(across, up)
    normals = np.broadcast_to(normal / np.linalg.norm(normal), points.shape)
    return Grid(((points, normals, np.stack([a, b], axis=2)),))


def rounded_box(size: Sequence[float], radius: float, steps: int = 5) -> Grid:
    """A box with rounded edges, standing on z = 0, centred in x and y."""
    half = np.asarray(size) / 2
    inner = half - min(radius, float(half.min()) * 0.99)
    radius = float((half - inner)[0])
    arc = np.tan(np.linspace(0, np.pi / 4, steps))
    sheets = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        lines = [np.concatenate([-inner[k] - radius * arc[::-1], inner[k] + radius * arc]) for k in (a, b)]
        for sign in (-1, 1):
            u, v = np.meshgrid(*lines, indexing="ij")
            points = np.empty((*u.shape, 3))
            points[..., a], points[..., b], points[..., axis] = u, v, sign * half[axis]
            core = np.clip(points, -inner, inner)
            normal = points - core
            normal /= np.linalg.norm(normal, axis=2, keepdims=True)
            uv = np.stack([u / size[a] + 0.5, v / size[b] + 0.5], axis=2)
            placed = core + radius * normal + (0, 0, half[2])
            sheets.append((placed, normal, uv) if sign > 0 else tuple(x[::-1] for x in (placed, normal, uv)))
    return Grid(tuple(sheets))


def lathe(profile: Sequence[tuple[float, float]], around: int = 128, smooth: int = 3) -> Grid:
    """A turned form; `profile` is (radius, z) from the foot up. Corners are rounded by Chaikin's corner cutting."""
    line = np.asarray(profile, dtype=float)
    for _ in range(smooth):
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], axis=1).reshape(-1, 2)
        line = np.concatenate([line[:1], cut, line[-1:]])
    angle = np.linspace(0, 2 * np.pi, around)
    ring = np.stack([np.sin(angle), -np.cos(angle)], axis=1)
    points = np.concatenate(
        [line[:, None, :1] * ring[None], np.broadcast_to(line[:, None, 1:], (len(line), around, 1))], axis=2
    )
    slope = np.gradient(line, axis=0)
    slope /= np.linalg.norm(slope, axis=1, keepdims=True) + 1e-12
    normals = np.concatenate(
        [slope[:, None, 1:] * ring[None], np.broadcast_to(-slope[:, None, :1], (len(line), around, 1))], axis=2
    )
    v, u = np.meshgrid(line[:, 1] - line[:, 1].min(), angle / (2 * np.pi), indexing="ij")
    return Grid(((points, normals, np.stack([u, v / max(float(v.max()), 1e-9)], axis=2)),))


def tube(path: Floats, radius: float, flat: float = 1.0, around: int = 24) -> Grid:
    """A pipe along `path` (n, 3); `flat` < 1 squeezes it across the path's plane (a mug's handle is a flat band)."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.array([0.0, 1.0, 0.0])
    other = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, around)
    points = path[:, None] + radius * (
        np.cos(angle)[None, :, None] * side + flat * np.sin(angle)[None, :, None] * other[:, None]
    )
    p, n, uv = _sheet(points)
    return Grid(((p, n * np.sign(((p - path[:, None]) * n).sum() or 1.0), uv),))


def pillow(width: float, depth: float, thick: float, seed: int = 0) -> Grid:
    """A stuffed cushion lying on z = 0: two bulging sheets with a few soft dents."""
    y, x = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 60), indexing="ij")
    bulge = ((1 - np.abs(x) ** 3.2) * (1 - np.abs(y) ** 3.2)).clip(0) ** 0.45
    bulge *= 1 + 0.10 * (soft_noise(60, 60, 14, seed) - 0.5)
    pinch = 1 - 0.06 * (1 - np.abs(x * y))
    flat = np.stack([x * width / 2 * pinch, y * depth / 2 * pinch], axis=2)
    sheets = []
    for sign in (1, -1):
        points = np.concatenate([flat, (sign * bulge * thick / 2 + thick / 2)[..., None]], axis=2)
        p, n, uv = _sheet(points.transpose(1, 0, 2) if sign > 0 else points)
        sheets.append((p, n, uv))
    return Grid(tuple(sheets))


def wavy_sheet(width: float, height: float, depth: float, waves: float, seed: int = 0) -> Grid:
    """A hanging curtain in the xz plane, facing -y."""
    x = np.linspace(0, 1, 240)
    phase = waves * 2 * np.pi * x + 1.5 * np.interp(x, np.linspace(0, 1, 9), np.random.default_rng(seed).random(9))
    z = np.linspace(0, 1, 30)
    spread = 0.7 + 0.3 * (1 - z)
    wave = depth * np.sin(phase)[None] * spread[:, None]
    points = np.stack(
        [np.broadcast_to(x * width, wave.shape), wave, np.broadcast_to(z[:, None], wave.shape) * height], 2
    )
    p, n, uv = _sheet(points)
    return Grid(((p, -n, uv),))


def soft_noise(height: int, width: int, scale: float, seed: int, stretch: float = 1.0) -> Floats:
    """(height, width) smooth noise in 0..1 with blobs about `scale` px, `stretch` times longer along x."""
    rows, cols = max(2, round(height / scale)) + 3, max(2, round(width / (scale * stretch))) + 3
    small = np.random.default_rng(seed).random((rows, cols)).astype(np.float32)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(large.astype(np.float64), 0, 1)


def planks(
    size: tuple[float, float], tone: Sequence[int], seed: int, per_metre: int = 360, board: float = 0.15
) -> Image8:
    """Floor boards along y over size = (x, y) metres; `tone` is the mean sRGB colour."""
    rng = np.random.default_rng(seed)
    width, length = round(size[0] * per_metre), round(size[1] * per_metre)
    canvas = np.empty((width, length, 3))
    grain = 0.6 * soft_noise(width, length, 5, seed, 60) + 0.4 * soft_noise(width, length, 2, seed + 1, 25)
    step = round(board * per_metre)
    for top in range(0, width, step):
        left = -int(rng.integers(0, per_metre))
        while left < length:
            run = int(per_metre * rng.uniform(0.9, 1.6))
            rows, cols = slice(top, min(top + step, width)), slice(max(left, 0), min(left + run, length))
            shade = rng.normal(1.0, 0.07) * (1 + 0.30 * (np.roll(grain[rows, cols], int(rng.integers(99)), 1) - 0.5))
            canvas[rows, cols] = np.asarray(tone) * shade[..., None] * (1 + rng.normal(0, 0.012, 3))
            canvas[rows, cols][:, -2:] *= 0.62
            left += run
        canvas[top : top + 2] *= 0.62
    return np.clip(canvas, 0, 255).astype(np.uint8).transpose(1, 0, 2).copy()


def tiles(
    size: tuple[float, float],
    tile: tuple[float, float],
    tone: Sequence[int],
    grout: Sequence[int],
    seed: int,
    joint: float = 0.004,
    per_metre: int = 400,
    shift: float = 0.0,
) -> tuple[Image8, NDArray[np.bool_]]:
    """Tiles over size = (x, y) metres and the mask of their joints; `shift` moves every other row, in tiles."""
    rng = np.random.default_rng(seed)
    width, height = round(size[0] * per_metre), round(size[1] * per_metre)
    x, y = np.meshgrid(np.arange(width) / per_metre, np.arange(height) / per_metre)
    row = np.floor(y / tile[1]).astype(int)
    x = x + (row % 2) * shift * tile[0]
    column = np.floor(x / tile[0]).astype(int)
    joints = (np.mod(x, tile[0]) < joint) | (np.mod(y, tile[1]) < joint)
    tint = rng.normal(1.0, 0.022, (row.max() + 1, column.max() + 1))[row, column]
    cloud = (
        1 + 0.05 * (soft_noise(height, width, 40, seed) - 0.5) + 0.03 * (soft_noise(height, width, 6, seed + 1) - 0.5)
    )
    face = np.asarray(tone) * (tint * cloud)[..., None]
    line = np.asarray(grout) * (1 + 0.12 * (soft_noise(height, width, 8, seed + 2) - 0.5))[..., None]
    return np.clip(np.where(joints[..., None], line, face), 0, 255).astype(np.uint8), joints


def fabric(tone: Sequence[int], seed: int, side: int = 512, strength: float = 0.25) -> Image8:
    """A woven cloth; repeats well enough at small scale."""
    weave = 0.5 * soft_noise(side, side, 2, seed, 3) + 0.5 * soft_noise(side, side, 2, seed + 1, 3).T
    cloud = soft_noise(side, side, 90, seed + 2)
    shade = 1 + strength * (weave - 0.5) + 0.08 * (cloud - 0.5)
    return np.clip(np.asarray(tone) * shade[..., None], 0, 255).astype(np.uint8)


def print_lines(
    canvas: Image8, lines: Sequence[tuple[str, float, float]], ink: Sequence[int], centre: float, spacing: int = 0
) -> NDArray[np.bool_]:
    """Print centred lines (text, top, height: parts of the canvas height) on `canvas`; gives their boxes as a mask."""
    boxes = np.zeros(canvas.shape[:2], bool)
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for text, top, height in lines:
        font = ImageFont.load_default(size=height * canvas.shape[0])
        text = (" " * spacing).join(text) if spacing else text
        x0, y0, x1, y1 = draw.textbbox((0, 0), text, font=font)
        left = centre * canvas.shape[1] - (x1 - x0) / 2
        draw.text((left - x0, top * canvas.shape[0] - y0), text, font=font, fill=tuple(ink))
        pad = 0.06 * (y1 - y0)
        rows = slice(int(top * canvas.shape[0] - pad), int(top * canvas.shape[0] + y1 - y0 + pad) + 1)
        boxes[rows, int(left - pad) : int(left + x1 - x0 + pad) + 1] = True
    canvas[:] = np.asarray(picture)
    return boxes


@dataclass
class Stage:
    """A scene under construction. Every shape belongs to a class; `overlay` refines a class by texture coordinates."""

    folder: Path
    shapes: dict[str, Any] = field(default_factory=dict)
    overlay: dict[str, tuple[str, NDArray[np.bool_]]] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)
    repeats: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        kind: str,
        form: Grid,
        colour: Sequence[int] | Image8 = (200, 200, 200),
        *,
        rough: float = 0.6,
        specular: float = 0.4,
        metallic: float = 0.0,
        repeat: float = 1.0,
        coat: float = 0.0,
        emit: Any = None,
        share: float = 1.0,
        marks: tuple[str, NDArray[np.bool_]] | None = None,
    ) -> None:
        """Add a form of class `kind`. `marks` = (class, mask over the texture) names what is printed on it.

        A form with `emit` is a lamp; a dim one may be sampled less often than the rest, `share` times as often.
        """
        name = f"{kind}__{len(self.shapes)}"
        if marks is not None:
            self.overlay[name] = marks
        path = self.folder / f"{name}.ply"
        _write_ply(path, form)
        if isinstance(colour, np.ndarray):
            base: dict[str, Any] = {
                "type": "bitmap",
                "bitmap": mi.Bitmap(np.ascontiguousarray(colour[::-1])),
                "to_uv": mi.ScalarTransform4f().scale([repeat, repeat, 1]),
            }
        else:
            base = {"type": "rgb", "value": [float(c) for c in _linear(colour)]}
        self.colours[name] = colour
        surface = {
            "type": "principled",
            "base_color": base,
            "roughness": rough,
            "specular": specular,
            "metallic": metallic,
            "clearcoat": coat,
            "clearcoat_gloss": 0.95,
        }
        shape: dict[str, Any] = {"type": "ply", "filename": str(path), "bsdf": {"type": "twosided", "inner": surface}}
        if emit is not None:
            shape["emitter"] = {"type": "area", "radiance": emit, "sampling_weight": share}
        self.shapes[name] = shape
        self.repeats[name] = repeat

    def albedo(self, name: str, uv: Floats) -> Floats:
        """Linear base colour (n, 3) of the shape at texture coordinates (n, 2)."""
        colour = self.colours[name]
        if isinstance(colour, np.ndarray):
            return _linear(texel(colour, uv * self.repeats[name]))
        return np.broadcast_to(_linear(colour), (len(uv), 3))


def texel(texture: NDArray[Any], uv: Floats) -> NDArray[Any]:
    """Nearest texel at (n, 2) coordinates; v = 0 is the bottom row, as the scenes hand textures over."""
    height, width = texture.shape[:2]
    cols = np.minimum(((uv[:, 0] % 1.0) * width).astype(int), width - 1)
    rows = height - 1 - np.minimum(((uv[:, 1] % 1.0) * height).astype(int), height - 1)
    return texture[rows, cols]


def _linear(srgb: Sequence[int] | Image8) -> Floats:
    value = np.asarray(srgb, dtype=float) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _write_ply(path: Path, form: Grid) -> None:
    rows, faces, start = [], [], 0
    for points, normals, uv in form.sheets:
        n, m = points.shape[:2]
        rows.append(np.concatenate([points, normals, uv], axis=2).reshape(-1, 8))
        index = start + np.arange(n * m).reshape(n, m)
        a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
        faces += [np.stack([a, b, c], 2).reshape(-1, 3), np.stack([a, c, d], 2).reshape(-1, 3)]
        start += n * m
    vertices, triangles = np.concatenate(rows).astype("<f4"), np.concatenate(faces)
    packed = np.empty(len(triangles), dtype=[("n", "u1"), ("v", "<i4", 3)])
    packed["n"], packed["v"] = 3, triangles
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz", "u", "v")]
    header += [f"element face {len(packed)}", "property list uchar int vertex_indices", "end_header\n"]
    path.write_bytes("\n".join(header).encode() + vertices.tobytes() + packed.tobytes())
