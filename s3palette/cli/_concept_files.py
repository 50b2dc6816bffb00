"""CONCEPT=FILE, as --mask and --reference take it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3palette.cli._rule_options import RuleRefused

__all__ = ["concept_files"]


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
