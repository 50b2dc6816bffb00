"""Results of workers outside, and the money that follows them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ._contract import Album, credits_and_jobs, data_of, refusal, unsigned
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e


def tell(album: Album, headers: dict[str, Any], **request: Any) -> Any:
    return unsigned(album.owner, "POST", f"/jobs/{album.id}/callback", headers=headers, **request)


@pytest.mark.parametrize(
    "shape", [("Authorization", "Bearer {}"), ("authorization", "bearer {}"), ("X-Callback-Secret", "{}")]
)
def test_the_secret_goes_in_either_header(user: httpx.Client, external: SystemUnderTest, shape: Any) -> None:
    album = Album.executed(user)
    header = {shape[0]: shape[1].format(external.callback_secret)}
    made = user.build_request("POST", f"/jobs/{album.id}/callback", json=album.result())
    del made.headers["Authorization"]
    made.headers.update(header)
    assert data_of(user.send(made)) == {"processed": True}


def test_without_the_secret_nothing_is_told(user: httpx.Client, external: SystemUnderTest) -> None:
    album = Album.executed(user)
    wrong = [
        {},
        {"X-Callback-Secret": ""},
        {"X-Callback-Secret": "wrong"},
        {"X-Callback-Secret": external.callback_secret[:-1]},
        {"X-Callback-Secret": external.callback_secret + "x"},
        {"X-Callback-Secret": external.callback_secret.upper()},
        {"X-Callback-Secret": "é"},
        {"X-Callback-Secret": external.jwt_secret},
    ]
    bodies: list[dict[str, Any]] = [{"json": album.result()}, {"json": {"idx": 99}}, {"content": b"{"}]
    for headers in wrong:
        encoded = {name: value.encode() for name, value in headers.items()}
        for body in bodies:
            refusal(tell(album, encoded, **body), 403, "CALLBACK_UNAUTHORIZED")
    owner = {"Authorization": user.headers["Authorization"]}
    refusal(user.post(f"/jobs/{album.id}/callback", json=album.result(), headers=owner), 403, "CALLBACK_UNAUTHORIZED")
    stranger = Album(user, "j_nobody", album.urls)
    refusal(tell(stranger, {}, json=album.result()), 403, "CALLBACK_UNAUTHORIZED")
    assert album.view()["done_items"] == 0


def test_an_unknown_job(user: httpx.Client, external: SystemUnderTest) -> None:
    nobody = Album(user, "j_nobody", [{"key": "inputs/u_nobody/j_nobody/0.jpg"}])
    refusal(nobody.report(external.callback_secret), 404, "JOB_NOT_FOUND")


def test_what_a_result_may_not_say(user: httpx.Client, external: SystemUnderTest) -> None:
    """One album for the whole table: every row must leave it as it was."""
    album = Album.executed(user, 2)
    user_id, key = album.user_id, album.output_key()
    mine, thumbs = f"outputs/{user_id}/{album.id}", f"previews/{user_id}/{album.id}"
    wrong: dict[str, list[Any]] = {
        "idx": [2, -1, 10**30, "0", 0.5, True, None, []],
        "status": ["Done", "running", "", None, 1, True],
        "idempotency_key": [None, 7, []],
        "error": [7],
        "output_key": [
            *(None, "", 7, [], "x.png", "/" + key, mine, mine + "/", mine + "/.", mine + "/.."),
            f"outputs/{user_id}/other/0_result.png",
            f"outputs/u_other/{album.id}/0_result.png",
            f"inputs/{user_id}/{album.id}/0.jpg",
            f"{mine}x/0_result.png",
            f"{mine}/../other/0_result.png",
            f"{mine}/a/../../other/0_result.png",
            f"{mine}/../{album.id}/0_result.png",
            f"outputs//{user_id}/{album.id}/0_result.png",
            f"./{key}",
            f"{mine}\\..\\..\\secret",
            f"{mine}/0\u0000.png",
            f"https://example.com/{key}",
        ],
        "preview_key": [
            *(7, "x.jpg", f"{thumbs}/../other/0_thumb.jpg"),
            f"previews/{user_id}/other/0_thumb.jpg",
            f"previews/u_other/{album.id}/0_thumb.jpg",
        ],
    }
    for field, values in wrong.items():
        for value in values:
            answer = album.report(external.callback_secret, **{"idx": 0, field: value})
            assert field in refusal(answer, 400, "VALIDATION_ERROR"), value
    for missing in ("idx", "status", "idempotency_key", "output_key"):
        body = album.result()
        del body[missing]
        answer = tell(album, {"X-Callback-Secret": external.callback_secret}, json=body)
        assert missing in refusal(answer, 400, "VALIDATION_ERROR")
    assert album.view()["progress"] == {"done": 0, "failed": 0, "total": 2}


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("done", {"preview_key": None, "error": None}),
        ("done", {"preview_key": "previews/{user}/{job}/0_thumb.jpg"}),
        ("done", {"output_key": "outputs/{user}/{job}/retouched-v2.webp"}),
        ("done", {"idempotency_key": "k" * 128}),
        ("done", {"worker": "a field of the worker's own"}),
        ("failed", {"output_key": None, "preview_key": None}),
        ("failed", {"error": "빛이 부족합니다"}),
        ("failed", {"error": None}),
        ("failed", {"error": "Traceback: " + "frame " * 20_000}),
        ("failed", {"error": "line one\n\tline two\u0000"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_result_may_say(user: httpx.Client, external: SystemUnderTest, status: Any, fields: Any) -> None:
    album = Album.executed(user)
    said = {
        name: value.format(user=album.user_id, job=album.id) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    assert data_of(album.report(external.callback_secret, 0, status, **said)) == {"processed": True}
    item = album.view()["items"][0]
    assert item["status"] == status
    if status == "failed":
        assert item["error"]
        assert not said.get("error") or said["error"].startswith(item["error"]), "a long one may be cut"


def test_a_repeat_is_not_processed_and_changes_nothing(user: httpx.Client, external: SystemUnderTest) -> None:
    album, secret = Album.executed(user, 3), external.callback_secret
    first = album.result(0)
    headers = {"X-Callback-Secret": secret}
    assert [data_of(tell(album, headers, json=first))["processed"] for _ in range(3)] == [True, False, False]
    assert data_of(album.report(secret, 0)) == {"processed": False}, "another key, the same photo"
    assert data_of(album.report(secret, 0, "failed")) == {"processed": False}, "a second opinion"
    assert album.view()["progress"] == {"done": 1, "failed": 0, "total": 3}
    assert data_of(album.report(secret, 2)) == {"processed": True}, "in any order"
    assert data_of(album.report(secret, 1, "failed")) == {"processed": True}
    for idx in range(3):
        assert data_of(album.report(secret, idx)) == {"processed": False}
    assert album.view()["progress"] == {"done": 2, "failed": 1, "total": 3}


@pytest.mark.parametrize(
    ("told", "status", "credits"),
    [(["done"], "done", 9), (["failed"], "failed", 10), (["failed", "done", "failed"], "done", 9),
     (["failed", "failed", "failed"], "failed", 10), (["done", "done", "done"], "done", 7)],
)  # fmt: skip
def test_what_a_job_costs(user: httpx.Client, external: SystemUnderTest, told: Any, status: Any, credits: Any) -> None:
    album = Album.executed(user, len(told))
    for idx, result in enumerate(told):
        assert credits_and_jobs(user) == (10 - len(told), 1)
        data_of(album.report(external.callback_secret, idx, result))
    assert credits_and_jobs(user) == (credits, 0)
    assert album.view()["status"] == status
    refusal(album.cancel(), 409, "INVALID_TRANSITION")
    assert credits_and_jobs(user) == (credits, 0)


@pytest.mark.parametrize(
    ("told", "credits"), [([], 10), (["done"], 9), (["failed"], 10), (["done", "failed", "done"], 8)]
)
def test_a_cancel_refunds_what_was_not_delivered(
    user: httpx.Client, external: SystemUnderTest, told: Any, credits: Any
) -> None:
    album = Album.executed(user, 4)
    for idx, result in enumerate(told):
        data_of(album.report(external.callback_secret, idx, result))
    assert data_of(album.cancel()) == {"canceled": True}
    assert credits_and_jobs(user) == (credits, 0)
    assert data_of(album.report(external.callback_secret, 3)) == {"processed": False}
    assert album.view()["status"] == "canceled"
    assert credits_and_jobs(user) == (credits, 0)


def test_a_key_used_for_two_photos_is_never_counted_twice(user: httpx.Client, external: SystemUnderTest) -> None:
    """Whether it is a repeat or another result is left open; the answer and the job must agree."""
    album = Album.executed(user, 2)
    told = [data_of(album.report(external.callback_secret, idx, idempotency_key="one key")) for idx in range(2)]
    assert told[0] == {"processed": True}
    assert album.view()["done_items"] == sum(each["processed"] for each in told)
