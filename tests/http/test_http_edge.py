"""What holds for every route: envelope, request ids, CORS, slashes, methods, hostile bodies, faults."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from s3palette.domain.errors import Overloaded

BIG = 1 << 20


def error_of(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"success", "data", "error", "meta"}
    assert body["success"] is False
    assert body["data"] is None
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


async def test_the_envelope(api: Any) -> None:
    answer = await api.client.get("/health")
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"success", "data", "error", "meta"}
    assert (body["success"], body["error"], body["data"]["status"]) == (True, None, "healthy")
    assert set(body["meta"]) == {"request_id", "timestamp"}
    assert datetime.fromisoformat(body["meta"]["timestamp"]) == api.clock()
    assert answer.headers["x-request-id"] == body["meta"]["request_id"]


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2:3_x", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("é", False)]
)
async def test_a_sane_request_id_is_kept(api: Any, given: str, kept: bool) -> None:
    answer = await api.client.get("/nowhere", headers={"X-Request-Id": given.encode("latin-1")})
    told = answer.json()["meta"]["request_id"]
    assert (told == given) is kept
    assert kept or re.fullmatch(r"[0-9a-f]{32}", told)


@pytest.mark.parametrize(
    "path",
    ["/", "/nowhere", "/me/x", "/ME", "/jobs/j_1/nothing", "/storage", "/me%0A", "/jobs%2Fj_1%2Fx", "/rules/a/b"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_route_is_not_found_with_or_without_a_token(api: Any, path: str, method: str) -> None:
    user = await api.user("abc")
    for client in (api.client, user):
        assert error_of(await client.request(method, path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/me", "GET, HEAD, OPTIONS"),
        ("PATCH", "/rules/r_1", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("PUT", "/jobs", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/jobs/j_1/cancel", "OPTIONS, POST"),
        ("DELETE", "/health", "GET, HEAD, OPTIONS"),
        ("POST", "/storage/a/b", "GET, HEAD, OPTIONS, PUT"),
        ("POST", "/openapi.json", "GET, HEAD, OPTIONS"),
        ("BREW", "/me/", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_method_a_route_does_not_know(api: Any, method: str, path: str, allow: str) -> None:
    answer = await api.client.request(method, path)
    assert error_of(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json", "/docs"])
async def test_open_routes_need_no_token_and_answer_head(api: Any, path: str) -> None:
    got, head = await api.client.get(path), await api.client.head(path)
    assert (got.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("path", ["/me", "/jobs", "/rules", "/presets", "/presets/interior", "/materials"])
async def test_a_trailing_slash_is_the_same_route(api: Any, path: str) -> None:
    user = await api.user("abc")
    plain, slashed = await user.get(path), await user.get(f"{path}/")
    assert plain.status_code == slashed.status_code == 200
    assert plain.json()["data"] == slashed.json()["data"]
    assert (await user.head(f"{path}/")).content == b""


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("https://app.example", True),
        ("https://localhost:3000", False),
        ("http://localhost.evil.example", False),
        ("http://localhost:3000.evil.example", False),
        ("http://127.0.0.10", False),
        ("https://app.example.evil", False),
        ("null", False),
        ("", False),
    ],
)
async def test_which_origins_are_allowed(make_api: Any, origin: str, allowed: bool) -> None:
    api = make_api(cors_origins=("https://app.example",))
    headers = {"Origin": origin}
    asked = headers | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    preflight = await api.client.options("/rules/r_1", headers=asked)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert ("access-control-allow-methods" in preflight.headers) is allowed
    answers = [
        preflight,
        await api.client.get("/health", headers=headers),
        await api.client.get("/me", headers=headers),
        await api.client.get("/nowhere", headers=headers),
        await api.client.post("/health", headers=headers),
        await api.client.post("/auth/anon", content=b"{", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 401, 404, 405, 400]
    for answer in answers:
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    if allowed:
        assert {"PUT", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
        assert {"Authorization", "Content-Type"} <= set(preflight.headers["access-control-allow-headers"].split(", "))


async def test_any_origin_may_be_allowed(make_api: Any) -> None:
    api = make_api(cors_origins=("*",))
    answer = await api.client.get("/health", headers={"Origin": "https://anywhere.example"})
    assert answer.headers["access-control-allow-origin"] == "https://anywhere.example"


async def test_options_that_are_no_preflight(api: Any) -> None:
    answer = await api.client.options("/jobs/")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert error_of(await api.client.options("/nowhere")) == (404, "NOT_FOUND")


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "white space": b"  ",
    "cut short": b'{"name": "a"',
    "a trailing comma": b'{"name": "a",}',
    "single quotes": b"{'name': 'a'}",
    "two values": b"{} {}",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a lone surrogate": b'{"name": "\\ud800"}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "nested without end": b"[" * 100_000,
    "nested objects without end": b'{"a":' * 100_000,
    "a number without end": b'{"name": ' + b"9" * 10_000 + b"}",
    "a control character": b'{"name": "\x00"}',
    "an array": b"[]",
    "a string": b'"name"',
    "a number": b"1",
    "null": b"null",
    "form data": b"name=a",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/rules"), ("PUT", "/rules/r_1"), ("POST", "/jobs"), ("POST", "/jobs/j_1/execute")]
)
async def test_bodies_that_do_not_fit(api: Any, method: str, path: str, name: str) -> None:
    user = await api.user("abc")
    headers = {"Content-Type": "application/json"}
    assert error_of(await user.request(method, path, content=HOSTILE[name], headers=headers)) == (
        400,
        "VALIDATION_ERROR",
    )


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", "JOB_CREATED"),
        ("application/json; charset=utf-8", "JOB_CREATED"),
        ("Application/JSON", "JOB_CREATED"),
        ("application/vnd.api+json", "JOB_CREATED"),
        (None, "JOB_CREATED"),
        ("text/plain", "UNSUPPORTED_MEDIA"),
        ("application/x-www-form-urlencoded", "UNSUPPORTED_MEDIA"),
        ("multipart/form-data; boundary=x", "UNSUPPORTED_MEDIA"),
        ("application/jsonp", "UNSUPPORTED_MEDIA"),
    ],
)
async def test_content_types(api: Any, content_type: str | None, code: str) -> None:
    user = await api.user("abc")
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await user.post("/jobs", content=b'{"preset": "interior", "item_count": 1}', headers=headers)
    if code == "JOB_CREATED":
        assert answer.status_code == 201
    else:
        assert error_of(answer) == (415, code)


async def test_an_absent_body_may_carry_any_content_type(api: Any) -> None:
    user = await api.user("abc")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await api.client.post("/auth/anon", headers=form)).status_code == 200
    job_id = await api.job(user)
    assert (await user.post(f"/jobs/{job_id}/cancel", headers=form)).status_code == 200


async def chunks(count: int, size: int) -> Any:
    for _ in range(count):
        yield b" " * size


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_json_body_over_a_mebibyte_is_too_large(api: Any, chunked: bool) -> None:
    user = await api.user("abc")
    body = b'{"preset": "interior", "item_count": 1}'
    fits = body + b" " * (BIG - len(body))
    assert (await user.post("/jobs", content=fits)).status_code == 201
    content = chunks(17, BIG // 16) if chunked else fits + b" "
    assert error_of(await user.post("/jobs", content=content)) == (413, "TOO_LARGE")


async def test_unknown_and_repeated_fields_are_let_through(api: Any) -> None:
    user = await api.user("abc")
    body = b'{"item_count": 5, "item_count": 1, "preset": "interior", "new_field": {"a": [1]}}'
    answer = await user.post("/jobs", content=body)
    assert answer.status_code == 201
    assert len(answer.json()["data"]["presigned_urls"]) == 1


class Broken:
    """A brain that fails in the way it is told to."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def ask(self, *_: Any, **__: Any) -> Any:
        raise self._error


async def broken(api: Any, make_api: Any, error: Exception) -> Any:
    user = await api.user("abc")
    other = make_api({"brain": Broken(error), "reads": api.events})
    return await other.client.get(
        "/me", headers={"Authorization": user.headers["authorization"], "Origin": "http://localhost"}
    )


async def test_a_fault_of_ours_gives_nothing_away(api: Any, make_api: Any) -> None:
    answer = await broken(api, make_api, RuntimeError("password in /etc/secret"))
    assert error_of(answer) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "http://localhost"


@pytest.mark.parametrize(
    ("error", "wait"), [(Overloaded("busy"), "1"), (Overloaded("busy", retry_after=7), "7"), (TimeoutError(), "1")]
)
async def test_an_overload_says_when_to_come_back(api: Any, make_api: Any, error: Exception, wait: str) -> None:
    answer = await broken(api, make_api, error)
    assert error_of(answer) == (503, "OVERLOADED")
    assert answer.headers["retry-after"] == wait


async def test_ready_names_what_does_not_answer(api: Any) -> None:
    assert (await api.client.get("/ready")).json()["data"]["checks"] == dict.fromkeys(
        ("hosts", "log", "store", "engine"), True
    )
    api.checks["engine"] = False
    answer = await api.client.get("/ready")
    body = answer.json()
    assert (answer.status_code, body["success"], body["error"]["code"]) == (503, False, "OVERLOADED")
    assert "engine" in body["error"]["message"]
    assert "log" not in body["error"]["message"]
    assert "retry-after" in answer.headers


async def test_a_client_that_hangs_up_disturbs_nobody(api: Any) -> None:
    user = await api.user("abc")
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/jobs",
        "query_string": b"",
        "headers": [(b"authorization", user.headers["authorization"].encode())],
        "server": ("api.test", 80),
    }
    await api.app(scope, receive, send)
    assert sent == []
    assert (await user.get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("host", "public_url", "start"),
    [
        ("api.test:8080", None, "http://api.test:8080/jobs/"),
        ("[::1]:8000", None, "http://[::1]:8000/jobs/"),
        ("api.test", "https://palette.example/v1", "https://palette.example/v1/jobs/"),
        ('evil"><script>', None, "http://api.test/jobs/"),
        ("evil.example/path", None, "http://api.test/jobs/"),
    ],
)
async def test_where_addresses_point_to(make_api: Any, host: str, public_url: str | None, start: str) -> None:
    api = make_api(public_url=public_url)
    user = await api.user("abc")
    body = {"preset": "interior", "item_count": 1}
    data = (await user.post("/jobs", json=body, headers={"Host": host})).json()["data"]
    assert data["confirm_url"] == f"{start}{data['job_id']}/confirm-upload"
    assert data["presigned_urls"][0]["url"].startswith(start.replace("/jobs/", "/storage/inputs/"))
