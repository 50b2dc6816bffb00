"""What the demo draws of an album: masks made visible, a before / after sheet."""

from __future__ import annotations

from pathlib import Path

import engine
from s3palette.client import AlbumResult
from s3palette.demo.albums import Album
from s3palette.sheets import AlbumRule, PhotoView, contact_sheet

__all__ = ["paint"]


def paint(result: AlbumResult, album: Album, folder: Path) -> list[Path]:
    """Draw the masks of every photo and the album's sheet into `folder`. The pictures' paths, the sheet first.

    Every photo must have been delivered, with its masks.
    """
    rule = AlbumRule(album.concepts, album.protect)
    rows, written = [], []
    for photo, before in zip(result.photos, album.photos, strict=True):
        assert photo.output is not None
        assert photo.instances is not None
        view = PhotoView(
            name=photo.name.replace("_", " ").capitalize(),
            before=engine.decode(before.read_bytes()).rgb,
            after=engine.decode(photo.output.read()).rgb,
            masks={concept: mask.read() for concept, mask in photo.masks.items()},
            instances=photo.instances.read(),
            warnings=photo.warnings,
        )
        rows.append(rule.row(view))
        written.append(folder / f"{photo.name}_masks.png")
        rule.masks_picture(view).save(written[-1], compress_level=3)
    sheet = folder / "before-after.png"
    contact_sheet(album.title, ("Before", "After", "What was found"), rows, rule.header()).save(sheet)
    return [sheet, *written]
