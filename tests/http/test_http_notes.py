"""What the edge tells of its requests: a log line with the request's id, and a figure for the metrics."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from s3palette.http.edge import Edge
from s3palette.logs import JsonFormatter


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The edge's lines as JSON, all levels."""
    monkeypatch.setattr(caplog.handler, "formatter", JsonFormatter("edge-0"))
    caplog.set_level(logging.DEBUG, "s3palette.http")
    return caplog


def told(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.text.splitlines()]


async def test_a_change_is_told_with_request_user_and_job(api: Any, log: pytest.LogCaptureFixture) -> None:
    user = await api.user()
    job_id = await api.job(user)
    log.clear()
    answer = await user.post(f"/jobs/{job_id}/cancel")
    (line,) = told(log)
    assert line["message"].startswith(f"POST /jobs/{job_id}/cancel 200 in ")
    assert (line["level"], line["user"], line["job"]) == ("info", user.user_id, job_id)
    assert line["request_id"] == answer.json()["meta"]["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "level"),
    [("GET", "/me", "debug"), ("GET", "/nothing", "debug"), ("POST", "/nothing", "info"), ("OPTIONS", "/me", "debug")],
)
async def test_reads_are_told_at_debug(
    api: Any, log: pytest.LogCaptureFixture, method: str, path: str, level: str
) -> None:
    await api.client.request(method, path)
    assert [line["level"] for line in told(log)] == [level]


async def test_a_fault_of_ours_is_told_with_its_traceback(
    api: Any, make_api: Any, log: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def ask(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("password in /etc/secret")

    user = await api.user()
    other = make_api({"brain": Broken(), "reads": api.events})
    log.clear()
    answer = await other.client.get("/me", headers={"Authorization": user.headers["authorization"]})
    fault, request = told(log)
    assert "RuntimeError: password in /etc/secret" in fault["exception"]
    assert (fault["level"], request["level"]) == ("error", "warning")
    assert fault["request_id"] == request["request_id"] == answer.json()["meta"]["request_id"]


async def test_no_line_has_a_token_a_secret_or_a_signature(api: Any, log: pytest.LogCaptureFixture) -> None:
    user = await api.user("a-device-hash")
    job_id = await api.job(user, "done", 1)
    job = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]
    await user.get(job["download_urls"][0]["output_url"])
    assert len(told(log)) >= 7
    settings = api.settings
    secrets = [settings.jwt_secret, settings.callback_secret, settings.storage_secret, settings.device_key]
    for secret in (*(each.get_secret_value() for each in secrets), "a-device-hash", "sig=", "eyJ", "earer"):
        assert secret not in log.text


async def test_every_request_is_a_figure_of_its_route(make_api: Any) -> None:
    seen: list[tuple[str, str, int]] = []

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        assert 0 <= seconds < 60
        seen.append((method, route, status))

    api = make_api({"observe": observe})
    user = await api.user()
    job_id = await api.job(user)
    await user.get(f"/jobs/{job_id}/")
    await user.get("/jobs/j_unknown")
    await user.put("/me")
    await user.head("/health")
    await user.request("BREW", "/pot")
    assert seen == [
        ("POST", "/auth/anon", 200),
        ("POST", "/jobs", 201),
        ("GET", "/jobs/{job_id}", 200),
        ("GET", "/jobs/{job_id}", 404),
        ("PUT", "other", 405),
        ("HEAD", "/health", 200),
        ("OTHER", "other", 404),
    ]


async def test_whoever_hangs_up_is_counted_as_499(make_api: Any) -> None:
    seen: list[tuple[str, str, int]] = []
    api = make_api({"observe": lambda *figures: seen.append(figures[:3])})
    target = (await (user := await api.user()).post("/jobs", json={"preset": "interior", "item_count": 1})).json()
    url = target["data"]["presigned_urls"][0]["url"]
    path, _, query = url.removeprefix("http://api.test").partition("?")
    scope = {
        "type": "http",
        "method": "PUT",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "http_version": "1.1",
    }

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def nobody(message: Any) -> None:
        raise AssertionError(f"there is nobody to send {message} to")

    edge = api.app.build_middleware_stack()
    assert isinstance(edge, Edge)
    await edge(scope, gone, nobody)
    assert seen[-1] == ("PUT", "/storage/{key:path}", 499)
    assert user.user_id in path
