"""CONCEPT=FILE, as --mask and --reference take it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3palette.cli._rule_options import RuleRefused

__all__ = ["concept_files", "reference_paths"]


def concept_files(option: str, given: Sequence[str], why_once: str) -> dict[str, Path]:
    """Concept -> path, from the values of an option. Raises RuleRefused.

    Args:
        option: its name, "--mask".
        given: its values.
        why_once: what is said to whoever names a concept twice.
    """
    paths: dict[str, Path] = {}
    for value in given:
        concept, equals, name = value.partition("=")
        if not (concept and equals and name):
            raise RuleRefused(f"{option} {value}: write CONCEPT=FILE.")
        if concept in paths:
            raise RuleRefused(f"{option} {concept} is given twice; {why_once}.")
        paths[concept] = Path(name)
    return paths


def reference_paths(options: Sequence[str]) -> dict[str, Path]:
    """Concept -> photo that shows how it is to look, from the values of --reference. Raises RuleRefused."""
    paths = concept_files("--reference", options, "one photo shows how it is to look")
    for concept, path in paths.items():
        if not path.is_file():
            raise RuleRefused(f"--reference {concept}: there is no photo {path}.")
    return paths
