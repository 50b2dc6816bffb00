"""The account, the catalogue and saved rules."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}
BODY = {"name": "Oak", "preset_id": "interior", "concepts": RULE, "protect": ["Grout"]}


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_me(api: Any) -> None:
    user = await api.user("abc")
    await api.job(user)
    await user.post("/rules", json=BODY)
    assert {
        "user_id": user.user_id,
        "plan": "free",
        "credits": 8,
        "rule_slots": 1,
        "max_rule_slots": 2,
        "concurrent_jobs": 1,
        "max_concurrent_jobs": 1,
    }.items() <= (await user.get("/me")).json()["data"].items()


async def test_pro_has_more(api: Any) -> None:
    data = (await (await api.user("abc", plan="pro")).get("/me")).json()["data"]
    assert (data["plan"], data["credits"], data["max_rule_slots"], data["max_concurrent_jobs"]) == ("pro", 200, 20, 3)


async def test_presets(api: Any) -> None:
    user = await api.user("abc")
    presets = (await user.get("/presets")).json()["data"]
    assert [(preset["id"], preset["concept_count"]) for preset in presets] == [
        ("interior", 14),
        ("seller", 8),
        ("profile", 7),
        ("ootd", 11),
    ]
    for preset in presets:
        assert {"id", "name", "name_en", "concept_count", "description"} <= set(preset)
        detail = (await user.get(f"/presets/{preset['id']}")).json()["data"]
        assert len(detail["concepts"]) == preset["concept_count"]
        assert all(isinstance(concept, str) for concept in detail["concepts"])
        assert detail["protect_defaults"]
        assert detail["rule_sets"]
        assert all({"id", "name", "description"} <= set(template) for template in detail["output_templates"])


async def test_the_concepts_of_interior_keep_their_order(api: Any) -> None:
    detail = (await (await api.user("abc")).get("/presets/interior")).json()["data"]
    assert detail["concepts"][:4] == ["Wall", "Floor", "Ceiling", "Window"]
    assert detail["protect_defaults"] == ["Grout", "Frame_Molding", "Glass_highlight"]
    assert [template["name"] for template in detail["output_templates"]] == ["시안3안팩", "전후비교", "고객공유카드"]


async def test_every_rule_set_can_be_saved(api: Any) -> None:
    user = await api.user("abc", plan="pro")
    for preset in (await user.get("/presets")).json()["data"]:
        for rules in (await user.get(f"/presets/{preset['id']}")).json()["data"]["rule_sets"]:
            body = {key: rules[key] for key in ("name", "concepts", "protect")} | {"preset_id": preset["id"]}
            assert (await user.post("/rules", json=body)).status_code == 201


@pytest.mark.parametrize("preset", ["bathroom", "INTERIOR", "%00", "..", "인테리어"])
async def test_an_unknown_preset_in_a_path_is_not_found(api: Any, preset: str) -> None:
    assert error_of(await (await api.user("abc")).get(f"/presets/{preset}")) == (404, "NOT_FOUND")


async def test_materials(api: Any) -> None:
    user = await api.user("abc")
    every = (await user.get("/materials")).json()["data"]
    assert len(every) >= 24
    assert all({"id", "name", "name_en", "hex", "texture", "presets"} <= set(material) for material in every)
    assert all(isinstance(material["texture"], bool) for material in every)
    for_seller = (await user.get("/materials?preset=seller")).json()["data"]
    assert 0 < len(for_seller) < len(every)
    assert all("seller" in material["presets"] for material in for_seller)
    assert (await user.get("/materials?preset=")).json()["data"] == every
    assert error_of(await user.get("/materials?preset=bathroom")) == (400, "VALIDATION_ERROR")


async def test_the_life_of_a_rule(api: Any) -> None:
    user = await api.user("abc")
    created = await user.post("/rules", json=BODY)
    assert created.status_code == 201
    rule = created.json()["data"]["rule"]
    assert {
        "user_id": user.user_id,
        "name": "Oak",
        "preset_id": "interior",
        "protect": ["Grout"],
    }.items() <= rule.items()
    assert rule["concepts"] == json.loads(rule["concepts_json"]) == RULE
    assert rule["protect"] == json.loads(rule["protect_json"])
    assert datetime.fromisoformat(rule["created_at"]) == datetime.fromisoformat(rule["updated_at"]) == api.clock()
    assert (await user.get(f"/rules/{rule['id']}")).json()["data"] == {"rule": rule}
    assert (await user.get("/rules")).json()["data"] == {"rules": [rule]}

    api.clock.advance(timedelta(seconds=1))
    changed = (await user.put(f"/rules/{rule['id']}", json={"name": "Ivory"})).json()["data"]["rule"]
    assert (changed["name"], changed["concepts"], changed["created_at"]) == ("Ivory", RULE, rule["created_at"])
    assert changed["updated_at"] > rule["updated_at"]
    for nothing in ({}, {"name": None, "concepts": None, "protect": None}):
        assert (await user.put(f"/rules/{rule['id']}", json=nothing)).json()["data"]["rule"] == changed
    assert (await user.get("/rules")).json()["data"] == {"rules": [changed]}

    assert (await user.delete(f"/rules/{rule['id']}")).json()["data"] == {"id": rule["id"], "deleted": True}
    assert (await user.get("/rules")).json()["data"] == {"rules": []}
    for answer in (
        await user.get(f"/rules/{rule['id']}"),
        await user.put(f"/rules/{rule['id']}", json={}),
        await user.delete(f"/rules/{rule['id']}"),
    ):
        assert error_of(answer) == (404, "RULE_NOT_FOUND")


async def test_rules_are_listed_newest_first(api: Any) -> None:
    user = await api.user("abc", plan="pro")
    for name in "abc":
        await user.post("/rules", json=BODY | {"name": name})
    assert [rule["name"] for rule in (await user.get("/rules")).json()["data"]["rules"]] == ["c", "b", "a"]


async def test_a_client_may_send_null_with_remove(api: Any) -> None:
    user = await api.user("abc")
    body = BODY | {"concepts": {"Light": {"action": "remove", "value": None}}, "protect": None}
    rule = (await user.post("/rules", json=body)).json()["data"]["rule"]
    assert rule["protect"] == ["Grout", "Frame_Molding", "Glass_highlight"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"preset_id": "bathroom"}, "preset_id"),
        ({"preset_id": None}, "preset_id"),
        ({"concepts": {}}, "concepts"),
        ({"concepts": []}, "concepts"),
        ({"concepts": "Floor"}, "concepts"),
        ({"concepts": {"Sofa": {"action": "remove"}}}, "Sofa"),
        ({"concepts": {"Logo": {"action": "remove"}}}, "Logo"),
        ({"concepts": {"Floor": {"action": "explode"}}}, "action"),
        ({"concepts": {"Floor": {"action": "recolor", "value": "gold_z"}}}, "gold_z"),
        ({"concepts": {"Floor": {"action": "recolor", "value": "#12345"}}}, "#12345"),
        ({"concepts": {"Floor": {"action": "texture", "value": "offwhite_b"}}}, "Floor"),
        ({"concepts": {"Floor": {"action": "tone", "value": {"exposure": 2.5}}}}, "exposure"),
        ({"concepts": {"Floor": ["recolor"]}}, "Floor"),
        ({"protect": ["Floor"]}, "Floor"),
        ({"protect": ["Sofa"]}, "Sofa"),
        ({"protect": "Grout"}, "protect"),
        ({"protect": [1]}, "protect"),
    ],
)
async def test_rules_that_do_not_fit(api: Any, change: dict[str, Any], says: str) -> None:
    user = await api.user("abc")
    answer = await user.post("/rules", json=BODY | change)
    assert error_of(answer) == (400, "VALIDATION_ERROR")
    assert says in answer.json()["error"]["message"]
    rule = (await user.post("/rules", json=BODY)).json()["data"]["rule"]
    if "preset_id" not in change and change != {"name": None}:
        assert error_of(await user.put(f"/rules/{rule['id']}", json=change)) == (400, "VALIDATION_ERROR")
    assert (await user.get("/rules")).json()["data"]["rules"] == [rule]


async def test_an_infinite_tone_is_refused(api: Any) -> None:
    user = await api.user("abc")
    text = json.dumps(BODY | {"concepts": {"Floor": {"action": "tone", "value": {"exposure": 0.5}}}})
    assert error_of(await user.post("/rules", content=text.replace("0.5", "1e999"))) == (400, "VALIDATION_ERROR")


async def test_slots_are_limited_after_validation(api: Any) -> None:
    user = await api.user("abc")
    first = (await user.post("/rules", json=BODY)).json()["data"]["rule"]
    await user.post("/rules", json=BODY)
    assert error_of(await user.post("/rules", json=BODY)) == (403, "RULE_SLOT_FULL")
    assert error_of(await user.post("/rules", json=BODY | {"name": ""})) == (400, "VALIDATION_ERROR")
    await user.delete(f"/rules/{first['id']}")
    assert (await user.post("/rules", json=BODY)).status_code == 201


async def test_somebody_elses_rule_is_not_found(api: Any) -> None:
    owner, other = await api.user("abc"), await api.user("abd")
    rule_id = (await owner.post("/rules", json=BODY)).json()["data"]["rule"]["id"]
    for answer in (
        await other.get(f"/rules/{rule_id}"),
        await other.put(f"/rules/{rule_id}", json={"name": "mine"}),
        await other.delete(f"/rules/{rule_id}"),
    ):
        assert error_of(answer) == (404, "RULE_NOT_FOUND")
    assert (await other.get("/rules")).json()["data"] == {"rules": []}
    assert (await owner.get(f"/rules/{rule_id}")).json()["data"]["rule"]["name"] == "Oak"


@pytest.mark.parametrize(
    "rule_id", ["r_1", "%00", "%0A", "..%5C..", "a" * 5000, "' OR 1=1 --", "%ED%A0%80", "규칙", "%20"]
)
async def test_strange_ids_are_not_found(api: Any, rule_id: str) -> None:
    user = await api.user("abc")
    assert error_of(await user.get(f"/rules/{rule_id}")) == (404, "RULE_NOT_FOUND")
    assert error_of(await user.put(f"/rules/{rule_id}", json={})) == (404, "RULE_NOT_FOUND")
    assert error_of(await user.delete(f"/rules/{rule_id}")) == (404, "RULE_NOT_FOUND")


async def test_a_refusal_does_not_send_everything_back(api: Any) -> None:
    user = await api.user("abc")
    for body in (
        BODY | {"name": "x" * 500_000},
        BODY | {"concepts": {"x" * 500_000: {"action": "remove"}}},
        BODY | {"concepts": {"Floor": {"action": "recolor", "value": "x" * 500_000}}},
        BODY | {"protect": ["x" * 500_000]},
    ):
        answer = await user.post("/rules", json=body)
        assert error_of(answer) == (400, "VALIDATION_ERROR")
        assert len(answer.content) < 3_000
