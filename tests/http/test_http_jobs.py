"""Jobs: their life, every state against every route, limits, ownership, pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

STATES = ("created", "uploaded", "queued", "running", "done", "failed", "canceled")
RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}
JOB = {"preset": "interior", "item_count": 2}


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def view(user: Any, job_id: str) -> Any:
    return (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]


async def test_the_life_of_a_job(api: Any) -> None:
    user = await api.user("abc")
    made = await user.post("/jobs", json=JOB)
    assert made.status_code == 201
    data = made.json()["data"]
    job_id = data["job_id"]
    assert set(data) == {"job_id", "presigned_urls", "confirm_url"}
    assert [(each["idx"], each["key"]) for each in data["presigned_urls"]] == [
        (idx, f"inputs/{user.user_id}/{job_id}/{idx}.jpg") for idx in (0, 1)
    ]
    assert data["confirm_url"] == f"http://api.test/jobs/{job_id}/confirm-upload"

    octets = {"Content-Type": "application/octet-stream"}
    for upload in data["presigned_urls"]:
        assert (await api.client.put(upload["url"], content=b"photo", headers=octets)).status_code == 200
    assert (await user.post(data["confirm_url"])).json()["data"] == {"confirmed": True}
    executed = await user.post(f"/jobs/{job_id}/execute", json={"concepts": RULE})
    assert (executed.status_code, executed.json()["data"]) == (202, {"queued": True})
    assert [(job.id, task.idx) for job, task in api.tasks] == [(job_id, 0), (job_id, 1)]

    await api.callback(user, job_id, 0, preview_key=f"previews/{user.user_id}/{job_id}/0_thumb.jpg")
    job = await view(user, job_id)
    assert (job["status"], job["progress"]) == ("running", {"done": 1, "failed": 0, "total": 2})
    await api.callback(user, job_id, 1, status="failed", error="not an image")
    job = await view(user, job_id)
    assert job["status"] == "done"
    assert (job["user_id"], job["preset"]) == (user.user_id, "interior")
    assert (job["total_items"], job["done_items"], job["failed_items"]) == (2, 1, 1)
    assert [(item["idx"], item["status"], item["error"]) for item in job["items"]] == [
        (0, "done", None),
        (1, "failed", "not an image"),
    ]
    assert all({"warnings", "masks", "instances_url"} <= set(item) for item in job["items"])
    (download,) = job["download_urls"]
    assert download["idx"] == 0
    assert f"/storage/outputs/{user.user_id}/{job_id}/0_result.png?op=get&" in download["output_url"]
    assert f"/storage/previews/{user.user_id}/{job_id}/0_thumb.jpg?op=get&" in download["preview_url"]
    me = (await user.get("/me")).json()["data"]
    assert (me["credits"], me["spent"], me["reserved"], me["concurrent_jobs"]) == (9, 1, 0, 0)


async def test_masks_and_warnings_of_the_engine_are_shown(api: Any) -> None:
    from s3palette.domain.job import RecordResult
    from s3palette.domain.model import Address

    user = await api.user("abc")
    job_id = await api.job(user, "queued", photos=1)
    folder = f"{user.user_id}/{job_id}"
    result = RecordResult(
        at=api.clock(),
        idx=0,
        status="done",
        output_key=f"outputs/{folder}/0_result.png",
        preview_key=f"previews/{folder}/0_thumb.jpg",
        mask_keys={"Floor": f"masks/{folder}/0_Floor.png"},
        instances_key=f"masks/{folder}/0_instances.json",
        warnings=["Wall: not in this photo"],
        idempotency_key="engine",
    )
    await api.ask(Address("job", job_id), result)
    (item,) = (await view(user, job_id))["items"]
    assert item["warnings"] == ["Wall: not in this photo"]
    assert list(item["masks"]) == ["Floor"]
    await api.store.put(f"masks/{folder}/0_Floor.png", b"mask", "image/png")
    assert (await api.client.get(item["masks"]["Floor"])).content == b"mask"
    assert f"masks/{folder}/0_instances.json" in item["instances_url"]
    assert not any(name.endswith(("_key", "_keys")) for name in item)


async def test_an_external_engine_gets_no_tasks(make_api: Any) -> None:
    api = make_api(engine="external")
    job_id = await api.job(user := await api.user("abc"), "queued")
    assert api.tasks == []
    await api.callback(user, job_id, 0)
    assert (await view(user, job_id))["status"] == "running"


E = (404, "JOB_NOT_FOUND")
WRONG = (409, "INVALID_TRANSITION")
GONE = (409, "ALREADY_CANCELED")
ROUTES: dict[str, tuple[tuple[int, str | None], ...]] = {
    # created, uploaded, queued, running, done, failed, canceled
    "confirm-upload": ((409, "UPLOAD_INCOMPLETE"), WRONG, WRONG, WRONG, WRONG, WRONG, GONE),
    "execute": (WRONG, (202, None), WRONG, WRONG, WRONG, WRONG, GONE),
    "cancel": ((200, None), (200, None), (200, None), (200, None), WRONG, WRONG, GONE),
}


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("route", ROUTES)
async def test_what_each_state_allows(api: Any, route: str, status: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    answer = await user.post(f"/jobs/{job_id}/{route}", json={"concepts": RULE} if route == "execute" else None)
    expected, code = ROUTES[route][STATES.index(status)]
    assert (answer.status_code, (answer.json()["error"] or {}).get("code")) == (expected, code)
    if code == "INVALID_TRANSITION":
        assert status in answer.json()["error"]["message"]
    again = await user.post(f"/jobs/{job_id}/{route}", json={"concepts": RULE} if route == "execute" else None)
    assert again.status_code == 409  # the same once more is never allowed


@pytest.mark.parametrize("status", STATES)
async def test_upload_addresses_are_fresh_while_created(api: Any, status: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    api.clock.advance(timedelta(hours=2))
    uploads = (await view(user, job_id))["presigned_urls"]
    assert len(uploads) == (2 if status == "created" else 0)
    for upload in uploads:
        assert (await api.client.put(upload["url"], content=b"x")).status_code == 200


@pytest.mark.parametrize("status", STATES)
async def test_cancel_gives_back_what_was_not_delivered(api: Any, status: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    await user.post(f"/jobs/{job_id}/cancel")
    me = (await user.get("/me")).json()["data"]
    spent = {"running": 1, "done": 2}.get(status, 0)
    assert (me["credits"], me["spent"], me["reserved"], me["concurrent_jobs"]) == (10 - spent, spent, 0, 0)


async def test_confirm_lists_what_is_missing_or_empty(api: Any) -> None:
    user = await api.user("abc")
    data = (await user.post("/jobs", json=JOB | {"item_count": 4})).json()["data"]
    for idx, content in ((0, b"photo"), (2, b"")):
        assert (await api.client.put(data["presigned_urls"][idx]["url"], content=content)).status_code == 200
    answer = await user.post(data["confirm_url"])
    assert error_of(answer) == (409, "UPLOAD_INCOMPLETE")
    message = answer.json()["error"]["message"]
    assert [idx for idx in range(4) if str(idx) in message] == [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"item_count": 0}, "item_count"),
        ({"item_count": -1}, "item_count"),
        ({"item_count": 201}, "item_count"),
        ({"item_count": 10**300}, "item_count"),
        ({"item_count": "2"}, "item_count"),
        ({"item_count": 2.5}, "item_count"),
        ({"item_count": True}, "item_count"),
        ({"item_count": None}, "item_count"),
        ({"preset": "bathroom"}, "preset"),
        ({"preset": None}, "preset"),
        ({"preset": 1}, "preset"),
        ({"preset": "\x00"}, "preset"),
    ],
)
async def test_jobs_that_do_not_fit(api: Any, change: dict[str, Any], says: str) -> None:
    user = await api.user("abc")
    answer = await user.post("/jobs", json=JOB | change)
    assert error_of(answer) == (400, "VALIDATION_ERROR")
    assert says in answer.json()["error"]["message"]
    assert (await user.get("/me")).json()["data"]["concurrent_jobs"] == 0


async def test_limits_come_in_their_order(api: Any) -> None:
    user = await api.user("abc")
    assert error_of(await user.post("/jobs", json=JOB | {"item_count": 11})) == (403, "ITEM_LIMIT")
    await api.job(user, "done", photos=9)
    assert error_of(await user.post("/jobs", json=JOB)) == (402, "CREDITS_EXHAUSTED")
    assert error_of(await user.post("/jobs", json=JOB | {"item_count": 11})) == (403, "ITEM_LIMIT")
    await api.job(user, "created", photos=1)
    assert error_of(await user.post("/jobs", json=JOB | {"item_count": 11})) == (429, "CONCURRENCY_LIMIT")
    assert error_of(await user.post("/jobs", json=JOB | {"item_count": 201})) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "VALIDATION_ERROR"),
        ({"concepts": {}}, "VALIDATION_ERROR"),
        ({"concepts": None, "rule_id": None}, "VALIDATION_ERROR"),
        ({"concepts": {"Sofa": {"action": "remove"}}}, "VALIDATION_ERROR"),
        ({"concepts": RULE, "protect": ["Floor"]}, "VALIDATION_ERROR"),
        ({"concepts": RULE, "rule_id": 7}, "VALIDATION_ERROR"),
        ({"concepts": RULE, "output_template": "poster"}, "VALIDATION_ERROR"),
        ({"concepts": RULE, "rule_id": "r_9"}, "RULE_NOT_FOUND"),
        ({"rule_id": "\x00"}, "RULE_NOT_FOUND"),
        ({"concepts": RULE, "output_template": "before_after"}, "PLAN_REQUIRED"),
    ],
)
async def test_executions_that_are_refused(api: Any, body: dict[str, Any], code: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, "uploaded")
    answer = await user.post(f"/jobs/{job_id}/execute", json=body)
    assert answer.json()["error"]["code"] == code
    assert (await view(user, job_id))["status"] == "uploaded"


@pytest.mark.parametrize("template", [None, "proposals_3", "시안3안팩"])
async def test_the_first_template_is_free(api: Any, template: str | None) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, "uploaded")
    body = {"concepts": RULE, "protect": None, "rule_id": None, "output_template": template}
    assert (await user.post(f"/jobs/{job_id}/execute", json=body)).status_code == 202


async def test_pro_may_use_every_template(api: Any) -> None:
    user = await api.user("abc", plan="pro")
    job_id = await api.job(user, "uploaded")
    body = {"concepts": RULE, "output_template": "before_after"}
    assert (await user.post(f"/jobs/{job_id}/execute", json=body)).status_code == 202


async def test_a_saved_rule_wins_over_an_inline_one(api: Any) -> None:
    user = await api.user("abc")
    saved = {"name": "Dark", "preset_id": "interior", "concepts": {"Wall": {"action": "recolor", "value": "#101010"}}}
    rule_id = (await user.post("/rules", json=saved)).json()["data"]["rule"]["id"]
    for body in ({"rule_id": rule_id}, {"rule_id": rule_id, "concepts": RULE}):
        job_id = await api.job(user, "uploaded")
        assert (await user.post(f"/jobs/{job_id}/execute", json=body)).status_code == 202
        assert list((await view(user, job_id))["concepts"]) == ["Wall"]
        await user.post(f"/jobs/{job_id}/cancel")


async def test_a_rule_of_another_domain_is_refused(api: Any) -> None:
    user = await api.user("abc")
    saved = {"name": "Dark", "preset_id": "seller", "concepts": {"Body": {"action": "recolor", "value": "#101010"}}}
    rule_id = (await user.post("/rules", json=saved)).json()["data"]["rule"]["id"]
    job_id = await api.job(user, "uploaded")
    answer = await user.post(f"/jobs/{job_id}/execute", json={"rule_id": rule_id})
    assert error_of(answer) == (400, "VALIDATION_ERROR")


REQUESTS = (("GET", ""), ("POST", "/confirm-upload"), ("POST", "/execute"), ("POST", "/cancel"))


async def test_somebody_elses_job_is_forbidden(api: Any) -> None:
    owner, other = await api.user("abc"), await api.user("abd")
    for status in ("created", "uploaded", "canceled"):
        job_id = await api.job(owner, status)
        for method, tail in REQUESTS:
            body = {"rule_id": "r_9"} if tail == "/execute" else None
            assert error_of(await other.request(method, f"/jobs/{job_id}{tail}", json=body)) == (403, "FORBIDDEN")
        await owner.post(f"/jobs/{job_id}/cancel")
    assert (await other.get("/jobs")).json()["data"] == []


@pytest.mark.parametrize(
    "job_id", ["j_1", "%00", "%0A", "..%5C", "a" * 5000, "' OR 1=1 --", "%ED%A0%80", "작업", "%20"]
)
async def test_strange_ids_are_not_found(api: Any, job_id: str) -> None:
    user = await api.user("abc")
    for method, tail in REQUESTS:
        body = {"concepts": RULE} if tail == "/execute" else None
        assert error_of(await user.request(method, f"/jobs/{job_id}{tail}", json=body)) == (404, "JOB_NOT_FOUND")
    assert api.host.awake <= 2  # the user, and at most the job that could have been


async def test_jobs_are_listed_a_page_at_a_time_newest_first(api: Any) -> None:
    user = await api.user("abc", plan="pro")
    made = [await api.job(user, status, photos=1) for status in ("done", "canceled", "done", "failed", "created")]
    await api.job(await api.user("abd"))
    answer = (await user.get("/jobs")).json()
    assert [job["job_id"] for job in answer["data"]] == made[::-1]
    assert answer["meta"]["next_cursor"] is None
    assert answer["data"][0] == {
        "job_id": made[4],
        "status": "created",
        "preset": "interior",
        "created_at": answer["data"][0]["created_at"],
        "progress": {"done": 0, "failed": 0, "total": 1},
    }
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = (await user.get("/jobs", params={"limit": 2, "cursor": cursor})).json()
        seen += [job["job_id"] for job in page["data"]]
        cursor, pages = page["meta"]["next_cursor"], pages + 1
    assert (seen, pages) == (made[::-1], 3)
    done = (await user.get("/jobs?status=done&limit=1")).json()
    assert [job["job_id"] for job in done["data"]] == [made[2]]
    rest = (await user.get("/jobs", params={"status": "done", "cursor": done["meta"]["next_cursor"]})).json()
    assert [job["job_id"] for job in rest["data"]] == [made[0]]
    assert rest["meta"]["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=" + "9" * 5000,
        "status=finished",
        "status=DONE",
        "status=%00",
        "cursor=abc",
        "cursor=%00",
        "cursor=!!!",
        "cursor=LTE",
        "cursor=MTIz=",
        "cursor=" + "A" * 600,
        "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
    ],
)
async def test_queries_that_do_not_fit(api: Any, query: str) -> None:
    user = await api.user("abc")
    answer = await user.get(f"/jobs?{query}")
    assert error_of(answer) == (400, "VALIDATION_ERROR")
    assert query.partition("=")[0] in answer.json()["error"]["message"]


@pytest.mark.parametrize("query", ["limit=1", "limit=100", "limit=&status=&cursor=", "unknown=1", "status=canceled"])
async def test_queries_that_fit(api: Any, query: str) -> None:
    assert (await (await api.user("abc")).get(f"/jobs?{query}")).status_code == 200
