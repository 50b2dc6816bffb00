"""--set and --protect: what they mean, and what is said about wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from s3palette.cli._rule_options import RuleRefused, read_rule


@pytest.mark.parametrize(
    ("setting", "entry"),
    [
        ("#F4F1EA", {"action": "recolor", "value": "#F4F1EA"}),
        ("#f4f1ea", {"action": "recolor", "value": "#F4F1EA"}),
        ("oak_a", {"action": "recolor", "value": "oak_a"}),
        ("tone:warm", {"action": "tone", "value": "warm"}),
        (
            "tone:exposure=0.5,saturation=-20",
            {"action": "tone", "value": {"exposure": 0.5, "saturation": -20.0}},
        ),
        ("texture:oak_a", {"action": "texture", "value": "oak_a"}),
        ("remove", {"action": "remove", "value": None}),
    ],
)
def test_every_kind_of_value(setting: str, entry: dict[str, Any]) -> None:
    assert read_rule("interior", [f"Wall={setting}"], []).concepts == {"Wall": entry}


def test_an_instance_may_have_its_own_value() -> None:
    rule = read_rule("interior", ["Window#2=#804020", "Window=black_matte", "Window#10=tone:warm"], [])
    assert rule.concepts["Window"] == {
        "action": "recolor",
        "value": "black_matte",
        "instances": {
            "2": {"action": "recolor", "value": "#804020"},
            "10": {"action": "tone", "value": "warm"},
        },
    }


@pytest.mark.parametrize(
    ("protect", "expected"),
    [
        ([], ("Grout", "Frame_Molding", "Glass_highlight")),
        (["none"], ()),
        (["Door"], ("Door",)),
        (["Door,Window", "Light"], ("Door", "Window", "Light")),
    ],
)
def test_protected_concepts(protect: list[str], expected: tuple[str, ...]) -> None:
    assert read_rule("interior", ["Wall=#000000"], protect).protect == expected


@pytest.mark.parametrize(
    ("settings", "protect", "parts"),
    [
        ([], [], ["--set is missing", "--set Wall=#F4F1EA"]),
        (["Wall"], [], ["--set Wall: write CONCEPT=VALUE", "tone:NAME"]),
        (["=oak_a"], [], ["write CONCEPT=VALUE"]),
        (["Wall=texture:"], [], ["--set Wall=texture:: write CONCEPT=VALUE"]),
        (["Wall=#000000", "Wall=#FFFFFF"], [], ["--set Wall is given twice"]),
        (["Roof=#000000"], [], ["--set Roof: interior has no such concept", "Wall, Floor"]),
        (["Wall=mud"], [], ["--set Wall: mud is neither", "materials for interior are", "oak_a"]),
        (["Wall=#12345"], [], ["--set Wall: #12345 is neither"]),
        (["Wall=tone:odd"], [], ["--set Wall: tone needs one of", "warm"]),
        (["Wall=tone:exposure=x"], [], ["--set Wall=tone:exposure=x: 'exposure=x' is not NAME=NUMBER"]),
        (["Wall=tone:exposure=9"], [], ["--set Wall: exposure must be a number from -2 to 2."]),
        (["Wall=tone:glow=1"], [], ["--set Wall: glow is none of exposure, "]),
        (["Wall=texture:offwhite_b"], [], ["--set Wall: ", "has no texture", "textures for interior are oak_a"]),
        (["Wall=paint:oak_a"], [], ["--set Wall: paint is none of recolor, tone, texture, remove"]),
        (["Wall#2=oak_a"], [], ["--set Wall#2: give --set Wall=VALUE too"]),
        (["Wall=oak_a", "Wall#2=oak_a", "Wall#2=oak_a"], [], ["--set Wall#2 is given twice"]),
        (["Wall=oak_a", "Wall#0=oak_a"], [], ["--set Wall#0: instances count from 1"]),
        (["Wall#0=oak_a"], [], ["--set Wall#0: instances count from 1", "Wall#1"]),
        (["Wall=oak_a", "Wall#=oak_a"], [], ["--set Wall#: instances count from 1"]),
        (["Wall=oak_a", "Wall#x=oak_a"], [], ["--set Wall: x is not an instance number"]),
        (["Wall=oak_a", "Wall#2=mud"], [], ["--set Wall#2: mud is neither", "materials for interior are"]),
        (["Wall=oak_a", "Wall#2=texture:offwhite_b"], [], ["--set Wall#2: ", "textures for interior are oak_a"]),
        (["Wall=oak_a"], ["Roof"], ["--protect: interior has no concept Roof", "Glass_highlight"]),
        (["Wall=oak_a"], ["Wall"], ["--protect: Wall is selected and protected at once"]),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(
    settings: list[str], protect: list[str], parts: list[str]
) -> None:
    with pytest.raises(RuleRefused) as refused:
        read_rule("interior", settings, protect)
    message = str(refused.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(RuleRefused, match="--preset garden: there is no such preset; there are interior, seller"):
        read_rule("garden", ["Wall=oak_a"], [])
