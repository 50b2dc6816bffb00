"""Jobs: made within limits, seen by their owner, listed page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ._contract import Album, Newcomer, assert_utc, at_once, credits_and_jobs, data_of, refusal, statuses
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e


def create(client: httpx.Client, item_count: Any, preset: Any = "interior") -> httpx.Response:
    return client.post("/jobs", json={"preset": preset, "item_count": item_count})


def test_the_pro_plan(pro: httpx.Client) -> None:
    me = data_of(pro.get("/me"))
    assert (me["plan"], me["max_rule_slots"], me["max_concurrent_jobs"]) == ("pro", 20, 3)
    assert me["credits"] >= 10


@pytest.mark.parametrize("count", [0, -1, 201, 10**30, "3", 3.5, True, None, [], {}], ids=repr)
def test_item_count_must_fit_before_any_limit_counts(user: httpx.Client, count: Any) -> None:
    data_of(create(user, 1), 201)  # the one job of the free plan: whatever follows is over a limit too
    assert "item_count" in refusal(create(user, count), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("preset", ["nope", "", "Interior", None, 1, ["interior"]])
def test_preset_must_fit(user: httpx.Client, preset: Any) -> None:
    assert "preset" in refusal(create(user, 1, preset), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", [{}, {"preset": "interior"}, {"item_count": 1}])
def test_both_fields_are_needed(user: httpx.Client, body: Any) -> None:
    message = refusal(user.post("/jobs", json=body), 400, "VALIDATION_ERROR")
    assert any(field in message for field in {"preset", "item_count"} - set(body))


def test_limits_of_the_free_plan_in_their_order(user: httpx.Client, external: SystemUnderTest) -> None:
    for count in (11, 200):
        refusal(create(user, count), 403, "ITEM_LIMIT")
    assert credits_and_jobs(user) == (10, 0)
    album = Album.executed(user, 5)
    assert credits_and_jobs(user) == (5, 1)
    for count in (1, 6, 11, 200):
        refusal(create(user, count), 429, "CONCURRENCY_LIMIT")
    for idx in range(5):
        data_of(album.report(external.callback_secret, idx))
    assert credits_and_jobs(user) == (5, 0)
    refusal(create(user, 11), 403, "ITEM_LIMIT")
    refusal(create(user, 6), 402, "CREDITS_EXHAUSTED")
    data_of(create(user, 5), 201)
    assert credits_and_jobs(user) == (0, 1)


def test_twenty_creates_at_once_make_three_jobs_on_pro(pro: httpx.Client) -> None:
    before = credits_and_jobs(pro)[0]
    answers = at_once(20, lambda _: create(pro, 2))
    assert statuses(answers) == [201] * 3 + [429] * 17
    assert credits_and_jobs(pro) == (before - 6, 3)
    for answer in answers:
        if answer.is_success:
            data_of(pro.post(f"/jobs/{answer.json()['data']['job_id']}/cancel"))
    assert credits_and_jobs(pro) == (before, 0)


def test_two_hundred_photos_are_within_the_pro_plan(pro: httpx.Client, external: SystemUnderTest) -> None:
    """Every step within the ten seconds after which the client in the field gives up."""
    pro.timeout = httpx.Timeout(10)
    if credits_and_jobs(pro)[0] < 200:
        external.cli("user", "grant", data_of(pro.get("/me"))["user_id"], "200")
    before = credits_and_jobs(pro)[0]
    album = Album.create(pro, 200)
    assert [place["idx"] for place in album.urls] == list(range(200))
    album.upload()
    data_of(album.confirm())
    data_of(album.execute(), 202)
    assert [item["idx"] for item in album.view()["items"]] == list(range(200))
    data_of(album.report(external.callback_secret, 199))
    data_of(album.cancel())
    assert credits_and_jobs(pro) == (before - 1, 0)


def test_limits_of_the_pro_plan_in_their_order(pro: httpx.Client) -> None:
    credits, _ = credits_and_jobs(pro)
    albums = [Album.create(pro, 1) for _ in range(3)]
    for count in (1, 200):
        refusal(create(pro, count), 429, "CONCURRENCY_LIMIT")
    refusal(create(pro, 201), 400, "VALIDATION_ERROR")
    data_of(albums.pop().cancel())
    if credits < 200:
        refusal(create(pro, 200), 402, "CREDITS_EXHAUSTED")
    else:
        albums.append(Album.create(pro, credits - 2))
        refusal(create(pro, 1), 429, "CONCURRENCY_LIMIT")
    for album in albums:
        data_of(album.cancel())
    assert credits_and_jobs(pro) == (credits, 0)


def test_ten_photos_are_within_the_free_plan(user: httpx.Client) -> None:
    made = data_of(create(user, 10), 201)
    assert isinstance(made["job_id"], str)
    user_id = data_of(user.get("/me"))["user_id"]
    assert [place["idx"] for place in made["presigned_urls"]] == list(range(10))
    for place in made["presigned_urls"]:
        assert place["key"] == f"inputs/{user_id}/{made['job_id']}/{place['idx']}.jpg"
        assert httpx.URL(place["url"]).is_absolute_url
    assert httpx.URL(made["confirm_url"]).path == f"/jobs/{made['job_id']}/confirm-upload"
    refusal(user.post(made["confirm_url"]), 409, "UPLOAD_INCOMPLETE")


def test_a_job_as_its_owner_sees_it_before_the_upload(user: httpx.Client) -> None:
    album = Album.create(user, 2, "seller")
    job = album.view()
    assert (job["job_id"], job["user_id"], job["status"], job["preset"]) == (
        album.id,
        album.user_id,
        "created",
        "seller",
    )
    assert (job["total_items"], job["done_items"], job["failed_items"]) == (2, 0, 0)
    assert job["progress"] == {"done": 0, "failed": 0, "total": 2}
    assert job["download_urls"] == []
    assert [(item["idx"], item["status"], item["warnings"], item["masks"]) for item in job["items"]] == [
        (idx, "pending", [], {}) for idx in range(2)
    ]
    assert [(place["idx"], place["key"]) for place in job["presigned_urls"]] == [
        (p["idx"], p["key"]) for p in album.urls
    ]
    fresh = Album(user, album.id, job["presigned_urls"])
    fresh.upload()
    data_of(album.confirm())
    assert not album.view().get("presigned_urls")


def pages(owner: httpx.Client, **query: Any) -> Iterator[list[dict[str, Any]]]:
    while True:
        answer = owner.get("/jobs", params=query)
        yield data_of(answer)
        query["cursor"] = answer.json()["meta"]["next_cursor"]
        if query["cursor"] is None:
            return


def test_jobs_page_by_page_while_new_ones_appear(user: httpx.Client) -> None:
    assert list(pages(user)) == [[]]
    made = []
    for _ in range(7):
        album = Album.create(user)
        made.append(album.id)
        data_of(album.cancel())
    seen = []
    for page in pages(user, limit=3):
        assert len(page) <= 3
        seen += [job["job_id"] for job in page]
        data_of(Album.create(user).cancel())
    assert seen == made[::-1]
    assert len(next(pages(user, limit=50))) == 10
    first = next(pages(user))[0]
    assert first.items() >= {"status": "canceled", "preset": "interior"}.items()
    assert set(first["progress"]) >= {"done", "failed", "total"}
    assert_utc(first["created_at"])


def test_a_cursor_leads_nobody_to_the_jobs_of_others(user: httpx.Client, newcomer: Newcomer) -> None:
    stranger = newcomer()
    for owner in (user, stranger, user, stranger):
        data_of(Album.create(owner).cancel())
    cursor = stranger.get("/jobs", params={"limit": 1}).json()["meta"]["next_cursor"]
    answer = user.get("/jobs", params={"cursor": cursor})
    if answer.status_code == 200:
        theirs = {job["job_id"] for job in data_of(stranger.get("/jobs"))}
        assert not theirs & {job["job_id"] for job in data_of(answer)}
    else:
        refusal(answer, 400, "VALIDATION_ERROR")


def test_jobs_by_status(user: httpx.Client) -> None:
    for _ in range(3):
        data_of(Album.create(user).cancel())
    album = Album.create(user)
    assert [job["job_id"] for page in pages(user, status="created", limit=1) for job in page] == [album.id]
    canceled = [job for page in pages(user, status="canceled", limit=2) for job in page]
    assert len(canceled) == 3
    assert {job["status"] for job in canceled} == {"canceled"}
    for status in ("uploaded", "queued", "running", "done", "failed"):
        assert list(pages(user, status=status)) == [[]]


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": limit} for limit in (0, -1, "ten", 1.5, 10**30)),
        *({"status": status} for status in ("nope", "Created")),
        *({"cursor": cursor} for cursor in ("rubbish", "é", "AAAA", "9" * 60, "-1")),
    ],
    ids=str,
)
def test_a_list_query_that_does_not_fit(user: httpx.Client, query: Any) -> None:
    assert next(iter(query)) in refusal(user.get("/jobs", params=query), 400, "VALIDATION_ERROR")
