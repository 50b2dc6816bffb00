"""A photo that sets colours, over HTTP: asked for, refused in a sentence, shown, measured by a worker outside."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
async def uploaded(make_api: Any) -> Any:
    """(api, user, job id) of a job of three photos that workers outside will do."""
    api = make_api(engine="external")
    user = await api.user("abc")
    return api, user, await api.job(user, "uploaded", photos=3)


async def job_of(user: Any, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]
    return job


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"references": {"Wall": 3}}, "references.Wall: must be the index of a photo, 0 to 2"),
        ({"references": {"Wall": "1"}}, "references.Wall: must be the index of a photo, 0 to 2"),
        ({"references": {"Gloss": 1}}, "references.Gloss: interior has no such concept; it has Wall,"),
        ({"references": {"Wall": 0, "Floor": 1}}, "references.Floor: one photo sets all colours of a job; Wall"),
        (
            {"references": {"Wall": 0}, "concepts": {"Wall": {"action": "tone", "value": "warm"}}},
            "concepts.Wall.action: must be recolor, for a photo sets the colour",
        ),
        ({"references": {"Wall": 0}, "concepts": {"Wall": {"action": "recolor", "photo": 0}}}, "concepts.Wall.photo: "),
        ({"references": [0]}, "references"),
        ({"references": None}, "concepts: needed where neither rule_id nor references are given"),
    ],
)
async def test_what_is_refused(uploaded: Any, body: dict[str, Any], message: str) -> None:
    _, user, job_id = uploaded
    answer = await user.post(f"/jobs/{job_id}/execute", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["message"].startswith(message)


async def test_no_rule_can_name_a_photo(uploaded: Any) -> None:
    """Rules are used again: the photos of another job are none of theirs."""
    _, user, _ = uploaded
    for value in (None, {"photo": 1}):
        concepts = {"Wall": {"action": "recolor", "value": value}}
        answer = await user.post("/rules", json={"name": "Walls", "preset_id": "interior", "concepts": concepts})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_saved_rule_and_a_photo(uploaded: Any) -> None:
    api, user, job_id = uploaded
    concepts = {"Wall": {"action": "recolor", "value": "#F4F1EA"}, "Floor": {"action": "recolor", "value": "oak_a"}}
    saved = await user.post("/rules", json={"name": "Oak", "preset_id": "interior", "concepts": concepts})
    rule_id = saved.json()["data"]["rule"]["id"]
    body = {"rule_id": rule_id, "references": {"Wall": 2}}
    assert (await user.post(f"/jobs/{job_id}/execute", json=body)).status_code == 202
    job = await job_of(user, job_id)
    assert job["references"] == {"Wall": 2}
    assert {name: entry["value"] for name, entry in job["concepts"].items()} == {"Wall": None, "Floor": "oak_a"}

    early = await api.callback(user, job_id, 0)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    unreadable = await api.callback(user, job_id, 2, colors={"Wall": "light green"})
    assert unreadable.status_code == 400
    assert (await api.callback(user, job_id, 2, colors={"Wall": "#8fa78f"})).json()["data"] == {"processed": True}
    job = await job_of(user, job_id)
    assert job["concepts"]["Wall"] == {"action": "recolor", "value": "#8FA78F"}
    for idx in (0, 1):
        assert (await api.callback(user, job_id, idx)).json()["data"] == {"processed": True}
    assert (await job_of(user, job_id))["status"] == "done"


async def test_a_worker_that_measures_nothing_costs_nothing(uploaded: Any) -> None:
    api, user, job_id = uploaded
    before = (await user.get("/me")).json()["data"]["credits"]
    assert (await user.post(f"/jobs/{job_id}/execute", json={"references": {"Wall": 1}})).status_code == 202
    warnings = ["Wall is not in this photo; nothing was changed for it."]
    assert (await api.callback(user, job_id, 1, warnings=warnings)).status_code == 200
    job = await job_of(user, job_id)
    why = "no colour of Wall could be measured; its warnings say why"
    other = f"photo 1 sets the colour of Wall, and it failed: {why}"
    assert (job["status"], [item["error"] for item in job["items"]]) == ("failed", [other, why, other])
    assert job["items"][1]["warnings"] == warnings
    assert (await user.get("/me")).json()["data"]["credits"] == before + 3
