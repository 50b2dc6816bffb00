from __future__ import annotations

import pytest

from s3palette.domain import keys
from s3palette.domain.keys import Key, is_within, parse_key
from s3palette.domain.presets import load_presets

LAYOUT = [
    (keys.input_key("u_1", "j_1", 0), "inputs/u_1/j_1/0.jpg", Key("inputs", "u_1", "j_1", 0)),
    (keys.output_key("u_1", "j_1", 12), "outputs/u_1/j_1/12_result.png", Key("outputs", "u_1", "j_1", 12)),
    (keys.preview_key("u_1", "j_1", 199), "previews/u_1/j_1/199_thumb.jpg", Key("previews", "u_1", "j_1", 199)),
    (
        keys.mask_key("u_1", "j_1", 3, "Frame_Molding"),
        "masks/u_1/j_1/3_Frame_Molding.png",
        Key("masks", "u_1", "j_1", 3, concept="Frame_Molding"),
    ),
    (keys.instances_key("u_1", "j_1", 3), "masks/u_1/j_1/3_instances.json", Key("masks", "u_1", "j_1", 3)),
    (keys.set_key("u_1", "j_1", "feed_9"), "sets/u_1/j_1/feed_9.zip", Key("sets", "u_1", "j_1", template="feed_9")),
]


@pytest.mark.parametrize(("made", "text", "parts"), LAYOUT)
def test_the_layout_both_ways(made, text, parts):
    assert made == text
    assert parse_key(text) == parts
    assert text.startswith(keys.folder(parts.area, "u_1", "j_1"))
    assert is_within(text, parts.area, "u_1", "j_1")


def test_every_concept_and_template_fits_into_a_key():
    for preset in load_presets().values():
        for concept in preset.protectable:
            found = parse_key(keys.mask_key("u_1", "j_1", 0, concept))
            assert found is not None
            assert found.concept == concept
        for template in preset.output_templates:
            assert parse_key(keys.set_key("u_1", "j_1", template.id)) is not None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "inputs",
        "inputs/",
        "inputs/u_1/j_1/",
        "inputs/u_1/0.jpg",
        "inputs/u_1/j_1/0.png",
        "inputs/u_1/j_1/00.jpg",
        "inputs/u_1/j_1/-1.jpg",
        "inputs/u_1/j_1/x.jpg",
        "inputs/u_1/j_1/٢.jpg",
        "inputs/u_1/j_1/0.jpg\n",
        "inputs/u_1/j_1/0.jpg/",
        "/inputs/u_1/j_1/0.jpg",
        "inputs//j_1/0.jpg",
        "inputs/../j_1/0.jpg",
        "inputs/u_1/../0.jpg",
        "inputs/u_1/j_1/../../0.jpg",
        "inputs/u_1/j_1\\0.jpg",
        "inputs/u_1/j_1/0.jpg\x00",
        "inputs/u 1/j_1/0.jpg",
        "Inputs/u_1/j_1/0.jpg",
        "secrets/u_1/j_1/0.jpg",
        "masks/u_1/j_1/0_a.b.png",
        "masks/u_1/j_1/0_벽.png",
        "inputs/" + "u" * 600 + "/j_1/0.jpg",
    ],
)
def test_anything_else_is_not_a_key(key):
    assert parse_key(key) is None


@pytest.mark.parametrize(
    ("key", "within"),
    [
        ("outputs/u_1/j_1/0_result.png", True),
        ("outputs/u_1/j_1/photo-0.final.png", True),
        ("outputs/u_1/j_1/night/0.png", True),
        ("outputs/u_1/j_1/", False),
        ("outputs/u_1/j_1", False),
        ("outputs/u_1/j_10/0.png", False),
        ("outputs/u_1/j_1/../j_2/0.png", False),
        ("outputs/u_1/j_1/a/../../b.png", False),
        ("outputs/u_1/j_1/.hidden", False),
        ("outputs/u_1/j_1/a//b.png", False),
        ("outputs/u_1/j_1/a b.png", False),
        ("outputs/u_1/j_1/a\\b.png", False),
        ("outputs/u_1/j_1/a.png\n", False),
        ("outputs/u_1/j_1/%2e%2e/b.png", False),
        ("previews/u_1/j_1/0.png", False),
        ("outputs/u_1/j_1/" + "a/" * 9 + "b.png", False),
        ("outputs/u_1/j_1/" + "a" * 600, False),
    ],
)
def test_what_lies_in_a_jobs_folder(key, within):
    assert is_within(key, "outputs", "u_1", "j_1") is within
