"""--exclude, --lock, --box, --not-box and --plane: what holds for the one photo on the command line.

--exclude Window=2            leave instance #2 as it is; --exclude Window=2,3 leaves two
--lock Window=1               nothing may touch instance #1
--box Wall=0.1,0.2,0.6,0.9    here is one: x0,y0,x1,y1 as shares of the upright photo, 0 to 1
--not-box Wall=0,0,1,0.2      here is none
--plane Floor=0.1,0.9,0.9,0.9,0.7,0.6,0.3,0.6,3,2     a rectangle on the surface: its corners one by one, then, where
                              they are known, the metres of its first and second side
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from s3palette.cli._rule_options import RuleRefused
from s3palette.domain.errors import ValidationFailed
from s3palette.domain.refinements import resolve_photo
from s3palette.domain.rules import Rule

__all__ = ["read_refinement"]

T = TypeVar("T", int, float)


def read_refinement(
    rule: Rule,
    *,
    exclude: Sequence[str],
    lock: Sequence[str],
    box: Sequence[str],
    not_box: Sequence[str],
    plane: Sequence[str] = (),
) -> dict[str, Any]:
    """What the options say, in the shape of the API, checked against the rule. Raises RuleRefused."""
    boxes: dict[str, dict[str, list[list[float]]]] = {}
    for side, option, given in (("positive", "--box", box), ("negative", "--not-box", not_box)):
        for text in given:
            concept, edges = _split(option, text, float, "0.1,0.2,0.6,0.9")
            boxes.setdefault(concept, {"positive": [], "negative": []})[side].append(edges)
    part = {
        "exclude": _instances("--exclude", exclude),
        "lock": _instances("--lock", lock),
        "boxes": boxes,
        "planes": dict(_plane(text) for text in plane),
    }
    try:
        resolve_photo(rule, part)
    except ValidationFailed as error:
        raise RuleRefused(_in_words(error.message)) from None
    return {name: value for name, value in part.items() if value}


def _instances(option: str, given: Sequence[str]) -> dict[str, list[int]]:
    chosen: dict[str, list[int]] = {}
    for text in given:
        concept, numbers = _split(option, text, int, "2")
        chosen.setdefault(concept, []).extend(numbers)
    return chosen


def _plane(text: str) -> tuple[str, dict[str, Any]]:
    example = "0.1,0.9,0.9,0.9,0.7,0.6,0.3,0.6 or that and two lengths in metres"
    concept, numbers = _split("--plane", text, float, example)
    if len(numbers) not in (8, 10):
        raise RuleRefused(f"--plane {text}: write CONCEPT={example}.")
    quad = [numbers[k : k + 2] for k in range(0, 8, 2)]
    return concept, {"quad": quad, "metres": numbers[8:]} if numbers[8:] else {"quad": quad}


def _split(option: str, text: str, number: Callable[[str], T], example: str) -> tuple[str, list[T]]:
    concept, equals, values = text.partition("=")
    try:
        if concept and equals:
            return concept, [number(value) for value in values.split(",")]
    except ValueError:
        pass
    raise RuleRefused(f"{option} {text}: write CONCEPT={example}.")


def _in_words(message: str) -> str:
    """The domain's message with the option in place of the field."""
    field, _, problem = message.partition(": ")
    _, name, concept, *rest = field.split(".")
    options = {"boxes": "--not-box" if "negative" in rest else "--box", "planes": "--plane"}
    option = options.get(name, f"--{name}")
    return f"{option} {concept}: {problem}."
