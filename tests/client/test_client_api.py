"""The clients' logic, a call at a time: what is sent, what is tried again, what is raised."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from s3palette.client import NewJob, PaletteError, UnknownAnswer, Upload, errors
from s3palette.client._answers import accepted
from s3palette.client._api import Api
from s3palette.client._steps import Fetch, Put, Send

from ._script import JOB, ME, Script, answer, job

LOST = httpx.ReadError("lost")
SIGNED_IN = {"user_id": "u", "token": "new", "plan": "free", "is_new": True}
RULE = {
    "id": "r_1", "user_id": "u", "name": "Oak", "preset_id": "interior", "concepts": {"Wall": 1}, "protect": [],
    "concepts_json": "{}", "protect_json": "[]", "created_at": "t", "updated_at": "t",
}  # fmt: skip
NEW = {"job_id": "j", "presigned_urls": [{"idx": 0, "url": "http://x/0", "key": "k"}], "confirm_url": "c"}


def api(token: str | None = "t") -> Api:
    return Api(token, patience_s=60.0)


def met(token: str | None = "t") -> Api:
    """Of a server that has answered before."""
    one = api(token)
    Script(answer(ME)).play(one.me())
    return one


@pytest.mark.parametrize(
    ("call", "method", "path", "body", "data"),
    [
        (lambda a: a.me(), "GET", "/me", None, ME),
        (lambda a: a.create_job("seller", 3), "POST", "/jobs", {"preset": "seller", "item_count": 3}, NEW),
        (lambda a: a.confirm("j"), "POST", "/jobs/j/confirm-upload", None, {"confirmed": True}),
        (lambda a: a.execute("j", {"Wall": 1}, [], None, None), "POST", "/jobs/j/execute",
         {"concepts": {"Wall": 1}, "protect": []}, {"queued": True}),
        (lambda a: a.execute("j", None, None, "r", "x"), "POST", "/jobs/j/execute",
         {"rule_id": "r", "output_template": "x"}, {"queued": True}),
        (lambda a: a.execute("j", None, None, "r", None, {"0": {"lock": {"Wall": [1]}}}), "POST", "/jobs/j/execute",
         {"rule_id": "r", "photos": {"0": {"lock": {"Wall": [1]}}}}, {"queued": True}),
        (lambda a: a.execute("j", None, None, "r", None, None, {"Wall": 1}), "POST", "/jobs/j/execute",
         {"rule_id": "r", "references": {"Wall": 1}}, {"queued": True}),
        (lambda a: a.rules(), "GET", "/rules", None, {"rules": [RULE]}),
        (lambda a: a.rule("r/1"), "GET", "/rules/r%2F1", None, {"rule": RULE}),
        (lambda a: a.create_rule("Oak", "interior", {"Wall": 1}, None), "POST", "/rules",
         {"name": "Oak", "preset_id": "interior", "concepts": {"Wall": 1}}, {"rule": RULE}),
        (lambda a: a.update_rule("r_1", "Ash", None, []), "PUT", "/rules/r_1",
         {"name": "Ash", "protect": []}, {"rule": RULE}),
        (lambda a: a.delete_rule("r_1"), "DELETE", "/rules/r_1", None, {"id": "r_1", "deleted": True}),
        (lambda a: a.job("../j"), "GET", "/jobs/..%2Fj", None, {"job": JOB}),
        (lambda a: a.cancel("j"), "POST", "/jobs/j/cancel", None, {"canceled": True}),
    ],
)  # fmt: skip
def test_each_call_sends_its_request_with_the_token(
    call: Callable[[Api], Any], method: str, path: str, body: Any, data: Any
) -> None:
    script = Script(answer(data))
    script.play(call(api()))
    (step,) = script.steps
    assert (step.method, step.path, step.body) == (method, path, body)
    assert step.headers["Authorization"] == "Bearer t"
    assert ("Idempotency-Key" in step.headers) == (method != "GET")


@pytest.mark.parametrize(
    "call",
    [
        lambda a: a.rule(""), lambda a: a.update_rule("", "Ash", None, None), lambda a: a.delete_rule(""),
        lambda a: a.job(""), lambda a: a.confirm(""), lambda a: a.execute("", None, None, "r", None),
        lambda a: a.cancel(""), lambda a: a.preset(""),
    ],
)  # fmt: skip
def test_an_empty_id_is_no_way_to_the_list_of_all(call: Callable[[Api], Any]) -> None:
    script = Script()
    with pytest.raises(ValueError, match=r"^the id of one of the (rules|jobs|presets) is empty$"):
        script.play(call(api()))
    assert not script.steps


def test_a_job_is_read_whole() -> None:
    read = Script(job()).play(api().job("j_1"))
    assert (read.status, read.total_items, read.done_items, read.ended) == ("running", 2, 1, False)
    assert (read.items[0].masks, read.items[0].warnings) == ({"Wall": "http://x/m"}, ("w",))
    assert (read.items[1].error, read.items[1].masks, read.items[1].instances_url) == (None, {}, None)
    assert read.downloads[0].output_url == "http://x/o"


@pytest.mark.parametrize("name", ["../../x", "/x", "a/b", "a\\b", "..", ".x", "", "x\n", "-x", "x" * 65])
def test_a_server_names_no_path(name: str) -> None:
    item = {"idx": 0, "status": "done", "masks": {name: "http://x/m", "Wall": "http://x/w"}}
    assert Script(job(items=[item])).play(api().job("j_1")).items[0].masks == {"Wall": "http://x/w"}


@pytest.mark.parametrize("device", ["d", None])
def test_a_sign_up_that_is_repeated_is_one_user(device: str | None) -> None:
    one = api(token=None)
    script = Script(LOST, answer(SIGNED_IN))
    assert script.play(one.sign_up(device)).is_new
    first, second = script.steps
    assert first == second
    assert first.body["device_hash"] == device or (device is None and len(first.body["device_hash"]) == 32)
    assert one.token == "new"


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "PaletteError"])
def test_every_code_has_its_class(name: str) -> None:
    expected = getattr(errors, name)
    with pytest.raises(expected, match=f"about {expected.code}") as refused:
        accepted(answer(status=expected.status, code=expected.code, retry_after="7"))
    assert type(refused.value) is expected
    assert refused.value.retry_after == 7


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(status=418, code="TEAPOT"), "TEAPOT"),
        (answer(status=501, text="<html>"), "NOT_OURS"),
        (answer(status=403, text="<Error><Code>AccessDenied</Code></Error>"), "NOT_OURS"),
        (answer(status=500, text='{"error": null}'), "NOT_OURS"),
        (answer(text="hello"), "NOT_OURS"),
        (answer(text="[1]"), "NOT_OURS"),
    ],
)
def test_what_is_not_known_keeps_code_and_status(given: Any, code: str) -> None:
    with pytest.raises(UnknownAnswer) as refused:
        Script(*[given] * 3).play(api().create_job("interior", 1))
    assert (refused.value.code, refused.value.status) == (code, given.status)
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.code, again.status, again.message) == (code, given.status, refused.value.message)


@pytest.mark.parametrize("call", [lambda a: a.me(), lambda a: a.create_job("interior", 1), lambda a: a.cancel("j")])
def test_what_passes_is_tried_again_and_a_post_with_its_first_key(call: Callable[[Api], Any]) -> None:
    busy = answer(status=503, code="OVERLOADED", retry_after="2")
    script = Script(LOST, busy, answer(status=404, text="no route"), httpx.ConnectError("no"), answer(ME | NEW))
    script.play(call(met()))
    assert [step == script.steps[0] for step in script.steps] == [True] * 5
    bounds = [(0.1, 0.2), (2.0, 2.4), (0.4, 0.8), (0.8, 1.6)]
    assert all(low <= pause <= high for pause, (low, high) in zip(script.slept, bounds, strict=True))


def test_pauses_differ_between_clients() -> None:
    scripts = [Script(LOST, answer(ME)) for _ in range(4)]
    for script in scripts:
        script.play(met().me())
    assert len({script.slept[0] for script in scripts}) > 1


@pytest.mark.parametrize(
    ("one", "failure", "attempts"),
    [
        (api, httpx.ConnectError("refused"), 3),  # never met: more likely a wrong address
        (api, answer(status=404, text="another server"), 3),
        (met, answer(status=500, code="INTERNAL_ERROR"), 3),
        (met, httpx.UnsupportedProtocol("ftp"), 1),
        (met, answer(status=402, code="CREDITS_EXHAUSTED"), 1),
        (met, answer(status=429, code="RATE_LIMITED", retry_after="3"), 1),
        (met, answer(status=503, code="OVERLOADED", retry_after="600"), 1),
    ],
)
def test_what_does_not_pass_is_raised(one: Callable[[], Api], failure: Any, attempts: int) -> None:
    script = Script(*[failure] * attempts)
    with pytest.raises((PaletteError, httpx.TransportError)):
        script.play(one().me())
    assert len(script.steps) == attempts


def test_a_proxy_in_front_of_a_server_that_comes_back_is_waited_for() -> None:
    gone = answer(status=502, text="<html>")
    script = Script(*[gone] * 6, answer(ME))
    assert script.play(api().me()).credits == 9


def test_patience_ends() -> None:
    script = Script(*[httpx.ConnectError("refused")] * 100)
    with pytest.raises(httpx.ConnectError):
        script.play(met().me())
    assert 50 < sum(script.slept) <= 60


def test_a_stale_token_is_renewed_where_the_device_is_known() -> None:
    one = api(token=None)
    Script(answer(SIGNED_IN | {"token": "old"})).play(one.sign_up("d"))
    script = Script(answer(status=401, code="TOKEN_EXPIRED"), answer(SIGNED_IN), answer(NEW))
    script.play(one.create_job("interior", 1))
    first, again, second = script.steps
    assert again.body == {"device_hash": "d"}
    assert [step.headers["Authorization"] for step in (first, second)] == ["Bearer old", "Bearer new"]
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_stale_token_that_was_given_is_the_callers_to_renew() -> None:
    with pytest.raises(errors.TokenExpired):
        Script(answer(status=401, code="TOKEN_EXPIRED")).play(api().me())


@pytest.mark.parametrize(
    "expired", [answer(status=403, code="FORBIDDEN"), answer(status=403, text="<Error>Request has expired</Error>")]
)
def test_an_expired_address_is_asked_for_anew(expired: Any) -> None:
    fresh = job(status="created", presigned_urls=[{"idx": 0, "url": "http://x/fresh", "key": "k"}])
    script = Script(expired, fresh, answer())
    uploaded: list[int] = []
    new = NewJob("j", (Upload(0, "http://x/old", "k"),))
    script.play(met().upload(new, ["room.jpg"], 4, uploaded.append))
    assert [type(step) for step in script.steps] == [Put, Send, Put]
    assert script.steps[2] == Put("http://x/fresh", Path("room.jpg"))
    assert uploaded == [0]


def test_a_refused_upload_of_a_job_without_addresses_is_refused() -> None:
    script = Script(answer(status=403, code="FORBIDDEN"), job())
    with pytest.raises(errors.Forbidden):
        script.play(met().upload(NewJob("j", (Upload(0, "http://x/old", "k"),)), [b"x"], 4, lambda idx: None))


def test_as_many_photos_as_addresses() -> None:
    with pytest.raises(ValueError, match="1 addresses"):
        Script().play(api().upload(NewJob("j", (Upload(0, "http://x", "k"),)), [b"x", b"y"], 4, lambda idx: None))


def test_waiting_shows_every_look_and_stops_at_the_end() -> None:
    states = ["queued", "running", "done"]
    script, seen = Script(*(job(status=status) for status in states)), []
    ended = script.play(api().wait("j", lambda look: seen.append(look.status), None))
    assert (ended.status, seen) == ("done", states)
    assert script.slept == [pytest.approx(0.1), pytest.approx(0.15)]


def test_waiting_gives_up() -> None:
    with pytest.raises(TimeoutError, match="still running"):
        Script(job()).play(api().wait("j", lambda look: None, 0))


def test_a_download_goes_where_it_was_asked_to(tmp_path: Path) -> None:
    script = Script(answer(text="", status=503), answer(text=""))
    assert script.play(met().download("http://x/o", tmp_path / "o.png")) == tmp_path / "o.png"
    assert script.steps == [Fetch("http://x/o", tmp_path / "o.png")] * 2
