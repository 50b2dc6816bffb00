"""The wire itself: envelope, methods, unknown routes, origins, addresses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ._contract import Album, assert_utc, data_of, envelope, refusal, unsigned

pytestmark = pytest.mark.e2e

MIB = 1 << 20
JSON = {"Content-Type": "application/json"}
LOCAL = ("http://localhost:5173", "http://localhost", "http://127.0.0.1:8080", "http://127.0.0.1")
FOREIGN = (
    "https://example.com",
    "http://localhost.example.com",
    "http://localhost:80.example.com",
    "http://127.0.0.1.example.com:80",
    "http://notlocalhost:3000",
    "null",
)


def test_health_needs_no_token(anyone: httpx.Client) -> None:
    data = data_of(anyone.get("/health"))
    assert data["status"] == "healthy"
    assert_utc(data["timestamp"])


def test_ready_needs_no_token(anyone: httpx.Client) -> None:
    data_of(anyone.get("/ready"))


def test_documents_need_no_token_and_name_every_endpoint(anyone: httpx.Client) -> None:
    assert anyone.get("/docs").status_code == 200
    described = anyone.get("/openapi.json")
    assert described.status_code == 200
    paths = {path: set(methods) for path, methods in described.json()["paths"].items()}
    flat = {
        (method, "/".join("{}" if "{" in part else part for part in path.split("/")))
        for path in paths
        for method in paths[path]
    }
    assert flat >= {
        ("get", "/health"), ("get", "/ready"), ("post", "/auth/anon"), ("get", "/me"), ("get", "/presets"),
        ("get", "/presets/{}"), ("get", "/materials"), ("get", "/rules"), ("post", "/rules"), ("get", "/rules/{}"),
        ("put", "/rules/{}"), ("delete", "/rules/{}"), ("get", "/jobs"), ("post", "/jobs"), ("get", "/jobs/{}"),
        ("post", "/jobs/{}/confirm-upload"), ("post", "/jobs/{}/execute"), ("post", "/jobs/{}/callback"),
        ("post", "/jobs/{}/cancel"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/nope", "/jobs/a/b/c", "/rules/a/b", "/me/x", "/presets/interior/x", "/auth", "/auth/x"]
)
@pytest.mark.parametrize("header", [None, "Bearer rubbish", "own"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_route_is_404_with_or_without_a_token(user: httpx.Client, method: Any, path: Any, header: Any) -> None:
    response = unsigned(user, method, path, headers={"Authorization": header} if header not in (None, "own") else {})
    if header == "own":
        response = user.request(method, path)
    refusal(response, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/health", {"GET"}),
        ("POST", "/me", {"GET"}),
        ("GET", "/auth/anon", {"POST"}),
        ("POST", "/presets", {"GET"}),
        ("PUT", "/presets/interior", {"GET"}),
        ("DELETE", "/materials", {"GET"}),
        ("PUT", "/rules", {"GET", "POST"}),
        ("POST", "/rules/x", {"GET", "PUT", "DELETE"}),
        ("PATCH", "/rules/x", {"GET", "PUT", "DELETE"}),
        ("DELETE", "/jobs", {"GET", "POST"}),
        ("PUT", "/jobs/x", {"GET"}),
        ("GET", "/jobs/x/confirm-upload", {"POST"}),
        ("PUT", "/jobs/x/execute", {"POST"}),
        ("GET", "/jobs/x/callback", {"POST"}),
        ("DELETE", "/jobs/x/cancel", {"POST"}),
    ],
)
def test_wrong_method_is_405_and_names_the_right_ones(user: httpx.Client, method: Any, path: Any, allowed: Any) -> None:
    response = user.request(method, path)
    refusal(response, 405, "METHOD_NOT_ALLOWED")
    named = {name.strip() for name in response.headers["allow"].split(",")}
    assert allowed <= named
    assert method not in named


@pytest.mark.parametrize(
    "path", ["/health/", "/me/", "/presets/", "/presets/interior/", "/materials/", "/rules/", "/jobs/"]
)
def test_a_trailing_slash_is_the_same_route(user: httpx.Client, path: Any) -> None:
    data_of(user.get(path))


def test_a_trailing_slash_is_the_same_route_for_a_post(user: httpx.Client) -> None:
    job = data_of(user.post("/jobs/", json={"preset": "seller", "item_count": 1}), 201)["job_id"]
    data_of(user.get(f"/jobs/{job}/"))
    refusal(user.post(f"/jobs/{job}/confirm-upload/"), 409, "UPLOAD_INCOMPLETE")
    data_of(user.post(f"/jobs/{job}/cancel/"))
    data_of(unsigned(user, "POST", "/auth/anon/"))


@pytest.mark.parametrize("path", ["/health", "/presets", "/me"])
def test_head_has_no_body(user: httpx.Client, path: Any) -> None:
    response = user.head(path)
    assert response.status_code in (200, 405)
    assert response.content == b""


@pytest.mark.parametrize(
    "path", ["/jobs/%00", "/jobs/%ff%fe", "/jobs/" + "x" * 2000, "/jobs/%F0%9F%98%80", "/jobs/'--"]
)
def test_an_id_from_nowhere_is_no_job(user: httpx.Client, path: Any) -> None:
    refusal(user.get(path), 404, "JOB_NOT_FOUND", "NOT_FOUND")


@pytest.mark.parametrize("origin", LOCAL)
def test_local_origins_are_allowed_also_on_errors(user: httpx.Client, origin: Any) -> None:
    headers = {"Origin": origin}
    answers = [user.get(path, headers=headers) for path in ("/health", "/me", "/nope", "/jobs/none")]
    answers += [
        unsigned(user, "GET", "/me", headers=headers),
        user.delete("/me", headers=headers),
        user.post("/rules", content=b"{", headers={**headers, **JSON}),
        user.post("/rules", content=b" " * (MIB + 1), headers={**headers, **JSON}),
        user.post("/rules", content=b"a", headers={**headers, "Content-Type": "text/plain"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404, 401, 405, 400, 413, 415]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] in (origin, "*"), answer.request.url


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins_are_not_allowed(user: httpx.Client, origin: Any) -> None:
    preflight = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for answer in (user.get("/me", headers={"Origin": origin}), unsigned(user, "OPTIONS", "/me", headers=preflight)):
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/me", "authorization"),
        ("POST", "/jobs", "authorization, content-type"),
        ("PUT", "/rules/x", "authorization,content-type"),
        ("DELETE", "/rules/x", "authorization"),
    ],
)
def test_preflight_needs_no_token(user: httpx.Client, method: Any, path: Any, headers: Any) -> None:
    asked = {"Origin": LOCAL[0], "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    answer = unsigned(user, "OPTIONS", path, headers=asked)
    assert answer.is_success
    assert answer.headers["access-control-allow-origin"] in (LOCAL[0], "*")
    assert method in answer.headers["access-control-allow-methods"]
    granted = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert granted >= {name.strip() for name in headers.split(",")}


def test_a_browser_may_put_to_a_signed_address(user: httpx.Client) -> None:
    album = Album.create(user)
    url = album.urls[0]["url"]
    asked = {
        "Origin": LOCAL[0],
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = unsigned(user, "OPTIONS", url, headers=asked)
    assert preflight.is_success
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert album.put(0, Origin=LOCAL[0]).headers["access-control-allow-origin"] in (LOCAL[0], "*")
    data_of(album.cancel())


def test_options_without_an_origin_needs_no_token(anyone: httpx.Client) -> None:
    assert anyone.options("/me").status_code != 401


def test_every_answer_has_a_request_id_of_its_own(anyone: httpx.Client) -> None:
    ids = {envelope(anyone.get(path))["meta"]["request_id"] for path in ("/health", "/health", "/nope", "/me", "/me")}
    assert len(ids) == 5


def test_addresses_follow_the_host_of_the_request(user: httpx.Client) -> None:
    response = user.post("/jobs", json={"preset": "interior", "item_count": 1}, headers={"Host": "palette.test:8123"})
    made = data_of(response, 201)
    for address in (made["confirm_url"], made["presigned_urls"][0]["url"]):
        assert httpx.URL(address).netloc == b"palette.test:8123"
