"""What a photo's result says in words and figures: instances as JSON, warnings as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine._counts import counts
from engine.types import LabelMap, Segmentation, State

__all__ = [
    "absent_warning",
    "concept_report",
    "fully_protected_warning",
    "instances_json",
    "missing_warning",
    "needs_model_reason",
    "unfilled_warning",
    "unmeasured_warning",
    "warnings_for",
]


def concept_report(
    found: Segmentation, labels: LabelMap | None, states: Mapping[int, State] | None = None
) -> dict[str, Any]:
    """One concept for `instances_json`: status, presence and every instance with its box, score, visible area, state.

    `area_px` counts the pixels the instance has in `labels`; a concept that was not found has no instances. An
    instance that `states` does not name is "included".
    """
    instances: list[dict[str, Any]] = []
    if labels is not None:
        areas = counts(labels, len(found.instances) + 1)
        instances = [
            {
                "id": k,
                "score": round(float(instance.score), 4),
                "box": [round(float(edge), 1) for edge in instance.box],
                "area_px": int(areas[k]),
                "state": (states or {}).get(k, "included"),
            }
            for k, instance in enumerate(found.instances, start=1)
        ]
    return {"status": found.status, "presence": round(float(found.presence), 4), "instances": instances}


def instances_json(size: tuple[int, int], source: str, concepts: Mapping[str, dict[str, Any]]) -> bytes:
    """UTF-8 JSON `{"size": [w, h], "source": ..., "concepts": {...}}`; `size` is (height, width)."""
    height, width = size
    report = {"size": [width, height], "source": source, "concepts": dict(concepts)}
    return json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()


def warnings_for(segmentations: Iterable[Segmentation], selected: Sequence[str], source: str) -> list[str]:
    """A sentence for every selected or protected concept that could not be found."""
    sentences = []
    for found in segmentations:
        concept = found.prompt.concept
        outcome = "nothing was changed for it" if concept in selected else "it was not protected"
        if found.status == "needs_model":
            sentences.append(
                f"{concept} cannot be found by the {source} engine; it needs the SAM 3 model, so {outcome}."
            )
        elif found.status == "absent" and concept in selected:
            sentences.append(absent_warning(concept))
        elif found.status == "absent":
            sentences.append(f"{concept} is not in this photo; there was nothing to protect.")
    return sentences


def absent_warning(concept: str) -> str:
    """A selected concept that the photo does not show."""
    return f"{concept} is not in this photo; nothing was changed for it."


def unfilled_warning(concept: str) -> str:
    """A removed thing that fills the photo."""
    return f"{concept} leaves too little of this photo around it to fill its place from; a part of it stays."


def fully_protected_warning(concept: str) -> str:
    """A selected concept whose every pixel belongs to something protected."""
    return f"{concept} lies wholly within what is protected; nothing was changed for it."


def unmeasured_warning(concept: str, named: bool) -> str:
    """A concept of which there is no colour to see; `named`: because each instance is left out or has its action."""
    why = (
        f"Every {concept} in this photo is excluded, locked or has an action of its own"
        if named
        else f"What this photo shows of {concept} is protected or lies under other concepts"
    )
    return f"{why}, so there is no colour to take from it."


def missing_warning(concept: str, numbers: Sequence[int], count: int) -> str:
    """Instances that a rule or a user names and the photo, with its `count` of them, does not show."""
    named = _listed([f"#{number}" for number in numbers])
    return f"{concept} {named} {'is' if len(numbers) == 1 else 'are'} not in this photo, which shows {count}."


def needs_model_reason(concepts: Sequence[str], source: str) -> str:
    """Why a photo fails: no selected concept can be found by the engine in use."""
    return f"{_listed(concepts)} cannot be found by the {source} engine: the SAM 3 model is needed."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
