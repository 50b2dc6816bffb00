"""Photos on the command line: folders become the photos in them, and every photo gets a name for its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["NoPhotos", "output_names", "photos_in"]

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})


class NoPhotos(Exception):
    """A folder without photos. One sentence."""


def photos_in(paths: Sequence[Path]) -> list[Path]:
    """Files as they are, whatever they hold; of a folder the photos that lie directly in it, by name.

    Raises NoPhotos.
    """
    photos: list[Path] = []
    for path in paths:
        if not path.is_dir():
            photos.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES and each.is_file())
        if not inside:
            raise NoPhotos(f"{path}: there is no photo in this folder ({', '.join(sorted(_SUFFIXES))}).")
        photos.extend(inside)
    return photos


def output_names(photos: Sequence[Path], out: Path) -> list[str]:
    """A name in `out` for each photo: its own without suffix, numbered where that is taken or would hit a photo."""
    folder = out.resolve()
    inputs = [photo.resolve() for photo in photos]
    beside = [photo.stem.casefold() for photo in inputs if photo.parent == folder]
    names: list[str] = []
    for photo in photos:
        name, number = photo.stem, 1
        while name.casefold() in map(str.casefold, names) or any(
            stem.startswith(f"{name}_".casefold()) for stem in beside
        ):
            number += 1
            name = f"{photo.stem}-{number}"
        names.append(name)
    return names
