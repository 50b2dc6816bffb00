"""Rules: saved, listed, changed, deleted, and everything a rule may not say."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ._contract import Newcomer, assert_utc, at_once, data_of, refusal, statuses

pytestmark = pytest.mark.e2e

OAK = {"action": "recolor", "value": "oak_a"}


def draft(**changes: Any) -> dict[str, Any]:
    """A rule one can save, with changes."""
    return {"name": "모던", "preset_id": "interior", "concepts": {"Floor": OAK}, "protect": ["Grout"], **changes}


@pytest.fixture
def full(user: httpx.Client) -> httpx.Client:
    """A user whose two slots are taken: whatever is refused as invalid is refused before the limit is looked at."""
    for name in "ab":
        data_of(user.post("/rules", json=draft(name=name)), 201)
    return user


def test_a_rule_from_beginning_to_end(user: httpx.Client) -> None:
    rule = data_of(user.post("/rules", json=draft()), 201)["rule"]
    assert rule["user_id"] == data_of(user.get("/me"))["user_id"]
    assert (rule["name"], rule["preset_id"], rule["protect"]) == ("모던", "interior", ["Grout"])
    assert rule["concepts"]["Floor"].items() >= OAK.items()
    assert json.loads(rule["concepts_json"]) == rule["concepts"]
    assert json.loads(rule["protect_json"]) == ["Grout"]
    assert_utc(rule["created_at"])
    assert_utc(rule["updated_at"])
    address = f"/rules/{rule['id']}"
    assert data_of(user.get(address)) == {"rule": rule}
    assert data_of(user.get("/rules")) == {"rules": [rule]}
    assert data_of(user.get("/me"))["rule_slots"] == 1
    assert data_of(user.put(address, json={})) == {"rule": rule}

    renamed = data_of(user.put(address, json={"name": "내추럴"}))["rule"]
    assert {**renamed, "updated_at": ""} == {**rule, "name": "내추럴", "updated_at": ""}
    assert renamed["updated_at"] >= rule["updated_at"]
    repainted = data_of(user.put(address, json={"concepts": {"Wall": {"action": "remove", "value": None}}}))["rule"]
    assert set(repainted["concepts"]) == {"Wall"}
    assert repainted["concepts"]["Wall"]["action"] == "remove"
    assert repainted["protect"] == ["Grout"]
    assert data_of(user.put(address, json={"protect": []}))["rule"]["protect"] == []
    assert data_of(user.get(address))["rule"]["name"] == "내추럴"

    assert data_of(user.delete(address)) == {"id": rule["id"], "deleted": True}
    for answer in (user.get(address), user.put(address, json={}), user.delete(address)):
        refusal(answer, 404, "RULE_NOT_FOUND")
    assert data_of(user.get("/rules")) == {"rules": []}
    assert data_of(user.get("/me"))["rule_slots"] == 0


def test_two_slots_newest_first(full: httpx.Client) -> None:
    assert [rule["name"] for rule in data_of(full.get("/rules"))["rules"]] == ["b", "a"]
    refusal(full.post("/rules", json=draft()), 403, "RULE_SLOT_FULL")
    newest = data_of(full.get("/rules"))["rules"][0]
    data_of(full.delete(f"/rules/{newest['id']}"))
    data_of(full.post("/rules", json=draft(name="c")), 201)
    assert [rule["name"] for rule in data_of(full.get("/rules"))["rules"]] == ["c", "a"]


def test_twenty_slots_newest_first_on_pro(pro: httpx.Client) -> None:
    names = [f"rule {number}" for number in range(20)]
    made = [data_of(pro.post("/rules", json=draft(name=name)), 201)["rule"] for name in names]
    assert data_of(pro.get("/rules"))["rules"] == made[::-1]
    refusal(pro.post("/rules", json=draft()), 403, "RULE_SLOT_FULL")
    data_of(pro.put(f"/rules/{made[0]['id']}", json={"name": "changed"}))
    assert [rule["id"] for rule in data_of(pro.get("/rules"))["rules"]] == [rule["id"] for rule in made[::-1]]
    for rule in made:
        data_of(pro.delete(f"/rules/{rule['id']}"))
    assert data_of(pro.get("/me"))["rule_slots"] == 0


def test_twenty_rules_at_once_take_two_slots(user: httpx.Client) -> None:
    answers = at_once(20, lambda number: user.post("/rules", json=draft(name=f"rule {number}")))
    assert statuses(answers) == [201] * 2 + [403] * 18
    assert len(data_of(user.get("/rules"))["rules"]) == 2


def test_somebody_elses_rule_is_not_found(user: httpx.Client, newcomer: Newcomer) -> None:
    address = f"/rules/{data_of(user.post('/rules', json=draft()), 201)['rule']['id']}"
    stranger = newcomer()
    for answer in (stranger.get(address), stranger.put(address, json={"name": "x"}), stranger.delete(address)):
        refusal(answer, 404, "RULE_NOT_FOUND")
    assert data_of(stranger.get("/rules")) == {"rules": []}
    assert data_of(user.get(address))["rule"]["name"] == "모던"


def wall(action: Any, value: Any = ...) -> dict[str, Any]:
    """A rule about the wall; without a value when none is given."""
    return {"concepts": {"Wall": {"action": action} if value is ... else {"action": action, "value": value}}}


def window(instances: Any) -> dict[str, Any]:
    """A rule about windows that says something else about some of them."""
    return {"concepts": {"Window": {**OAK, "instances": instances}}}


def every_tone(exposure: float, others: float) -> dict[str, Any]:
    return wall("tone", {"exposure": exposure, "temperature": others, "contrast": others, "saturation": others})


GOOD = {
    "hex": wall("recolor", "#f4F1ea"),
    "lowest tone": every_tone(-2, -100),
    "highest tone": every_tone(2.0, 100.0),
    "one tone": wall("tone", {"exposure": 0.5}),
    "balance": wall("tone", {"balance": 100}),
    "texture": {"concepts": {"Countertop": {"action": "texture", "value": "marble_a"}}},
    "remove with null": wall("remove", None),
    "remove alone": wall("remove"),
    "instances": window({"2": {"action": "recolor", "value": "walnut_a"}}),
    "instance removed": window({"1": {"action": "remove", "value": None}}),
    "no protect": {"protect": None},
    "nothing protected": {"protect": []},
    "highlights protected": {"protect": ["Glass_highlight"]},
    "protected by default": {"concepts": {"Grout": {"action": "recolor", "value": "lightgray_grout"}}, "protect": None},
    "one character": {"name": "가"},
    "80 characters": {"name": "🛋" * 80},
    **{f"{tone} tone": wall("tone", tone) for tone in ("warm", "cool", "bright", "soft", "neutral")},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD.keys())
def test_what_a_rule_may_say(user: httpx.Client, changes: Any) -> None:
    body = draft(**changes)
    rule = data_of(user.post("/rules", json=body), 201)["rule"]
    assert rule["name"] == body["name"]
    assert set(rule["concepts"]) == set(body["concepts"])
    for concept, said in body["concepts"].items():
        assert rule["concepts"][concept]["action"] == said["action"]
        kept = rule["concepts"][concept].get("value")
        assert kept == said.get("value") or kept.lower() == said["value"].lower(), "a colour may be spelled anew"
        assert set(rule["concepts"][concept].get("instances") or {}) == set(said.get("instances") or {})
    data_of(user.post("/rules", json={key: value for key, value in body.items() if value is not None}), 201)


BAD = {
    "empty name": ({"name": ""}, "name"),
    "81 characters": ({"name": "가" * 81}, "name"),
    "name a number": ({"name": 7}, "name"),
    "name null": ({"name": None}, "name"),
    "name a list": ({"name": ["a"]}, "name"),
    "preset unknown": ({"preset_id": "nope"}, "preset"),
    "preset null": ({"preset_id": None}, "preset"),
    "preset a number": ({"preset_id": 1}, "preset"),
    "concepts null": ({"concepts": None}, "concepts"),
    "concepts a list": ({"concepts": ["Wall"]}, "concepts"),
    "concepts a string": ({"concepts": "Wall"}, "concepts"),
    "concept unknown": ({"concepts": {"Sofa": OAK}}, "Sofa"),
    "concept in small letters": ({"concepts": {"wall": OAK}}, "wall"),
    "concept of another preset": ({"concepts": {"Shoes": OAK}}, "Shoes"),
    "highlight selected": ({"concepts": {"Glass_highlight": OAK}}, "Glass_highlight"),
    "action not an object": ({"concepts": {"Wall": "oak_a"}}, "Wall"),
    "action null": ({"concepts": {"Wall": None}}, "Wall"),
    "action unknown": (wall("paint", "oak_a"), "action"),
    "action a number": (wall(3, "oak_a"), "action"),
    "action a list": (wall(["recolor"], "oak_a"), "action"),
    "action missing": ({"concepts": {"Wall": {"value": "oak_a"}}}, "action"),
    "recolor nothing": (wall("recolor"), "Wall"),
    "recolor null": (wall("recolor", None), "Wall"),
    "recolor a number": (wall("recolor", 3), "Wall"),
    "recolor a list": (wall("recolor", ["#FFFFFF"]), "Wall"),
    "recolor an object": (wall("recolor", {"hex": "#FFFFFF"}), "Wall"),
    "short hex": (wall("recolor", "#FFF"), "Wall"),
    "long hex": (wall("recolor", "#FFFFFFFF"), "Wall"),
    "hex and a line end": (wall("recolor", "#FFFFFF\n"), "Wall"),
    "letters beyond F": (wall("recolor", "#GGGGGG"), "Wall"),
    "digits of another script": (wall("recolor", "#１２３４５６"), "Wall"),
    "signed hex": (wall("recolor", "#+1+1+1"), "Wall"),
    "material unknown": (wall("recolor", "oak_zzz"), "oak_zzz"),
    "tone unknown": (wall("tone", "hot"), "Wall"),
    "tone null": (wall("tone", None), "Wall"),
    "tone a number": (wall("tone", 1), "Wall"),
    "tone of an unknown kind": (wall("tone", {"gamma": 1}), "gamma"),
    "exposure too high": (wall("tone", {"exposure": 2.01}), "exposure"),
    "exposure too low": (wall("tone", {"exposure": -2.01}), "exposure"),
    "exposure a string": (wall("tone", {"exposure": "1"}), "exposure"),
    "exposure a bool": (wall("tone", {"exposure": True}), "exposure"),
    "exposure a list": (wall("tone", {"exposure": [1]}), "exposure"),
    "temperature too high": (wall("tone", {"temperature": 100.5}), "temperature"),
    "balance negative": (wall("tone", {"balance": -1}), "balance"),
    "contrast too low": (wall("tone", {"contrast": -101}), "contrast"),
    "saturation huge": (wall("tone", {"saturation": 10**30}), "saturation"),
    "texture of a plain material": (wall("texture", "offwhite_b"), "Wall"),
    "texture of a colour": (wall("texture", "#FFFFFF"), "Wall"),
    "texture null": (wall("texture", None), "Wall"),
    "texture unknown": (wall("texture", "velvet_zzz"), "velvet_zzz"),
    "instance zero": (window({"0": OAK}), "instances"),
    "instance negative": (window({"-1": OAK}), "instances"),
    "instance a word": (window({"left": OAK}), "instances"),
    "instance a fraction": (window({"1.5": OAK}), "instances"),
    "instance of another script": (window({"２": OAK}), "instances"),
    "instances a list": (window([OAK]), "instances"),
    "instance not an object": (window({"1": "oak_a"}), "instances"),
    "instance of an unknown action": (window({"1": {"action": "paint"}}), "instances"),
    "instance of an unknown material": (window({"1": {"action": "recolor", "value": "oak_zzz"}}), "oak_zzz"),
    "protect unknown": ({"protect": ["Sofa"]}, "Sofa"),
    "protect of another preset": ({"protect": ["Skin"]}, "Skin"),
    "protect a string": ({"protect": "Grout"}, "protect"),
    "protect numbers": ({"protect": [1]}, "protect"),
    "protect an object": ({"protect": {"Grout": True}}, "protect"),
    "selected and protected": ({"protect": ["Floor"]}, "Floor"),
}


@pytest.mark.parametrize(("changes", "named"), BAD.values(), ids=BAD.keys())
def test_what_a_rule_may_not_say(full: httpx.Client, changes: Any, named: Any) -> None:
    message = refusal(full.post("/rules", json=draft(**changes)), 400, "VALIDATION_ERROR")
    assert named in message, message
    if "preset_id" not in changes and None not in changes.values():
        address = f"/rules/{data_of(full.get('/rules'))['rules'][0]['id']}"
        assert named in refusal(full.put(address, json=changes), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("missing", ["name", "preset_id", "concepts"])
def test_what_a_rule_must_say(full: httpx.Client, missing: Any) -> None:
    body = draft()
    del body[missing]
    assert missing in refusal(full.post("/rules", json=body), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "changes",
    [
        {"concepts": {}},
        {"name": "   "},
        {"name": "a\u0000b"},
        {"protect": ["Grout", "Grout"]},
        window({}),
        window(None),
        window({"9" * 30: OAK}),
        wall("tone", {}),
    ],
    ids=str,
)
def test_what_the_contract_leaves_open_is_never_a_fault(user: httpx.Client, changes: Any) -> None:
    assert user.post("/rules", json=draft(**changes)).status_code in (201, 400)


def test_a_change_is_held_against_what_stays(user: httpx.Client) -> None:
    address = f"/rules/{data_of(user.post('/rules', json=draft()), 201)['rule']['id']}"
    assert "Grout" in refusal(user.put(address, json={"concepts": {"Grout": OAK}}), 400, "VALIDATION_ERROR")
    assert "Floor" in refusal(user.put(address, json={"protect": ["Floor"]}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("field", ["name", "concepts", "protect"])
def test_null_in_a_change_is_absent(user: httpx.Client, field: Any) -> None:
    rule = data_of(user.post("/rules", json=draft()), 201)["rule"]
    assert data_of(user.put(f"/rules/{rule['id']}", json={field: None}))["rule"][field] == rule[field]
