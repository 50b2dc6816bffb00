"""Execute: what a rule may say to a job, saved rules, templates of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ._contract import PAINTED, Album, Newcomer, data_of, refusal
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

OAK = {"action": "recolor", "value": "oak_a"}


def uploaded(owner: httpx.Client, preset: str = "interior") -> Album:
    album = Album.create(owner, 1, preset)
    album.upload()
    data_of(album.confirm())
    return album


@pytest.fixture(scope="module")
def waiting(external: SystemUnderTest) -> Iterator[Album]:
    """An uploaded album that no wrong execute may move."""
    with external.sign_up() as client:
        album = uploaded(client)
        yield album
        assert album.view()["status"] == "uploaded"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"concepts": None}, "concepts"),
        ({"protect": ["Grout"]}, "concepts"),
        ({"concepts": []}, "concepts"),
        ({"concepts": "Wall"}, "concepts"),
        ({"concepts": {"Sofa": OAK}}, "Sofa"),
        ({"concepts": {"Shoes": OAK}}, "Shoes"),
        ({"concepts": {"Wall": {"action": "paint", "value": "oak_a"}}}, "action"),
        ({"concepts": {"Wall": {"action": "recolor", "value": "oak_zzz"}}}, "oak_zzz"),
        ({"concepts": {"Wall": {"action": "texture", "value": "offwhite_b"}}}, "Wall"),
        ({"concepts": {"Wall": OAK}, "protect": ["Wall"]}, "Wall"),
        ({"concepts": {"Wall": OAK}, "protect": ["Sofa"]}, "Sofa"),
        ({"concepts": {"Wall": OAK}, "protect": "Grout"}, "protect"),
        ({"concepts": {"Wall": OAK}, "rule_id": 7}, "rule_id"),
        ({"concepts": {"Wall": OAK}, "rule_id": ["x"]}, "rule_id"),
        ({"concepts": {"Wall": OAK}, "output_template": "nope"}, "output_template"),
        ({"concepts": {"Wall": OAK}, "output_template": "feed_9"}, "output_template"),
        ({"concepts": {"Wall": OAK}, "output_template": 1}, "output_template"),
        ({"concepts": {"Wall": OAK}, "photos": []}, "photos"),
        ({"concepts": {"Wall": OAK}, "photos": {"1": {}}}, "photos.1: the job has photos 0 to 0"),
        ({"concepts": {"Wall": OAK}, "photos": {"0": {"lock": {"Sofa": [1]}}}}, "photos.0.lock.Sofa"),
        ({"concepts": {"Wall": OAK}, "photos": {"0": {"exclude": {"Wall": [0]}}}}, "photos.0.exclude.Wall"),
        ({"concepts": {"Wall": OAK}, "photos": {"0": {"boxes": {"Wall": {"positive": [[0, 0, 9, 9]]}}}}}, "0 to 1"),
    ],
)
def test_what_cannot_be_executed(waiting: Album, body: Any, named: Any) -> None:
    assert named in refusal(waiting.execute(**body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_execute_needs_a_json_object(waiting: Album, content: Any) -> None:
    answer = waiting.post("execute", content=content, headers={"Content-Type": "application/json"})
    refusal(answer, 400, "VALIDATION_ERROR")


def test_null_is_absent_when_executing(user: httpx.Client) -> None:
    album = uploaded(user)
    answer = album.execute(concepts=PAINTED, protect=None, rule_id=None, output_template=None)
    assert data_of(answer, 202) == {"queued": True}
    job = album.view()
    assert job["status"] in ("queued", "running")
    assert {item["status"] for item in job["items"]} <= {"pending", "running"}


def save_rule(owner: httpx.Client, preset: str = "interior", concept: str = "Floor") -> str:
    body = {"name": "모던", "preset_id": preset, "concepts": {concept: OAK}}
    return str(data_of(owner.post("/rules", json=body), 201)["rule"]["id"])


@pytest.mark.parametrize(
    "inline", [{}, {"concepts": None, "protect": None}, {"concepts": {"Wall": OAK}, "protect": []}], ids=str
)
def test_a_saved_rule_may_stand_alone(user: httpx.Client, inline: Any) -> None:
    data_of(uploaded(user).execute(rule_id=save_rule(user), **inline), 202)


def test_a_rule_must_be_ones_own_and_of_the_jobs_domain(user: httpx.Client, newcomer: Newcomer) -> None:
    album = uploaded(user)
    theirs = save_rule(newcomer())
    for rule_id in ("nope", theirs):
        refusal(album.execute(rule_id=rule_id), 404, "RULE_NOT_FOUND")
        refusal(album.execute(rule_id=rule_id, concepts=PAINTED), 404, "RULE_NOT_FOUND")
    refusal(album.execute(rule_id=save_rule(user, "seller", "Product")), 400, "VALIDATION_ERROR")
    data_of(album.execute(rule_id=save_rule(user)), 202)


@pytest.mark.parametrize(
    ("preset", "concept"), [("interior", "Wall"), ("seller", "Product"), ("profile", "Outfit"), ("ootd", "Top")]
)
def test_the_first_template_of_a_domain_is_free(
    user: httpx.Client, pro: httpx.Client, preset: Any, concept: Any
) -> None:
    templates = [template["id"] for template in data_of(user.get(f"/presets/{preset}"))["output_templates"]]
    album = uploaded(user, preset)
    for template in templates[1:]:
        refusal(album.execute(concepts={concept: OAK}, output_template=template), 403, "PLAN_REQUIRED")
    data_of(album.execute(concepts={concept: OAK}, output_template=templates[0]), 202)
    for template in templates[1:]:
        theirs = uploaded(pro, preset)
        data_of(theirs.execute(concepts={concept: OAK}, output_template=template), 202)
        data_of(theirs.cancel())
