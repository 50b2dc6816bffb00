"""How near do the actions come to the truth? `python bench/quality.py` measures recolor beside seven peers.

Every surface of the truth set (bench/truth) is repainted in every paint, with the truth's median colour as the target,
and compared with the scene rendered in that paint. Columns: CIEDE2000 inside the exact mask (median, 95th percentile),
halo (mean CIEDE2000 within 6 px of the mask's edge, against truth inside and photo outside; `over` is what is lost
there beyond what that composite loses against the whole truth), SSIM and correlation of gradients on L*, changed pixels
outside.

    python bench/quality.py --method ours                     ours alone
    python bench/quality.py --masks matted --variant noise    masks as a model gives them, a noisy camera
    python bench/quality.py --scene study --pictures sheets   side by side: photo, ours, truth, difference
    python bench/quality.py --action remove                   also: tone, texture, album
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))

import _albums  # noqa: E402 - the project need not be installed
import _removing  # noqa: E402
import _texturing  # noqa: E402
import _toning  # noqa: E402
from _figures import Figures, figures  # noqa: E402
from _kept import Kept  # noqa: E402
from _masks_used import MASKS, given, replayed  # noqa: E402
from _peers import PEERS, Colour  # noqa: E402
from _side_by_side import side_by_side  # noqa: E402
from _truth import PAINTS, SCENES, VARIANTS, Bits, Scene, varied  # noqa: E402

from engine.masks import binary, label_map  # noqa: E402
from engine.matte import soft_matte  # noqa: E402
from engine.pipeline import render  # noqa: E402
from engine.types import Keep, Layer, Mask, Photo, Recipe, Recolor, Rgb, Segmentation  # noqa: E402

ACTIONS: dict[str, tuple[str, ...]] = {
    "recolor": ("ours", *PEERS),
    "remove": tuple(_removing.METHODS),
    "tone": _toning.METHODS,
    "texture": tuple(_texturing.METHODS),
    "album": ("ours",),
}
"""Action -> the methods that are compared."""
_LIGHTENED = 3.5
"""Steps of the result for one of the photo, from which a case counts as dark made light."""


@dataclass(frozen=True)
class Case:
    """One surface in one paint."""

    scene: Scene
    surface: str
    paint: str

    @property
    def finish(self) -> str:
        return self.scene.surfaces[self.surface]

    @property
    def lightened(self) -> bool:
        """Whether the paint sends back so much more light that a step of the photo's noise becomes several."""
        inside = self.scene.mask(self.surface)
        base, truth = (np.median(rgb[inside], axis=0) for rgb in (self.scene.base(), self.truth()))
        return bool((truth / np.maximum(base, 1)).max() > _LIGHTENED)

    @property
    def name(self) -> str:
        return f"{self.scene.name} {self.surface} {self.paint}"

    def truth(self) -> Rgb:
        """(H, W, 3) the scene in that paint."""
        return self.scene.truth(f"{self.surface}-{self.paint}")


@dataclass(frozen=True)
class Row:
    """What one method made of a case; no figures where the segmenter found no mask."""

    case: Case
    method: str
    figures: Figures | None


def cases(scenes: Iterable[str]) -> Iterator[Case]:
    """Every surface and paint of the scenes."""
    for name in scenes:
        for surface in SCENES[name].surfaces:
            for paint in PAINTS:
                yield Case(SCENES[name], surface, paint)


def ours(photo: Rgb, answers: tuple[Segmentation, Segmentation | None], target: Colour) -> Rgb:
    """The engine's recolour, as a job runs it."""
    known = [answer for answer in answers if answer is not None]
    concept, *protected = (answer.prompt.concept for answer in known)
    recipe = Recipe(tuple(answer.prompt for answer in known), (Layer(concept, Recolor(target)),), tuple(protected))
    return render(Photo(photo), known, recipe, source="replay").photo.rgb


def peer(method: str, photo: Rgb, answers: tuple[Segmentation, Segmentation | None], target: Colour) -> Rgb:
    """A peer's, with the engine's mask and matte; what is protected is put back."""
    region: Mask = binary(label_map(Photo(photo), answers[0].instances))
    guard = answers[1]
    if guard is not None:
        region[guard.instances[0].mask > 0.5] = 0
    result = PEERS[method](photo, region, soft_matte(photo, region), target).copy()
    if guard is not None:
        kept = guard.instances[0].mask > 0.5
        result[kept] = photo[kept]
    return result


def measure(case: Case, method: str, masks: str, variant: str, sheets: Path | None) -> Figures | None:
    """Run one method on one case; a sheet of the pictures goes into the folder `sheets`."""
    base, truth = case.scene.base(), case.truth()
    photo, inside = varied(base, variant), case.scene.mask(case.surface)
    answers = given(case.scene, variant, case.surface, masks)
    if answers is None:
        return None
    red, green, blue = (int(v) for v in np.median(truth[inside], axis=0))
    target = (red, green, blue)
    result = ours(photo, answers, target) if method == "ours" else peer(method, photo, answers, target)
    if sheets is not None:
        side_by_side(photo, result, truth, inside).save(sheets / f"{case.name.replace(' ', '-')}.jpg", quality=88)
    guarded = np.zeros_like(inside) if answers[1] is None else answers[1].instances[0].mask > 0.5
    return figures(result, truth, base, photo, inside, guarded)


COLUMNS = f"{'median':>8}{'p95':>7}{'halo':>7}{'over':>7}{'SSIM':>7}{'grad':>7}{'outside':>9}"


def line(found: Figures) -> str:
    return (
        f"{found.median:8.2f}{found.p95:7.2f}{found.halo:7.2f}{found.over:7.2f}"
        f"{found.ssim:7.3f}{found.gradients:7.3f}{found.outside:9d}"
    )


def middle(rows: Iterable[Row]) -> Figures | None:
    """Medians over rows; changed bytes are added up."""
    found = [asdict(row.figures) for row in rows if row.figures is not None]
    if not found:
        return None
    values = {key: float(np.median([item[key] for item in found])) for key in found[0]}
    return Figures(**{**values, "outside": sum(item["outside"] for item in found)})


def report(rows: list[Row]) -> None:
    """Print the cases, the groups, and the worst of ours."""
    print(f"{'case':34}{'method':14}{COLUMNS}")
    for row in rows:
        text = "      no mask" if row.figures is None else line(row.figures)
        print(f"{row.case.name:34}{row.method:14}{text}")
    groups: list[tuple[str, Callable[[Row], bool]]] = [("all", lambda row: True)]
    groups += [(finish, lambda row, f=finish: row.case.finish == f) for finish in ("matte", "satin", "glossy")]  # type: ignore[misc]
    groups += [(half, lambda row, h=half: row.case.scene.half == h) for half in ("tune", "held_out")]  # type: ignore[misc]
    groups += [(paint, lambda row, p=paint: row.case.paint == p) for paint in PAINTS]  # type: ignore[misc]
    groups += [("dark made light", lambda row: row.case.lightened)]
    print(f"\n{'group (median of its cases)':34}{'method':14}{COLUMNS}")
    for name, belongs in groups:
        for method in dict.fromkeys(row.method for row in rows):
            found = middle(row for row in rows if row.method == method and belongs(row))
            if found is not None:
                print(f"{name:34}{method:14}{line(found)}")
    mine = [row for row in rows if row.method == "ours" and row.figures is not None]
    if mine:
        print("\nworst of ours by p95")
        for row in sorted(mine, key=lambda row: -row.figures.p95)[:6]:  # type: ignore[union-attr]
            print(f"{row.case.name:34}{row.case.finish:14}{line(row.figures)}")  # type: ignore[arg-type]


def recolor(scenes: Sequence[str], methods: Sequence[str], masks: str, variant: str, sheets: Path | None) -> list[Row]:
    """Measure every surface and paint, and print the tables."""
    kept = Kept(masks, variant)
    rows = []
    for case in cases(scenes):
        for method in methods:
            if method == "ours":
                found = measure(case, method, masks, variant, sheets)
            else:
                work = partial(measure, case, method, masks, variant, None)
                found = kept.get(case.scene, f"{case.surface}-{case.paint}", method, work)
            rows.append(Row(case, method, found))
    report(rows)
    return rows


def row_as_dict(row: Row) -> dict[str, Any]:
    case = row.case
    named = {"scene": case.scene.name, "surface": case.surface, "paint": case.paint, "method": row.method}
    figures = {} if row.figures is None else asdict(row.figures)
    return {**named, "finish": case.finish, "half": case.scene.half, **figures}


def paint_body(rgb: Rgb, body: Bits, text: Bits, target: Colour) -> Rgb:
    """The engine's recolour of a product whose print is protected."""
    known = replayed("body", body), replayed("text", text)
    return ours(rgb, known, target)


def measure_body(rgb: Rgb, body: Bits, text: Bits) -> Colour:
    """The colour that the engine reads off a product whose print is protected."""
    known = replayed("body", body), replayed("text", text)
    recipe = Recipe(tuple(answer.prompt for answer in known), (Layer("body", Keep()),), ("text",))
    return render(Photo(rgb), known, recipe, source="replay").colours["body"]


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--action", choices=ACTIONS, default="recolor")
    parser.add_argument("--masks", choices=MASKS, default="exact", help="for recolor")
    parser.add_argument("--variant", choices=VARIANTS, default="clean")
    parser.add_argument("--scene", action="append", choices=SCENES, help="may be given more than once")
    parser.add_argument("--method", action="append", help="may be given more than once; ours, or a peer of the table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows too")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="write a sheet for each case of ours")
    options = parser.parse_args()
    scenes, known = options.scene or list(SCENES), ACTIONS[options.action]
    if unknown := set(options.method or ()) - set(known):
        parser.error(f"{', '.join(sorted(unknown))}: no method of {options.action}, which has {', '.join(known)}")
    methods = options.method or list(known)
    cv2.setNumThreads(1)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    if options.action == "recolor":
        found = recolor(scenes, methods, options.masks, options.variant, options.pictures)
        rows = [row_as_dict(row) for row in found]
    elif options.action == "remove":
        rows = _removing.run(scenes, methods, options.variant, options.pictures)
    elif options.action == "texture":
        rows = _texturing.run(scenes, methods, options.variant, options.pictures)
    elif options.action == "tone":
        rows = _toning.run(scenes, methods, options.variant, options.pictures)
    else:
        rows = _albums.run(paint_body, measure_body)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
