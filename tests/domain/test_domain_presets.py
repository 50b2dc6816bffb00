"""The data that ships: what the contract names is there, and what does not fit is refused when it is loaded."""

from __future__ import annotations

from importlib.resources import files

import pytest

from s3palette.domain import presets as presets_package
from s3palette.domain.materials import load_materials, parse_materials
from s3palette.domain.plans import PLANS
from s3palette.domain.presets import PRESET_IDS, load_presets, parse_preset

CONCEPTS = {
    "interior": "Wall Floor Ceiling Window Door Frame_Molding Tile Grout Cabinet Countertop Light Handle Backsplash "
    "Switch_Outlet",
    "seller": "Body Label_Text Logo Gloss Parts Accessories Product Background",
    "profile": "Person Hair Face Skin Glasses Outfit Background",
    "ootd": "Person Top Bottom Outer Shoes Bag Accessories Logo Pattern Skin Hair",
}
SEVERAL = {
    "interior": "Window Door Light Cabinet Tile Handle Switch_Outlet",
    "seller": "Product Parts Accessories Logo",
    "profile": "Person Glasses",
    "ootd": "Person Shoes Bag Accessories",
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
NAMES = {"interior": "건축/인테리어", "seller": "쇼핑/셀러", "profile": "프로필/브랜딩", "ootd": "패션/OOTD"}


def source(name: str) -> str:
    return files(presets_package).joinpath(f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("preset_id", PRESET_IDS)
def test_each_domain_has_what_the_contract_names(preset_id):
    preset = load_presets()[preset_id]
    assert preset.name == NAMES[preset_id]
    assert list(preset.concept_names) == CONCEPTS[preset_id].split()
    assert {concept.name for concept in preset.concepts if concept.several} == set(SEVERAL[preset_id].split())
    assert list(preset.protect_defaults) == PROTECT[preset_id].split()
    assert [template.name for template in preset.output_templates] == TEMPLATES[preset_id]
    assert [rule_set.name for rule_set in preset.rule_sets] == RULE_SETS[preset_id]
    assert all(text and text.isascii() for text in (preset.name_en, *(t.name_en for t in preset.output_templates)))


def test_presets_are_loaded_once_in_the_order_of_the_api():
    assert list(load_presets()) == list(PRESET_IDS) == list(CONCEPTS)
    assert load_presets() is load_presets()


@pytest.mark.parametrize("preset_id", PRESET_IDS)
def test_every_concept_has_a_prompt_but_the_highlights(preset_id):
    without = {concept.name: concept.finder for concept in load_presets()[preset_id].concepts if concept.prompt is None}
    assert without == ({"Gloss": "highlight"} if preset_id == "seller" else {})


def test_prompts_the_contract_words():
    interior, seller = load_presets()["interior"], load_presets()["seller"]
    prompts = {concept.name: concept.prompt for concept in (*interior.concepts, *seller.concepts)}
    assert prompts["Wall"] == "wall"
    assert prompts["Frame_Molding"] == "molding and trim"
    assert prompts["Grout"] == "grout line between tiles"
    assert prompts["Label_Text"] == "text label"


def test_glass_highlights_can_be_protected_but_have_no_button():
    interior = load_presets()["interior"]
    assert "Glass_highlight" not in interior.concept_names
    assert "Glass_highlight" in interior.protectable


def test_what_the_classical_engine_can_find():
    finders = {preset.id: {c.name: c.finder for c in preset.concepts if c.finder} for preset in load_presets().values()}
    assert finders == {
        "interior": {"Wall": "wall", "Floor": "floor", "Ceiling": "ceiling", "Grout": "grout"},
        "seller": {
            "Body": "body",
            "Product": "product",
            "Background": "background",
            "Label_Text": "text",
            "Logo": "logo",
            "Gloss": "highlight",
        },
        "profile": {"Background": "background"},
        "ootd": {},
    }


def test_the_modern_rule_set_of_interior():
    modern = load_presets()["interior"].rule_sets[0]
    assert {name: entry["value"] for name, entry in modern.concepts.items()} == {
        "Floor": "oak_a",
        "Wall": "offwhite_b",
        "Frame_Molding": "black_matte",
        "Grout": "lightgray_grout",
    }


@pytest.mark.parametrize("key", ["proposals_3", "시안3안팩"])
def test_a_template_is_found_by_id_and_by_name(key):
    interior = load_presets()["interior"]
    assert interior.template(key) is interior.output_templates[0]
    assert interior.template("상품팩") is None


def test_the_catalogue():
    catalogue = load_materials()
    assert len(catalogue.materials) >= 32
    assert {
        "oak_a",
        "walnut_a",
        "offwhite_b",
        "black_matte",
        "lightgray_grout",
        "marble_a",
    } <= catalogue.materials.keys()
    assert set(catalogue.tones) == {"warm", "cool", "bright", "soft", "neutral"}
    assert catalogue.materials["offwhite_b"].hex == "#F4F1EA"
    assert sum(material.texture for material in catalogue.materials.values()) >= 16
    assert {preset for material in catalogue.materials.values() for preset in material.presets} == set(PRESET_IDS)
    for tone in catalogue.tones.values():
        assert -2 <= tone.exposure <= 2
        assert max(abs(tone.temperature), abs(tone.contrast), abs(tone.saturation)) <= 100
        assert 0 <= tone.balance <= 100


def test_the_plans():
    free, pro = PLANS["free"], PLANS["pro"]
    assert (free.credits, free.max_jobs, free.max_items, free.rule_slots) == (10, 1, 10, 2)
    assert (pro.credits, pro.max_jobs, pro.max_items, pro.rule_slots) == (200, 3, 200, 20)
    assert (free.all_templates, free.watermark, pro.all_templates, pro.watermark) == (False, True, True, False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('finder = "wall"', 'finder = "wal"', "finder"),
        ('finder = "wall"', 'find = "wall"', "find"),
        ('prompt = "wall"', "prompt = 7", "prompt"),
        ("several = true", 'several = "yes"', "several"),
        ('surface = "floor"', 'surface = "ground"', "surface"),
        ("metres = 1.4", "metres = 0.0", "metres"),
        ('{ name = "Floor"', '{ name = "Wall"', "a name is there twice"),
        ('{ name = "Glass_highlight"', '{ name = "Wall"', "a name is there twice"),
        ('"Wall", "Ceiling", "Floor"', '"Wall", "Floor"', "painting_order"),
        ('"Wall", "Ceiling", "Floor"', '"Wall", "Ceiling", "Sofa"', "painting_order"),
        ('protect_defaults = ["Grout"', 'protect_defaults = ["Sofa"', "protect_defaults names Sofa"),
        ('{ name = "Door", prompt = "door", several = true, metres = 2.0 }', '{ name = "Door" }', "Door has neither"),
        ('id = "before_after"', 'id = "proposals_3"', "output templates"),
        ('id = "natural"', 'id = "modern"', "rule sets"),
        ('value = "oak_a"', 'value = "oak_z"', "rule set modern: concepts.Floor.value"),
        ('protect = ["Glass_highlight", "Light"', 'protect = ["Floor", "Light"', "rule set modern: protect: Floor"),
        ('name_en = "Interior"', "", "name_en"),
    ],
)
def test_a_broken_preset_is_refused_with_its_place(old, new, message):
    text = source("interior")
    assert old in text
    with pytest.raises(ValueError, match=message):
        parse_preset(text.replace(old, new, 1), load_materials())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('hex = "#C8A27A"', 'hex = "#C8A27"', "hex"),
        ('hex = "#C8A27A"', 'hex = "#c8a27a"', "hex"),
        ('id = "oak_a"', 'id = "Oak A"', "id"),
        ('id = "oak_a"', 'id = "walnut_a"', "an id is there twice"),
        ('kind = "boards"', 'kind = "wood"', "kind"),
        ("unit = [0.14, 1.5]", "unit = [0.14, 150.0]", "unit"),
        ("unit = [0.14, 1.5]", "unit = [0.14]", "unit"),
        ('joint_hex = "#6E5638"', 'joint_hex = "brown"', "joint_hex"),
        ("turn = 45.0", "turned = 45.0", "turned"),
        ("exposure = 0.45", 'exposure = "much"', "exposure"),
        ("exposure = 0.45", "gamma = 0.45", "gamma"),
    ],
)
def test_a_broken_catalogue_is_refused_with_its_place(old, new, message):
    text = files("s3palette.domain").joinpath("materials.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(ValueError, match=message):
        parse_materials(text.replace(old, new, 1))
