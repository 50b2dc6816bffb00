"""What the demo leaves behind for an album: results, masks made visible, a before / after sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import engine
from s3palette.client import Client, Job
from s3palette.demo.albums import Album
from s3palette.sheets import AlbumRule, PhotoView, contact_sheet

__all__ = ["fetch", "paint"]


def fetch(client: Client, job: Job, album: Album, folder: Path) -> None:
    """Download results, label maps and instances of every delivered photo into `folder`."""
    labels = folder / "labels"
    labels.mkdir(parents=True, exist_ok=True)
    for download in job.downloads:
        name, item = album.photo_names[download.idx], job.items[download.idx]
        client.download(download.output_url, folder / f"{name}_result.png")
        for concept, url in item.masks.items():
            client.download(url, labels / f"{name}_{concept}.png")
        if item.instances_url is not None:
            client.download(item.instances_url, labels / f"{name}_instances.json")


def paint(job: Job, album: Album, folder: Path) -> list[Path]:
    """Draw the masks of every delivered photo and the album's sheet from what `fetch` stored. The pictures' paths."""
    rule = AlbumRule(album.concepts, album.protect)
    rows, written = [], []
    for download in job.downloads:
        name, item = album.photo_names[download.idx], job.items[download.idx]
        view = PhotoView(
            name=name.replace("_", " ").capitalize(),
            before=engine.decode(album.photos[download.idx].read_bytes()).rgb,
            after=engine.decode((folder / f"{name}_result.png").read_bytes()).rgb,
            masks=_masks(folder / "labels", name, item.masks),
            instances=(folder / "labels" / f"{name}_instances.json").read_bytes(),
            warnings=item.warnings,
        )
        rows.append(rule.row(view))
        written.append(folder / f"{name}_masks.png")
        rule.masks_picture(view).save(written[-1], compress_level=3)
    sheet = folder / "before-after.png"
    contact_sheet(album.title, ("Before", "After", "What was found"), rows, rule.header()).save(sheet)
    return [sheet, *written]


def _masks(labels: Path, name: str, masks: Mapping[str, str]) -> dict[str, bytes]:
    return {concept: (labels / f"{name}_{concept}.png").read_bytes() for concept in masks}
