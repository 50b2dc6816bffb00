"""Idempotency-Key: whatever is sent twice with the same key happens once and is answered alike."""

from __future__ import annotations

from typing import Any

import pytest

RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}
JOB = {"preset": "interior", "item_count": 2}
SAVED = {"name": "Oak", "preset_id": "interior", "concepts": RULE}


async def twice(user: Any, method: str, path: str, body: Any = None, key: str = "k") -> tuple[Any, Any]:
    answers = [await user.request(method, path, json=body, headers={"Idempotency-Key": key}) for _ in range(2)]
    return answers[0], answers[1]


def told(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()["data"]


async def test_a_job_is_made_once(api: Any) -> None:
    user = await api.user("abc", plan="pro")
    first, second = await twice(user, "POST", "/jobs", JOB)
    assert first.status_code == 201
    assert told(first) == told(second)
    me = (await user.get("/me")).json()["data"]
    assert (me["credits"], me["concurrent_jobs"]) == (198, 1)


async def test_a_repeat_is_answered_where_the_first_took_the_last_slot(api: Any) -> None:
    user = await api.user("abc")  # the free plan has one job at once
    first, second = await twice(user, "POST", "/jobs", JOB)
    assert told(first) == told(second)
    assert (await user.post("/jobs", json=JOB)).json()["error"]["code"] == "CONCURRENCY_LIMIT"


@pytest.mark.parametrize(
    ("status", "step", "body", "code"),
    [
        ("uploaded", "execute", {"concepts": RULE}, 202),
        ("created", "cancel", None, 200),
    ],
)
async def test_a_step_of_a_job_is_taken_once(api: Any, status: str, step: str, body: Any, code: int) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    first, second = await twice(user, "POST", f"/jobs/{job_id}/{step}", body)
    assert told(first) == told(second)
    assert first.status_code == code
    assert (await user.post(f"/jobs/{job_id}/{step}", json=body)).status_code == 409
    assert len(api.tasks) == (2 if step == "execute" else 0)


async def test_an_upload_is_confirmed_once(api: Any) -> None:
    user = await api.user("abc")
    made = (await user.post("/jobs", json=JOB)).json()["data"]
    for upload in made["presigned_urls"]:
        await api.client.put(upload["url"], content=b"photo")
    first, second = await twice(user, "POST", made["confirm_url"])
    assert told(first) == told(second) == (200, {"confirmed": True})


async def test_a_rule_is_saved_and_deleted_once(api: Any) -> None:
    user = await api.user("abc")
    first, second = await twice(user, "POST", "/rules", SAVED)
    assert told(first) == told(second)
    assert len((await user.get("/rules")).json()["data"]["rules"]) == 1
    path = f"/rules/{first.json()['data']['rule']['id']}"
    renamed, again = await twice(user, "PUT", path, {"name": "Ash"})
    assert told(renamed) == told(again)
    first, second = await twice(user, "DELETE", path)
    assert told(first) == told(second)
    assert first.status_code == 200


async def test_a_refusal_is_not_kept(api: Any) -> None:
    user = await api.user("abc")
    job_id = await api.job(user)
    key = {"Idempotency-Key": "later"}
    assert (await user.post("/jobs", json=JOB, headers=key)).status_code == 429
    assert (await user.post(f"/jobs/{job_id}/cancel")).status_code == 200
    assert (await user.post("/jobs", json=JOB, headers=key)).status_code == 201


async def test_a_key_names_one_request_of_one_user(api: Any) -> None:
    one, other = await api.user("one", plan="pro"), await api.user("other")
    key = {"Idempotency-Key": "k"}
    made = [
        (await user.post("/jobs", json=body, headers=key)).json()["data"]["job_id"]
        for user, body in [(one, JOB), (one, JOB | {"item_count": 1}), (other, JOB), (one, dict(reversed(JOB.items())))]
    ]
    assert made[3] == made[0]
    assert len(set(made)) == 3


@pytest.mark.parametrize("key", ["", "a b", "k" * 129, "é".encode("latin-1")])
async def test_a_key_must_be_a_key(api: Any, key: str | bytes) -> None:
    user = await api.user("abc")
    answer = await user.post("/jobs", json=JOB, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["message"].startswith("Idempotency-Key: ")


async def test_the_document_tells_of_the_header(api: Any) -> None:
    document = (await api.client.get("/openapi.json")).json()
    knows = {
        (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "Idempotency-Key" in {each["name"] for each in operation.get("parameters", [])}
    }
    assert knows == {
        ("post", "/jobs"),
        ("post", "/jobs/{job_id}/confirm-upload"),
        ("post", "/jobs/{job_id}/execute"),
        ("post", "/jobs/{job_id}/cancel"),
        ("post", "/rules"),
        ("put", "/rules/{rule_id}"),
        ("delete", "/rules/{rule_id}"),
    }
