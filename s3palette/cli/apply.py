"""apply: the engine alone on some photos. No server, no Ray."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3palette.cli._album import Album
from s3palette.cli._concept_files import reference_paths
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._mask_files import MaskRefused, mask_paths
from s3palette.cli._photo_files import NoPhotos, output_names, photos_in
from s3palette.cli._photo_options import read_refinement
from s3palette.cli._rule_options import RuleRefused, read_rule
from s3palette.cli._whole import whole

if TYPE_CHECKING:
    from rich.progress import Progress

    from engine import PhotoResult
    from s3palette.sheets import AlbumRule, Row

__all__ = ["apply"]

_ROWS_A_SHEET = 8
_SHEETS = (".png", ".jpg", ".jpeg")


def _many(metavar: str, help_: str, *names: str) -> Any:
    """An option that may be given several times."""
    return typer.Option(*names, metavar=metavar, help=help_, default_factory=list, show_default=False)


def apply(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="JPEG, PNG, WebP, TIFF, BMP or GIF, or a folder of them.")
    ],
    preset: Annotated[str, typer.Option(metavar="NAME", help="interior, seller, profile or ootd")],
    set_: Annotated[
        list[str],
        _many(
            "CONCEPT=VALUE",
            "VALUE: #RRGGBB, a material, tone:NAME, tone:exposure=0.5,..., texture:MATERIAL or remove; "
            "CONCEPT#N=VALUE for one instance; repeatable, as all that follow",
            "--set",
        ),
    ],
    protect: Annotated[
        list[str],
        _many("CONCEPT", "what nothing may touch, 'none' for nothing; without it the preset's defaults"),
    ],
    reference: Annotated[
        list[str], _many("CONCEPT=PHOTO", "make it look as in this photo, of the album or not; instead of --set")
    ],
    mask: Annotated[list[str], _many("CONCEPT=FILE", "take this mask: PNG at photo size, 0 outside, k on instance #k")],
    box: Annotated[
        list[str], _many("CONCEPT=X0,Y0,X1,Y1", "here is one; shares of the upright photo's width and height, 0 to 1")
    ],
    not_box: Annotated[list[str], _many("CONCEPT=X0,Y0,X1,Y1", "here is none")],
    plane: Annotated[
        list[str], _many("CONCEPT=X0,Y0,...,X3,Y3[,W,D]", "a rectangle on the surface, for texture; with its metres")
    ],
    exclude: Annotated[list[str], _many("CONCEPT=N", "leave instance #N as it is")],
    lock: Annotated[list[str], _many("CONCEPT=N", "nothing may touch instance #N")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="where the results go; made where it is missing")] = Path(
        "s3p-out"
    ),
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="where the before / after sheet goes, .jpg or .png  [DIR/before-after.png]"),
    ] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Write the masks too.")] = False,
) -> None:
    """Apply one rule to photos: NAME_result.png, NAME_preview.jpg and a before / after sheet.

    A PHOTO may be a folder. Boxes, --plane, --exclude and --lock speak of one photo; a --mask is one photo's too, or a
    folder of PHOTO_CONCEPT.png, as --masks writes them.
    """
    with one_sentence(RuleRefused, NoPhotos):
        references = reference_paths(reference)
        rule = read_rule(preset, set_, protect, references)
        photos = photos_in(photos)
        refinement = read_refinement(rule, exclude=exclude, lock=lock, box=box, not_box=not_box, plane=plane)
        given = mask_paths(mask, (*rule.concepts, *rule.protect), photos, references.values())
        sheet = _sheet_path(sheet, out)
    if refinement and len(photos) > 1:
        raise fail(f"--box, --not-box, --plane, --exclude and --lock speak of one photo, and there are {len(photos)}.")
    from engine.segment.sam3 import Sam3Unavailable
    from s3palette.domain.references import with_colors
    from s3palette.engines import load_segmenter
    from s3palette.settings import SettingsError, read_settings
    from s3palette.sheets import AlbumRule

    with one_sentence(SettingsError, Sam3Unavailable):
        segmenter, _ = load_segmenter(read_settings())
    album = Album(photos, preset, rule, refinement, references, given, segmenter)
    with one_sentence(RuleRefused, MaskRefused):
        colours = album.colours()
    new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fail(f"--out {out}: {error.strerror}.") from None
    for concept, colour in colours.items():
        typer.echo(f"{references[concept]}: {concept} {colour}")
    work = _Work(album, AlbumRule(with_colors(rule.concepts, colours), rule.protect), out, masks)
    rows: list[Row] = []
    with _progress() as progress:
        task = progress.add_task("", total=len(photos))
        for photo, name in zip(photos, output_names(photos, out), strict=True):
            progress.update(task, description=photo.name)
            row = _one(work, photo, name, progress)
            if row is not None:
                rows.append(row)
            progress.advance(task)
    if rows:
        try:
            _write_sheets(work.rule, preset, rows, sheet)
        except OSError as error:
            raise fail(f"--sheet {sheet}: {error.strerror or error}.") from None
    elif new:
        with suppress(OSError):  # what another program has put there meanwhile stays
            out.rmdir()
    if len(rows) < len(photos):
        others = f"; the others are in {out}" if rows else ""
        raise fail(f"{len(photos) - len(rows)} of {len(photos)} photos failed{others}.")


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What is the same for every photo."""

    album: Album
    rule: AlbumRule
    """The album's, with the colours that its references show."""
    out: Path
    masks: bool


def _one(work: _Work, photo: Path, name: str, progress: Progress) -> Row | None:
    """Run one photo, say what came of it, and give its row of the sheet; None where it failed."""
    import engine
    from s3palette.sheets import found_words

    began = time.perf_counter()
    try:
        data = photo.read_bytes()
        result = engine.process(data, *work.album.painting(photo, work.rule.concepts))
        row = _write(work, data, result, name)
    except (engine.EngineError, MaskRefused) as error:
        _say(progress, f"{photo}: {error}", err=True)
        return None
    except OSError as error:
        _say(progress, f"{error.filename or photo}: {error.strerror or error}", err=True)
        return None
    found = ", ".join(found_words(result.instances, work.rule.colours).values()) or "nothing found"
    height, width = result.size
    line = f"{photo}: {found} | {width}x{height}, {(time.perf_counter() - began) * 1000:.0f} ms"
    _say(progress, " | ".join((line, *result.warnings)))
    return row


def _write(work: _Work, data: bytes, result: PhotoResult, name: str) -> Row:
    import engine
    from s3palette.sheets import PhotoView

    files = {f"{name}_result.png": result.png, f"{name}_preview.jpg": result.preview}
    if work.masks:
        files |= {f"{name}_{concept}.png": png for concept, png in result.masks.items()}
        files[f"{name}_instances.json"] = result.instances
    for file, content in files.items():
        with whole(work.out / file) as draft:
            draft.write_bytes(content)
    before, after = engine.decode(data).rgb, engine.decode(result.png).rgb
    view = PhotoView(name, before, after, result.masks, result.instances, result.warnings)
    if work.masks:
        with whole(work.out / f"{name}_masks.png") as draft:
            work.rule.masks_picture(view).save(draft, compress_level=1)
    return work.rule.row(view)


def _sheet_path(sheet: Path | None, out: Path) -> Path:
    """Where the sheet goes. Raises RuleRefused for a form that is not written."""
    if sheet is None:
        return out / "before-after.png"
    if sheet.suffix.lower() not in _SHEETS:
        raise RuleRefused(f"--sheet {sheet}: its name must end in {', '.join(_SHEETS)}.")
    return sheet


def _write_sheets(rule: AlbumRule, preset: str, rows: Sequence[Row], sheet: Path) -> None:
    """The sheet, and its further pages as NAME-2, NAME-3, ... beside it."""
    from s3palette.domain.presets import load_presets
    from s3palette.sheets import contact_sheet

    title = load_presets()[preset].name_en
    for page, first in enumerate(range(0, len(rows), _ROWS_A_SHEET), start=1):
        path = sheet if page == 1 else sheet.with_stem(f"{sheet.stem}-{page}")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = rows[first : first + _ROWS_A_SHEET]
        picture = contact_sheet(title, ("Before", "After", "What was found"), part, rule.header())
        with whole(path) as draft:
            picture.save(draft, quality=92)


def _progress() -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    terminal = sys.stdout.isatty() and sys.stderr.isatty()
    return Progress(console=Console(stderr=True), transient=True, disable=not terminal)


def _say(progress: Progress, line: str, err: bool = False) -> None:
    """A line of its own: above the bar where there is one, else on the stream it belongs to."""
    if progress.disable:
        typer.echo(line, err=err)
    else:
        progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
