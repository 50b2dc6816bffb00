"""Many at once, and the moment after: limits hold, money adds up, the slot is free when one hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

import httpx
import pytest

from ._contract import Album, at_once, credits_and_jobs, data_of, refusal, statuses
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

ROUNDS = 30
CROWD = 20


def both(first: Callable[[], httpx.Response], second: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Two different calls at the same moment."""
    return at_once(2, lambda number: (first, second)[number]())


def test_twenty_creates_at_once_make_one_job(user: httpx.Client) -> None:
    answers = at_once(CROWD, lambda _: user.post("/jobs", json={"preset": "interior", "item_count": 1}))
    assert statuses(answers) == [201] + [429] * (CROWD - 1)
    assert credits_and_jobs(user) == (9, 1)
    assert len(data_of(user.get("/jobs"))) == 1


def test_twenty_confirms_at_once(user: httpx.Client) -> None:
    album = Album.create(user)
    album.upload()
    answers = at_once(CROWD, lambda _: album.confirm())
    assert statuses(answers) == [200] + [409] * (CROWD - 1)
    assert album.view()["status"] == "uploaded"


def test_twenty_executes_at_once(user: httpx.Client) -> None:
    album = Album.create(user)
    album.upload()
    data_of(album.confirm())
    assert statuses(at_once(CROWD, lambda _: album.execute())) == [202] + [409] * (CROWD - 1)


def test_twenty_cancels_at_once(user: httpx.Client) -> None:
    album = Album.executed(user, 3)
    answers = at_once(CROWD, lambda _: album.cancel())
    assert statuses(answers) == [200] + [409] * (CROWD - 1)
    for answer in answers:
        if answer.status_code == 409:
            refusal(answer, 409, "ALREADY_CANCELED")
    assert credits_and_jobs(user) == (10, 0)


@pytest.mark.parametrize("photos", [1, 2])
def test_the_same_result_twenty_times_at_once(user: httpx.Client, external: SystemUnderTest, photos: Any) -> None:
    album = Album.executed(user, photos)
    headers = {"X-Callback-Secret": external.callback_secret}
    body = album.result()
    address = f"/jobs/{album.id}/callback"
    with external.client() as worker:
        answers = at_once(CROWD, lambda _: worker.post(address, json=body, headers=headers))
    assert sum(data_of(answer)["processed"] for answer in answers) == 1
    assert album.view()["progress"] == {"done": 1, "failed": 0, "total": photos}


def test_ten_results_at_once_end_the_job(user: httpx.Client, external: SystemUnderTest) -> None:
    album = Album.executed(user, 10)
    kinds = ["done", "failed"] * 5
    answers = at_once(10, lambda idx: album.report(external.callback_secret, idx, kinds[idx]))
    assert all(data_of(answer)["processed"] for answer in answers)
    assert album.view()["status"] == "done"
    assert credits_and_jobs(user) == (5, 0)


def test_thirty_users_at_once_each_get_their_album(external: SystemUnderTest) -> None:
    def whole(_: int) -> tuple[str, tuple[int, int]]:
        with external.sign_up() as owner:
            album = Album.executed(owner, 3)
            for idx, status in enumerate(("done", "failed", "done")):
                data_of(album.report(external.callback_secret, idx, status))
            return album.view()["status"], credits_and_jobs(owner)

    assert at_once(30, whole) == [("done", (8, 0))] * 30


def test_the_last_result_against_a_cancel(external: SystemUnderTest) -> None:
    """Either the photo was delivered or the job was canceled; the credits say the same as the job."""
    for _ in range(ROUNDS):
        with external.sign_up() as owner:
            album = Album.executed(owner)
            told, canceled = both(partial(album.report, external.callback_secret), album.cancel)
            processed = data_of(told)["processed"]
            status = album.view()["status"]
            if processed:
                refusal(canceled, 409, "INVALID_TRANSITION")
            else:
                data_of(canceled)
            assert status == ("done" if processed else "canceled")
            assert credits_and_jobs(owner) == ((9, 0) if processed else (10, 0))


def test_a_cancel_against_an_execute(external: SystemUnderTest) -> None:
    for _ in range(10):
        with external.sign_up() as owner:
            album = Album.create(owner)
            album.upload()
            data_of(album.confirm())
            executed, canceled = both(album.execute, album.cancel)
            assert executed.status_code in (202, 409)
            data_of(canceled)
            assert album.view()["status"] == "canceled"
            assert credits_and_jobs(owner) == (10, 0)


def test_a_create_right_after_a_cancel(user: httpx.Client) -> None:
    album = Album.create(user, 10)
    for _ in range(ROUNDS):
        data_of(album.cancel())
        album = Album.create(user, 10)


def test_a_create_right_after_the_last_result(user: httpx.Client, external: SystemUnderTest) -> None:
    album = Album.executed(user, 2)
    for _ in range(ROUNDS):
        for idx in range(2):
            data_of(album.report(external.callback_secret, idx, "failed"))
        album = Album.executed(user, 2)
    assert credits_and_jobs(user) == (8, 1)


@pytest.mark.parametrize("by", ["list", "job"])
def test_a_create_right_after_a_poller_saw_the_end(user: httpx.Client, external: SystemUnderTest, by: Any) -> None:
    """Who reads that a job has ended may rely on it, though the worker has not heard its answer yet."""
    album = Album.executed(user)
    for _ in range(10):
        worker = Thread(target=album.report, args=(external.callback_secret, 0, "failed"))
        worker.start()
        until = time.monotonic() + 30
        while (data_of(user.get("/jobs"))[0] if by == "list" else album.view())["status"] != "failed":
            assert time.monotonic() < until
        following = Album.create(user)
        worker.join()
        assert credits_and_jobs(user) == (9, 1)
        following.upload()
        data_of(following.confirm())
        data_of(following.execute(), 202)
        album = following
