"""Every state of a job against every route that would move it; who may ask at all."""

from __future__ import annotations

import httpx
import pytest

from ._contract import ANY_BYTES, Album, Newcomer, credits_and_jobs, data_of, envelope, refusal
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

STATES = ("created", "uploaded", "queued", "running", "done", "failed", "canceled")
ROUTES = ("confirm-upload", "execute", "cancel")
ALLOWED = {
    ("created", "confirm-upload"): 200,
    ("uploaded", "execute"): 202,
    ("created", "cancel"): 200,
    ("uploaded", "cancel"): 200,
    ("queued", "cancel"): 200,
    ("running", "cancel"): 200,
}


def album_in(state: str, owner: httpx.Client, secret: str) -> Album:
    """An album of two photos in that state."""
    album = Album.create(owner, 2)
    if state == "created":
        album.upload()
    elif state == "uploaded":
        album.upload()
        data_of(album.confirm())
    elif state == "canceled":
        data_of(album.cancel())
    else:
        album = resumed(album)
        told = {"queued": [], "running": ["done"], "done": ["done", "failed"], "failed": ["failed", "failed"]}[state]
        for idx, status in enumerate(told):
            assert data_of(album.report(secret, idx, status)) == {"processed": True}
    seen = album.view()["status"]
    assert seen == state or {seen, state} == {"queued", "running"}
    return album


def resumed(album: Album) -> Album:
    album.upload()
    data_of(album.confirm())
    data_of(album.execute(), 202)
    return album


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_against_every_route(user: httpx.Client, external: SystemUnderTest, state: str, route: str) -> None:
    album = album_in(state, user, external.callback_secret)
    before, money = album.view(), credits_and_jobs(user)
    answer = {"confirm-upload": album.confirm, "execute": album.execute, "cancel": album.cancel}[route]()
    if (state, route) in ALLOWED:
        data_of(answer, ALLOWED[state, route])
        now, (listed,) = album.view(), data_of(user.get("/jobs"))
        assert now["status"] != before["status"]
        assert (listed["status"], listed["progress"]) == (now["status"], now["progress"]), (
            "a client reads its own writes"
        )
        return
    codes = {"INVALID_TRANSITION"}
    if state == "canceled":  # which of the two confirm and execute answer is left open
        codes = {"ALREADY_CANCELED"} if route == "cancel" else {"ALREADY_CANCELED", "INVALID_TRANSITION"}
    message = refusal(answer, 409, *codes)
    assert state in message or before["status"] in message
    assert album.view()["status"] == before["status"]
    assert credits_and_jobs(user) == money


@pytest.mark.parametrize("state", STATES[1:])
def test_the_same_again_is_a_conflict(user: httpx.Client, external: SystemUnderTest, state: str) -> None:
    album = album_in(state, user, external.callback_secret)
    again = {"uploaded": album.confirm, "queued": album.execute, "running": album.execute, "canceled": album.cancel}
    refusal(again.get(state, album.cancel)(), 409, "INVALID_TRANSITION", "ALREADY_CANCELED")


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_body_is_wrong_in_every_state(user: httpx.Client, external: SystemUnderTest, state: str) -> None:
    album = album_in(state, user, external.callback_secret)
    refusal(album.execute(concepts={"Sofa": {"action": "remove"}}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("state", STATES)
def test_a_put_is_taken_only_before_the_confirm(user: httpx.Client, external: SystemUnderTest, state: str) -> None:
    album = album_in(state, user, external.callback_secret)
    answer = album.put(0, ANY_BYTES)
    if state == "created":
        assert answer.is_success
    elif (
        state != "canceled"
    ):  # whether an upload that was never confirmed may still be written after a cancel is left open
        assert 400 <= answer.status_code < 500
        envelope(answer)


@pytest.mark.parametrize("state", STATES)
def test_a_callback_counts_only_while_photos_are_with_the_engine(
    user: httpx.Client, external: SystemUnderTest, state: str
) -> None:
    album = album_in(state, user, external.callback_secret)
    before, money = album.view(), credits_and_jobs(user)
    answer = album.report(external.callback_secret, 1)
    if state in ("queued", "running"):
        assert data_of(answer) == {"processed": True}
        assert album.view()["done_items"] == before["done_items"] + 1
        return
    if state in ("created", "uploaded") and answer.status_code == 409:
        refusal(answer, 409, "INVALID_TRANSITION")
    else:
        assert data_of(answer) == {"processed": False}
    after = album.view()
    assert (after["status"], after["items"]) == (before["status"], before["items"])
    assert credits_and_jobs(user) == money


@pytest.mark.parametrize("state", STATES)
def test_a_job_is_its_owners_alone_in_every_state(
    user: httpx.Client, newcomer: Newcomer, external: SystemUnderTest, state: str
) -> None:
    album = album_in(state, user, external.callback_secret)
    stranger = Album(newcomer(), album.id, album.urls)
    before = album.view()["status"]
    refusal(stranger.owner.get(f"/jobs/{album.id}"), 403, "FORBIDDEN")
    for call in (stranger.confirm, stranger.execute, stranger.cancel):
        refusal(call(), 403, "FORBIDDEN")
    assert data_of(stranger.owner.get("/jobs")) == []
    assert album.view()["status"] == before


def test_a_job_nobody_made_is_not_found(user: httpx.Client) -> None:
    album = Album(user, "j_nobody", [{"idx": 0, "url": "", "key": "inputs/u_nobody/j_nobody/0.jpg"}])
    refusal(user.get("/jobs/j_nobody"), 404, "JOB_NOT_FOUND")
    for call in (album.confirm, album.execute, album.cancel):
        refusal(call(), 404, "JOB_NOT_FOUND")


def test_what_a_finished_job_shows(user: httpx.Client, external: SystemUnderTest) -> None:
    album = album_in("done", user, external.callback_secret)
    job = album.view()
    assert (job["status"], job["done_items"], job["failed_items"]) == ("done", 1, 1)
    assert job["progress"] == {"done": 1, "failed": 1, "total": 2}
    assert [item["status"] for item in job["items"]] == ["done", "failed"]
    assert job["items"][1]["error"] == "the photo is too dark"
    assert [link["idx"] for link in job["download_urls"]] == [0]
    assert httpx.URL(job["download_urls"][0]["output_url"]).is_absolute_url
    assert "preview_url" in job["download_urls"][0]
    listed = data_of(user.get("/jobs"))[0]
    assert (listed["status"], listed["progress"]) == ("done", job["progress"])
