"""`quality.py --action tone`: exposure and white balance against what the camera would have recorded; what must stay.

The whole photo is toned. Exposure and other daylight have a truth: the scene's light (the photo's bytes back through
its camera's curve) times 2^EV, or seen in other light (`_other_light`), through the same curve again. Pixels that are
blown out in the photo are left out, their light is not known. The peers are told how a middle grey comes out, and do
the rest as programs do: `scale` multiplies the encoded values, `power` bends them, `lab` moves L*, a* and b*.

Contrast and saturation are taste, but some things must stay whatever their strength: hue in both, lightness when
saturation changes, and what was not clipped. There `scale` is what most programs offer (contrast about 128,
saturation in HSV), `grey` blends with the luma (ITU-R 601), `lab` stretches L* or a* and b*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from _curve import developed, light_of
from _figures import difference, lab
from _masks_used import replayed
from _other_light import other_light
from _side_by_side import side_by_side
from _tone_sheet import neutral, tones_sheet
from _truth import SCENES, Scene, varied
from numpy.typing import NDArray
from skimage.color import lab2rgb

from engine.apply._white import MIREDS
from engine.pipeline import render
from engine.types import Layer, Photo, Recipe, Rgb, Tone

__all__ = ["METHODS", "run"]

_MIDDLE: Final = 0.18
_DAYLIGHT: Final = 6504.0

CHANGES: Final[Mapping[str, Tone]] = {
    "+1 EV": Tone(exposure=1),
    "-1 EV": Tone(exposure=-1),
    "5442 K": Tone(temperature=50),
    "8081 K": Tone(temperature=-50),
    "4679 K": Tone(temperature=100),
}
"""What a camera or another hour would have changed: kelvins are of the light that a camera set to 6504 K sees."""

LOOKS: Final[Mapping[str, Tone]] = {
    "contrast +50": Tone(contrast=50),
    "contrast -50": Tone(contrast=-50),
    "saturation +50": Tone(saturation=50),
    "saturation -50": Tone(saturation=-50),
}
"""What the eye judges."""


@dataclass(frozen=True)
class Near:
    """Against the truth, where the photo is not blown out."""

    median: float
    """CIEDE2000."""
    p95: float


@dataclass(frozen=True)
class Kept:
    """Against the photo, where that is not clipped."""

    hue: float
    """Mean difference of hue alone, CIELAB: 2 sqrt(C1 C2) sin(h/2)."""
    light: float
    """Mean difference of L*."""
    clipped: float
    """Share of pixels with a channel that is clipped now, per cent."""


def _ours(photo: Rgb, tone: Tone) -> Rgb:
    found = replayed("all", np.ones(photo.shape[:2], np.float32))
    recipe = Recipe((found.prompt,), (Layer("all", tone),))
    return render(Photo(photo), [found], recipe, source="replay").photo.rgb


def _rounded(values: NDArray[np.floating]) -> Rgb:
    rounded: Rgb = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return rounded


def _of_lab(values: NDArray[np.floating]) -> Rgb:
    return _rounded(lab2rgb(np.clip(values, (0, -128, -128), (100, 127, 127))))


def _scaled(photo: Rgb, grey: Rgb, after: Rgb) -> Rgb:
    return _rounded(photo / 255 * (after / grey))


def _bent(photo: Rgb, grey: Rgb, after: Rgb) -> Rgb:
    return _rounded((photo / 255) ** (np.log(after / 255) / np.log(grey / 255)))


def _moved(photo: Rgb, grey: Rgb, after: Rgb) -> Rgb:
    return _of_lab(lab(photo) + (lab(after) - lab(grey)))


CHANGED: Final[Mapping[str, Callable[[Rgb, Rgb, Rgb], Rgb]]] = {"scale": _scaled, "power": _bent, "lab": _moved}
"""Peer -> (photo, a middle grey, what becomes of it) -> result."""


def _usual(photo: Rgb, tone: Tone) -> Rgb:
    """Contrast about 128 as `cv2.convertScaleAbs` does it; saturation as S of HSV."""
    if tone.contrast:
        gain = 1 + tone.contrast / 100
        return np.asarray(cv2.convertScaleAbs(photo, None, gain, 128 * (1 - gain)))
    hsv = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.minimum(hsv[..., 1] * (1 + tone.saturation / 100), 1)
    return _rounded(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _blended(photo: Rgb, tone: Tone) -> Rgb:
    """Towards or away from the photo's mean grey, or each pixel's own."""
    luma = photo @ np.array([0.299, 0.587, 0.114]) / 255
    grey = np.full_like(luma, luma.mean()) if tone.contrast else luma
    return _rounded(grey[..., None] + (1 + (tone.contrast or tone.saturation) / 100) * (photo / 255 - grey[..., None]))


def _stretched(photo: Rgb, tone: Tone) -> Rgb:
    values = lab(photo)
    if tone.contrast:
        values[..., 0] = 50 + (1 + tone.contrast / 100) * (values[..., 0] - 50)
    else:
        values[..., 1:] *= 1 + tone.saturation / 100
    return _of_lab(values)


LOOKED: Final[Mapping[str, Callable[[Rgb, Tone], Rgb]]] = {"scale": _usual, "grey": _blended, "lab": _stretched}
"""Peer -> (photo, tone) -> result."""

METHODS: Final = ("ours", *dict.fromkeys([*CHANGED, *LOOKED]))


def _matrix(tone: Tone) -> NDArray[np.float64]:
    """(3, 3) the photo's light -> the truth's."""
    if tone.exposure:
        return np.eye(3) * 2.0**tone.exposure
    return other_light(_DAYLIGHT, 1e6 / (1e6 / _DAYLIGHT + MIREDS * tone.temperature / 100))


def _truth(photo: Rgb, scene: Scene, matrix: NDArray[np.float64]) -> Rgb:
    return developed((light_of(photo, scene.curve) @ matrix.T).astype(np.float32), scene.curve)


def _near(result: Rgb, truth: Rgb, photo: Rgb) -> Near:
    known = (photo < 255).all(axis=2)
    away = difference(lab(result[known]), lab(truth[known]))
    return Near(float(np.median(away)), float(np.percentile(away, 95)))


def _kept(result: Rgb, photo: Rgb) -> Kept:
    clear = ((photo > 0) & (photo < 255)).all(axis=2)
    now, before = lab(result[clear]), lab(photo[clear])
    chroma = [np.hypot(values[:, 1], values[:, 2]) for values in (now, before)]
    turn = np.arctan2(now[:, 2], now[:, 1]) - np.arctan2(before[:, 2], before[:, 1])
    hue = 2 * np.sqrt(chroma[0] * chroma[1]) * np.abs(np.sin(turn / 2))
    clipped = ((result[clear] == 0) | (result[clear] == 255)).any(axis=1)
    return Kept(float(hue.mean()), float(np.abs(now[:, 0] - before[:, 0]).mean()), float(100 * clipped.mean()))


def run(scenes: Sequence[str], methods: Sequence[str], variant: str, sheets: Path | None) -> list[dict[str, Any]]:
    """Print the tables; the rows as they are written to a file."""
    rows: list[dict[str, Any]] = []
    for name in scenes:
        scene = SCENES[name]
        photo = np.ascontiguousarray(varied(scene.base(), variant)[::2, ::2])  # tone looks at a pixel alone
        for change, tone in CHANGES.items():
            matrix = _matrix(tone)
            grey = developed(np.full(3, _MIDDLE, np.float32), "srgb")
            after = developed((matrix @ np.full(3, _MIDDLE)).astype(np.float32), "srgb")
            truth = _truth(photo, scene, matrix)
            for method in methods:
                if method == "ours" or method in CHANGED:
                    result = _ours(photo, tone) if method == "ours" else CHANGED[method](photo, grey, after)
                    rows.append(_row(scene, change, method, asdict(_near(result, truth, photo))))
                    if sheets is not None and method == "ours":
                        everywhere = np.ones(photo.shape[:2], bool)
                        sheet = side_by_side(photo, result, truth, everywhere)
                        sheet.save(sheets / f"{name}-{change.replace(' ', '')}.jpg", quality=88)
        for change, tone in LOOKS.items():
            for method in methods:
                if method == "ours" or method in LOOKED:
                    result = _ours(photo, tone) if method == "ours" else LOOKED[method](photo, tone)
                    rows.append(_row(scene, change, method, asdict(_kept(result, photo))))
    _print("median · p95 CIEDE2000", rows, list(CHANGES), ("median", "p95"))
    _print("hue · L* · % clipped", rows, list(LOOKS), ("hue", "light", "clipped"))
    if "ours" in methods:
        rows += neutral()
        if sheets is not None:
            tones_sheet().save(sheets / "tones.jpg", quality=88)
    return rows


def _row(scene: Scene, change: str, method: str, found: dict[str, float]) -> dict[str, Any]:
    return {"scene": scene.name, "half": scene.half, "change": change, "method": method, **found}


def _print(title: str, rows: list[dict[str, Any]], changes: Sequence[str], keys: Sequence[str]) -> None:
    """A line for each method and group of scenes: the medians of what was found."""
    groups = {"all": lambda row: True, **{half: lambda row, h=half: row["half"] == h for half in ("tune", "held_out")}}
    groups |= {curve: lambda row, c=curve: SCENES[row["scene"]].curve == c for curve in ("srgb", "film")}
    print(f"{title:32}" + "".join(f"{change:>20}" for change in changes))
    for group, belongs in groups.items():
        for method in dict.fromkeys(row["method"] for row in rows if row["change"] in changes):
            cells = []
            for change in changes:
                mine = [row for row in rows if row["change"] == change and row["method"] == method and belongs(row)]
                cells.append(" · ".join(f"{np.median([row[key] for row in mine]):.1f}" for key in keys) if mine else "")
            if any(cells):
                print(f"{group:16}{method:16}" + "".join(f"{cell:>20}" for cell in cells))
