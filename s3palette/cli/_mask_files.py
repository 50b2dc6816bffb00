"""--mask CONCEPT=FILE: masks made by a person or another program.

A mask is a PNG of the upright photo's size: 0 outside, k on instance #k. A mask of 0 and 255 alone is one instance.
With several photos FILE is a folder, in which PHOTO_CONCEPT.png or PHOTO.png is the mask of PHOTO.jpg: `apply --masks`
writes what `--mask` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s3palette.cli._concept_files import concept_files
from s3palette.cli._rule_options import RuleRefused

if TYPE_CHECKING:
    from engine.types import LabelMap

__all__ = ["MaskRefused", "mask_paths", "masks_of", "read_mask"]


class MaskRefused(Exception):
    """One sentence that names the file and what is wrong with it."""


def mask_paths(
    options: Sequence[str], concepts: Sequence[str], album: Sequence[Path], others: Iterable[Path]
) -> dict[str, Path]:
    """Concept -> file or folder, from CONCEPT=FILE. Raises RuleRefused.

    Args:
        options: the values of --mask.
        concepts: those the rule selects or protects.
        album: its photos.
        others: photos that are looked at too.
    """
    paths = concept_files("--mask", options, "instances share one file, numbered from 1")
    for concept, path in paths.items():
        if concept not in concepts:
            raise RuleRefused(f"--mask {concept}: of the rule's concepts it takes {', '.join(concepts)}.")
        if not path.exists():
            raise RuleRefused(f"--mask {concept}: there is no {path}.")
        if len(album) > 1 and not path.is_dir():
            raise RuleRefused(
                f"--mask {concept}: {path} is the mask of one photo and there are {len(album)}; "
                f"give a folder with a mask for each, PHOTO_{concept}.png."
            )
        if path.is_dir() and (two := _of_one_name([*album, *others])) is not None:
            raise RuleRefused(
                f"--mask {concept}: {path / two[0].stem}_{concept}.png cannot be the mask of {two[0]} and of {two[1]}; "
                "rename one of them."
            )
    return paths


def _of_one_name(photos: Iterable[Path]) -> tuple[Path, Path] | None:
    """Two photos that one mask in a folder would belong to; None: every photo has a name of its own."""
    named: dict[str, Path] = {}
    for photo in photos:
        other = named.setdefault(photo.stem, photo)
        if other.resolve() != photo.resolve():
            return other, photo
    return None


def masks_of(photo: Path, paths: Mapping[str, Path]) -> dict[str, LabelMap]:
    """Concept -> label map of one photo. Raises MaskRefused."""
    return {concept: read_mask(_file_of(photo, concept, path)) for concept, path in paths.items()}


def _file_of(photo: Path, concept: str, path: Path) -> Path:
    if not path.is_dir():
        return path
    own, shared = f"{photo.stem}_{concept}.png", f"{photo.stem}.png"
    if (path / own).is_file():
        return path / own
    if (path / shared).resolve() == photo.resolve():
        raise MaskRefused(f"{path} has no {own}.")
    if (path / shared).is_file():
        return path / shared
    raise MaskRefused(f"{path} has neither {own} nor {shared}.")


def read_mask(path: Path) -> LabelMap:
    """(H, W) uint16 label map of a mask file; the bytes of a palette image are its indexes. Raises MaskRefused."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            pixels = np.asarray(image)
    except UnidentifiedImageError:
        raise MaskRefused(f"{path} is no PNG, the form of masks.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MaskRefused(f"{path} cannot be read as a mask: {error}.") from None
    if pixels.ndim == 3:
        colours = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., :1]
        if (colours != colours[..., :1]).any():
            raise MaskRefused(f"{path} has colours; a mask is gray, 0 outside and k on instance #k.")
        pixels = colours[..., 0]
    labels: LabelMap = np.ascontiguousarray(pixels).astype(np.uint16)
    inside = labels[labels > 0]
    if inside.size and (inside == 255).all():
        return np.minimum(labels, np.uint16(1))
    return labels
