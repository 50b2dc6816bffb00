"""--reference CONCEPT=FILE: a photo that shows how the concept is to look in all others.

The photo may be one of the album's, where the concept then stays as it is, or any other. What is said of the album's
instances by number, and a mask of its one photo, says nothing of any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3palette.cli._concept_files import concept_files
from s3palette.cli._rule_options import RuleRefused

if TYPE_CHECKING:
    from engine import Recipe, Segmenter

__all__ = ["elsewhere", "kept_in", "measure_references", "reference_paths"]


def reference_paths(options: Sequence[str]) -> dict[str, Path]:
    """Concept -> photo, from CONCEPT=FILE. Raises RuleRefused."""
    paths = concept_files("--reference", options, "one photo shows how it is to look")
    for concept, path in paths.items():
        if not path.is_file():
            raise RuleRefused(f"--reference {concept}: there is no photo {path}.")
    return paths


def measure_references(paths: Mapping[str, Path], asked: Callable[[Path], tuple[Recipe, Segmenter]]) -> dict[str, str]:
    """Concept -> the colour it shows in its photo, #RRGGBB; `asked` gives what a photo is measured with.

    Raises RuleRefused where there is none to see or the photo cannot be used, OSError.
    """
    import engine

    colours: dict[str, str] = {}
    for path in dict.fromkeys(paths.values()):
        wanted = [concept for concept, own in paths.items() if own == path]
        try:
            shown = engine.measure(path.read_bytes(), *asked(path))
        except engine.EngineError as error:
            raise RuleRefused(f"--reference {wanted[0]}={path}: {error}") from None
        for concept in wanted:
            if concept not in shown.colours:
                why = " ".join(warning for warning in shown.warnings if concept in warning.split())
                raise RuleRefused(f"--reference {concept}={path}: no colour could be measured. {why}")
            colours[concept] = "#{:02X}{:02X}{:02X}".format(*shown.colours[concept])
    return colours


def elsewhere(concepts: Mapping[str, Any]) -> dict[str, Any]:
    """A rule for a photo that is not of the album: no instance has an action of its own."""
    return {
        name: {key: value for key, value in entry.items() if key != "instances"} for name, entry in concepts.items()
    }


def kept_in(photo: Path, paths: Mapping[str, Path]) -> tuple[str, ...]:
    """The concepts that this very photo shows how to look."""
    return tuple(concept for concept, own in paths.items() if own.resolve() == photo.resolve())
