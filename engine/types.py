"""What passes between the engine's stages: photos, prompts, instances, actions, recipes, results.

The engine knows nothing of users, presets or materials: whoever calls it has resolved concepts to prompts,
materials to colours and textures, and the overlap order to the order of `Recipe.layers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Action",
    "Exemplar",
    "FloatMask",
    "Instance",
    "Keep",
    "LabelMap",
    "Layer",
    "Mask",
    "Pattern",
    "PatternKind",
    "Photo",
    "PhotoResult",
    "Prompt",
    "Quad",
    "Recipe",
    "Recolor",
    "Refinement",
    "Remove",
    "Rgb",
    "Segmentation",
    "State",
    "Status",
    "Surface",
    "Texture",
    "Tone",
]

Rgb = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB, red first."""
Mask = NDArray[np.uint8]
"""(H, W) uint8, 0 or 255."""
FloatMask = NDArray[np.float32]
"""(h, w) float32, 0..1."""
LabelMap = NDArray[np.uint16]
"""(H, W) uint16: 0 = none, k = instance #k."""
PatternKind = Literal[
    "boards", "herringbone", "bamboo", "tile", "brick", "slate", "marble", "terrazzo", "concrete", "brushed", "linen",
    "denim", "knit", "leather",
]  # fmt: skip
Surface = Literal["floor", "ceiling", "wall", "counter", "front"]
"""How a concept lies in space: level under or over the eye, upright in a room, a level table top, facing the camera."""
Status = Literal["found", "absent", "needs_model"]
State = Literal["excluded", "locked"]
"""What a user made of one instance. Excluded: its concept's action leaves it out, and so does every layer below; only a
layer painted later may lie on it. Locked: nothing may touch it."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo: upright (EXIF orientation applied), converted to sRGB, 8 bit."""

    rgb: Rgb
    alpha: NDArray[np.uint8] | None = None
    """(H, W) uint8, or None where the file has no transparency."""
    format: str = ""
    """The container it came in, as Pillow names it: "JPEG", "PNG", ..."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One concept as a segmenter is asked for it."""

    concept: str
    """Name of the concept; the key of its masks."""
    text: str | None
    """Text prompt for a promptable model; None for a layer found from the pixels (specular highlights)."""
    finder: str | None = None
    """Name of the classical method that can find it ("wall", "floor", "ceiling", "product", "body", "background",
    "text", "highlight", "grout"); None: only a model can."""
    several: bool = False
    """True where a photo usually shows several instances."""
    protected: bool = False
    """Nothing may touch it: a segmenter must not give its instances up to another concept."""
    surface: Surface = "front"
    """How it lies in space; for patterns."""
    metres: float = 1.0
    """Real length of its longer side where it faces the camera; for patterns."""


@dataclass(frozen=True, slots=True)
class Quad:
    """A rectangle on a concept's surface, as a user marked it on the photo."""

    concept: str
    corners: tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
    """x, y as shares of the upright photo's width and height, in order around: near left, near right, far right, far
    left on a floor. They may lie outside the photo."""
    metres: tuple[float, float] | None = None
    """Length of its first side (corner 1 to 2) and of its second (2 to 3); None: told from the perspective."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A box a user drew to show one instance of a concept, or (negative) where there is none."""

    concept: str
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 as shares of the upright photo's width and height, 0..1."""
    positive: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One instance of a concept, at the segmenter's own resolution (full size masks are made one concept at a time)."""

    score: float
    """Confidence, 0..1."""
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in photo pixels."""
    mask: FloatMask
    """(h, w) probability that a pixel belongs to the instance; the whole photo is stretched over (h, w)."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What a segmenter says about one prompt on one photo."""

    prompt: Prompt
    status: Status
    presence: float
    """Confidence that the concept is in the photo at all, 0..1."""
    instances: tuple[Instance, ...] = ()
    """By falling score, then by position (top, then left). Instance #k of the label map is instances[k - 1]."""
    source: str = ""
    """Name of the segmenter: "classical", "sam3", "replay"."""
    labels: LabelMap | None = None
    """The exact label map at photo size where it is known, to be used as it is; None: it is made from the masks."""


@dataclass(frozen=True, slots=True)
class Recolor:
    """Repaint the surface: the region's median colour becomes the target, shading and texture stay."""

    target: tuple[int, int, int]
    """sRGB, 0..255 each."""


@dataclass(frozen=True, slots=True)
class Tone:
    """Photographic correction inside the mask."""

    exposure: float = 0.0
    """EV, -2..2."""
    temperature: float = 0.0
    """-100 (cooler) .. 100 (warmer)."""
    contrast: float = 0.0
    """-100..100."""
    saturation: float = 0.0
    """-100 (grey) .. 100."""
    balance: float = 0.0
    """0..100: how much of the light's own colour goes; at 100 what is grey looks grey, also by lamplight."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A material's pattern in numbers: `engine.patterns.sheet_of` makes the same sheet of it every time."""

    kind: PatternKind
    colour: tuple[int, int, int]
    """sRGB, 0..255 each: the sheet's mean, in linear light."""
    unit: tuple[float, float]
    """Width and length in metres of one board, tile or brick; of one thread or stitch of cloth; of the longest vein or
    largest cloud of stone; of one scale of leather."""
    joint: float = 0.0
    """Width of the joints between units, metres; 0: none."""
    joint_colour: tuple[int, int, int] = (60, 54, 48)
    """sRGB, 0..255 each."""
    contrast: float = 1.0
    """Strength of grain, veins or weave; 1 is what the kind has by nature."""
    variety: float = 0.05
    """Standard deviation of lightness from unit to unit, a share."""
    turn: float = 0.0
    """Degrees the pattern is turned by on the surface."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Texture:
    """Lay a pattern on the surface, in perspective and in the photo's own light; the median becomes its colour."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Remove:
    """Fill the region from its surroundings."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the region as it is and tell the colour it shows, for other photos to take: see `PhotoResult.colours`."""


Action = Recolor | Tone | Texture | Remove | Keep


@dataclass(frozen=True, slots=True)
class Layer:
    """One concept and what is done to it."""

    concept: str
    action: Action
    overrides: Mapping[int, Action] = field(default_factory=dict)
    """Instance number (from 1) -> its own action."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a user says about one photo. Instance numbers are those the photo's instances have with these exemplars."""

    states: Mapping[str, Mapping[int, State]] = field(default_factory=dict)
    """Concept -> instance number (from 1) -> its state; the others are included."""
    exemplars: tuple[Exemplar, ...] = ()
    planes: tuple[Quad, ...] = ()
    """At most one a concept; the others' planes are found from the photo's lines."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole rule, resolved. Without a refinement it is valid for any number of photos."""

    prompts: tuple[Prompt, ...]
    """Every concept that is needed, selected or protected, once each."""
    layers: tuple[Layer, ...]
    """In painting order: where two concepts overlap, the later layer has the pixel."""
    protect: tuple[str, ...] = ()
    """Concepts no layer may touch."""
    refinement: Refinement = Refinement()


@dataclass(frozen=True, slots=True, eq=False)
class PhotoResult:
    """Everything one photo gives, encoded and ready to be stored."""

    png: bytes
    """The result at input size, PNG, alpha kept."""
    preview: bytes
    """JPEG, longer side at most 512 px."""
    masks: Mapping[str, bytes]
    """Concept -> label map as PNG at photo size (8 bit; 16 bit above 255 instances); found concepts only."""
    instances: bytes
    """JSON: boxes, scores, areas, states of all instances by concept."""
    warnings: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)
    """(height, width) in pixels."""
    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Concept -> the colour it shows, sRGB, 0..255 each; of the concepts with `Keep` that the photo shows."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """Stage -> milliseconds: decode, segment, matte, apply, encode."""

    def _repr_jpeg_(self) -> bytes:
        """What a notebook shows."""
        return self.preview
