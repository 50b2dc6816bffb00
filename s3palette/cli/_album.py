"""What `apply` asks of the engine: for a photo of the album, and for one that only shows how a concept is to look.

That one may be the album's, where the concept then stays as it is, or any other. What is said of the album's instances
by number, and a mask of its one photo, says nothing of any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3palette.cli._mask_files import masks_of
from s3palette.cli._rule_options import RuleRefused
from s3palette.domain.rules import Rule

if TYPE_CHECKING:
    from engine import Recipe, Segmenter

__all__ = ["Album"]


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """The photos and all that the options say of them."""

    photos: Sequence[Path]
    preset: str
    rule: Rule
    refinement: Mapping[str, Any]
    """What holds for the one photo; empty where there are more."""
    references: Mapping[str, Path]
    """Concept -> the photo that shows how it is to look."""
    masks: Mapping[str, Path]
    """Concept -> mask file of the one photo, or a folder of masks."""
    segmenter: Segmenter
    """Finds what no mask is given for."""

    def colours(self) -> dict[str, str]:
        """Concept -> the colour that its reference shows, #RRGGBB.

        Raises RuleRefused where there is none to see or the photo cannot be used, MaskRefused.
        """
        import engine

        colours: dict[str, str] = {}
        for path in dict.fromkeys(self.references.values()):
            wanted = [concept for concept, own in self.references.items() if own == path]
            try:
                shown = engine.measure(path.read_bytes(), *self._measuring(path))
            except engine.EngineError as error:
                raise RuleRefused(f"--reference {wanted[0]}={path}: {error}") from None
            except OSError as error:
                raise RuleRefused(f"--reference {wanted[0]}={path}: {error.strerror or error}.") from None
            for concept in wanted:
                if concept not in shown.colours:
                    why = " ".join(warning for warning in shown.warnings if concept in warning.split())
                    raise RuleRefused(f"--reference {concept}={path}: no colour could be measured. {why}")
                colours[concept] = "#{:02X}{:02X}{:02X}".format(*shown.colours[concept])
        return colours

    def painting(self, photo: Path, concepts: Mapping[str, Any]) -> tuple[Recipe, Segmenter]:
        """What a photo of the album is processed with; `concepts` are the rule's with the references' colours.

        Raises MaskRefused.
        """
        from s3palette.recipes import build_recipe

        kept = [concept for concept, own in self.references.items() if own.resolve() == photo.resolve()]
        recipe = build_recipe(self.preset, concepts, self.rule.protect, self.refinement, kept)
        return recipe, self._finding(photo, self.masks)

    def _measuring(self, photo: Path) -> tuple[Recipe, Segmenter]:
        from s3palette.recipes import build_recipe

        concepts, refinement, masks = self.rule.concepts, self.refinement, self.masks
        if photo.resolve() not in [own.resolve() for own in self.photos]:
            concepts = {
                name: {key: value for key, value in entry.items() if key != "instances"}
                for name, entry in concepts.items()
            }
            refinement, masks = {}, {concept: path for concept, path in masks.items() if path.is_dir()}
        recipe = build_recipe(self.preset, concepts, self.rule.protect, refinement, self.references)
        return recipe, self._finding(photo, masks)

    def _finding(self, photo: Path, masks: Mapping[str, Path]) -> Segmenter:
        import engine

        return engine.GivenMasks(masks_of(photo, masks), self.segmenter)
