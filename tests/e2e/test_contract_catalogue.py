"""What there is to choose from: presets, their rule sets, materials."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from ._contract import data_of, refusal

pytestmark = pytest.mark.e2e

NAMES = {"interior": "건축/인테리어", "seller": "쇼핑/셀러", "profile": "프로필/브랜딩", "ootd": "패션/OOTD"}
CONCEPTS = {
    "interior": "Wall Floor Ceiling Window Door Frame_Molding Tile Grout Cabinet Countertop Light Handle Backsplash "
    "Switch_Outlet",
    "seller": "Body Label_Text Logo Gloss Parts Accessories Product Background",
    "profile": "Person Hair Face Skin Glasses Outfit Background",
    "ootd": "Person Top Bottom Outer Shoes Bag Accessories Logo Pattern Skin Hair",
}
PROTECT = {
    "interior": "Grout Frame_Molding Glass_highlight",
    "seller": "Label_Text Logo Gloss",
    "profile": "Skin Hair",
    "ootd": "Skin Hair Logo Pattern",
}
TEMPLATES = {
    "interior": ["시안3안팩", "전후비교", "고객공유카드"],
    "seller": ["상품팩", "옵션보드", "썸네일8종"],
    "profile": ["LinkedIn팩", "사원증팩", "컨셉3안"],
    "ootd": ["피드9", "카드뉴스10", "커플룩"],
}
RULE_SETS = {
    "interior": ["모던", "내추럴", "호텔"],
    "seller": ["중고-표준", "스토어-옵션통일", "리셀-신뢰컷"],
    "profile": ["모던", "친근", "프리미엄"],
    "ootd": ["미니멀", "색정확도"],
}
NAMED_IN_THE_SPEC = {"oak_a", "walnut_a", "offwhite_b", "black_matte", "lightgray_grout", "marble_a"}


def test_four_presets_in_order(user: httpx.Client) -> None:
    presets = data_of(user.get("/presets"))
    assert {preset["id"]: preset["name"] for preset in presets} == NAMES
    for preset in presets:
        assert preset["concept_count"] == len(CONCEPTS[preset["id"]].split())
        assert re.fullmatch(r"[A-Za-z][A-Za-z /&-]*", preset["name_en"])
        assert preset["description"]


@pytest.mark.parametrize("preset", NAMES)
def test_a_preset_has_its_concepts_templates_and_rule_sets(user: httpx.Client, preset: Any) -> None:
    data = data_of(user.get(f"/presets/{preset}"))
    assert data["id"] == preset
    assert data["name"] == NAMES[preset]
    assert data["concepts"] == CONCEPTS[preset].split()
    assert data["protect_defaults"] == PROTECT[preset].split()
    assert [template["name"] for template in data["output_templates"]] == TEMPLATES[preset]
    for template in data["output_templates"]:
        assert all(isinstance(template[field], str) and template[field] for field in ("id", "name", "description"))
    assert [rules["name"] for rules in data["rule_sets"]] == RULE_SETS[preset]


@pytest.mark.parametrize("preset", NAMES)
def test_a_shipped_rule_set_is_a_rule_one_can_save(user: httpx.Client, preset: Any) -> None:
    for rules in data_of(user.get(f"/presets/{preset}"))["rule_sets"]:
        body = {"name": rules["name"], "preset_id": preset, "concepts": rules["concepts"], "protect": rules["protect"]}
        rule = data_of(user.post("/rules", json=body), 201)["rule"]
        data_of(user.delete(f"/rules/{rule['id']}"))


def test_the_modern_interior_is_as_described(user: httpx.Client) -> None:
    modern = data_of(user.get("/presets/interior"))["rule_sets"][0]["concepts"]
    chosen = {concept: action["value"] for concept, action in modern.items()}
    assert chosen["Floor"] == "oak_a"
    assert chosen["Wall"] == "offwhite_b"
    assert chosen["Grout"] == "lightgray_grout"
    assert "black_matte" in chosen.values()


@pytest.mark.parametrize("preset", ["nope", "Interior", "interior%00", "..%2finterior"])
def test_an_unknown_preset_in_a_path_is_not_found(user: httpx.Client, preset: Any) -> None:
    refusal(user.get(f"/presets/{preset}"), 404, "NOT_FOUND")


def test_materials(user: httpx.Client) -> None:
    materials = data_of(user.get("/materials"))
    assert len(materials) >= 24
    assert len({material["id"] for material in materials}) == len(materials)
    assert {material["id"] for material in materials} >= NAMED_IN_THE_SPEC
    assert {material["texture"] for material in materials} == {True, False}
    for material in materials:
        assert re.fullmatch(r"#[0-9A-Fa-f]{6}", material["hex"])
        assert material["name"]
        assert material["name_en"].isascii()
        assert material["presets"]
        assert set(material["presets"]) <= set(NAMES)


@pytest.mark.parametrize("preset", NAMES)
def test_materials_of_a_preset(user: httpx.Client, preset: Any) -> None:
    everything = data_of(user.get("/materials"))
    assert data_of(user.get("/materials", params={"preset": preset})) == [
        material for material in everything if preset in material["presets"]
    ]


def test_materials_of_an_unknown_preset(user: httpx.Client) -> None:
    assert "preset" in refusal(user.get("/materials", params={"preset": "nope"}), 400, "VALIDATION_ERROR")
