"""Who one is: anonymous sign-up, device hashes, tokens."""

from __future__ import annotations

import http.client
import time
import uuid
from contextlib import closing
from typing import Any

import httpx
import jwt
import pytest

from ._contract import Newcomer, at_once, data_of, refusal
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

DAY_S = 86_400
FIELDS = {"user_id": str, "token": str, "plan": str, "is_new": bool}


def token_of(client: httpx.Client) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def ask(client: httpx.Client, authorization: str | bytes) -> httpx.Response:
    """GET /me with that header in place of the client's own."""
    value = authorization.encode() if isinstance(authorization, str) else authorization
    return client.get("/me", headers={b"Authorization": value})


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"json": {}},
        {"json": {"device_hash": None}},
        {"json": {"device_hash": ""}},
        {"json": {"device_hash": "", "x": 1}},
    ],
    ids=["no body", "empty", "null", "empty hash", "unknown field"],
)
def test_sign_up_without_a_device_is_always_a_new_user(anyone: httpx.Client, request_body: Any) -> None:
    first, second = (data_of(anyone.post("/auth/anon", **request_body)) for _ in range(2))
    assert {name: type(first[name]) for name in FIELDS} == FIELDS
    assert first["plan"] == "free"
    assert first["is_new"] is True
    assert second["is_new"] is True
    assert first["user_id"] != second["user_id"]


def test_a_json_header_without_a_body_is_an_absent_body(anyone: httpx.Client) -> None:
    data_of(anyone.post("/auth/anon", headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize("device", ["a", "기기-7", "x" * 256, " ", "a/../b?c=%00", "🛋️"])
def test_the_same_device_is_the_same_user_and_new_once(anyone: httpx.Client, device: Any) -> None:
    body = (
        {"device_hash": f"{uuid.uuid4().hex}{device}"[-256:]}
        if len(device) < 256
        else {"device_hash": uuid.uuid4().hex * 8}
    )
    first, again = (data_of(anyone.post("/auth/anon", json=body)) for _ in range(2))
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["user_id"] == again["user_id"]
    for told in (first, again):
        assert data_of(ask(anyone, f"Bearer {told['token']}"))["user_id"] == first["user_id"]


def test_fifty_sign_ups_of_one_device_at_once_are_one_user(anyone: httpx.Client) -> None:
    body = {"device_hash": uuid.uuid4().hex}
    told = [data_of(answer) for answer in at_once(50, lambda _: anyone.post("/auth/anon", json=body))]
    assert len({one["user_id"] for one in told}) == 1
    assert sum(one["is_new"] for one in told) == 1
    assert data_of(ask(anyone, f"Bearer {told[-1]['token']}"))["credits"] == 10


@pytest.mark.parametrize("device", [7, True, ["a"], {"a": 1}, 1.5])
def test_a_device_hash_is_a_string(anyone: httpx.Client, device: Any) -> None:
    message = refusal(anyone.post("/auth/anon", json={"device_hash": device}), 400, "VALIDATION_ERROR")
    assert "device_hash" in message


@pytest.mark.parametrize(
    "body", [b'{"device_hash": "\\ud800"}', b'{"device_hash": "\\u0000"}', b'{"device_hash": "' + b"x" * 257 + b'"}']
)
def test_a_strange_device_hash_is_taken_or_refused_but_never_a_fault(anyone: httpx.Client, body: Any) -> None:
    assert anyone.post("/auth/anon", content=body, headers={"Content-Type": "application/json"}).status_code in (
        200,
        400,
    )


def test_me_tells_the_free_plan(user: httpx.Client) -> None:
    me = data_of(user.get("/me"))
    assert {
        name: me[name]
        for name in me
        if name in ("plan", "credits", "rule_slots", "max_rule_slots", "concurrent_jobs", "max_concurrent_jobs")
    } == {
        "plan": "free",
        "credits": 10,
        "rule_slots": 0,
        "max_rule_slots": 2,
        "concurrent_jobs": 0,
        "max_concurrent_jobs": 1,
    }
    assert me["user_id"] == jwt.decode(token_of(user), options={"verify_signature": False})["sub"]


def test_a_token_is_hs256_of_the_user_for_thirty_days(user: httpx.Client, external: SystemUnderTest) -> None:
    claims = jwt.decode(token_of(user), external.jwt_secret, algorithms=["HS256"])
    assert claims["exp"] - time.time() == pytest.approx(30 * DAY_S, abs=600)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("GET", "/presets"),
        ("GET", "/presets/interior"),
        ("GET", "/materials"),
        ("GET", "/rules"),
        ("POST", "/rules"),
        ("GET", "/rules/x"),
        ("PUT", "/rules/x"),
        ("DELETE", "/rules/x"),
        ("GET", "/jobs"),
        ("POST", "/jobs"),
        ("GET", "/jobs/x"),
        ("POST", "/jobs/x/confirm-upload"),
        ("POST", "/jobs/x/execute"),
        ("POST", "/jobs/x/cancel"),
    ],
)
def test_every_route_needs_a_token(anyone: httpx.Client, method: Any, path: Any) -> None:
    refusal(anyone.request(method, path), 401, "AUTH_REQUIRED")
    refusal(anyone.request(method, path, headers={"Authorization": "Bearer x.y.z"}), 401, "TOKEN_INVALID")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dTpw", "Token abc", "abc"])
def test_a_header_that_carries_no_token_is_refused(anyone: httpx.Client, header: Any) -> None:
    refusal(ask(anyone, header), 401, "AUTH_REQUIRED", "TOKEN_INVALID")


@pytest.mark.parametrize(
    "token", ["x", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é".encode(), "eyJhbGciOiJIUzI1NiJ9..", "[" * 5000]
)
def test_rubbish_is_not_a_token(anyone: httpx.Client, token: Any) -> None:
    refusal(ask(anyone, b"Bearer " + (token if isinstance(token, bytes) else token.encode())), 401, "TOKEN_INVALID")


@pytest.mark.parametrize("shape", ["bearer {}", "BEARER {}"])
def test_the_scheme_may_be_in_any_case(user: httpx.Client, shape: Any) -> None:
    data_of(ask(user, shape.format(token_of(user))))


@pytest.mark.parametrize(("shape", "status"), [("Bearer {}  ", 200), ("  Bearer {}\t", 200), ("Bearer ", 401)])
def test_spaces_around_a_header_do_not_matter(user: httpx.Client, shape: Any, status: Any) -> None:
    """By the standard library's client: httpx refuses to send such a header."""
    line = http.client.HTTPConnection(user.base_url.host, user.base_url.port, timeout=30)
    with closing(line):
        line.request("GET", "/me", headers={"Authorization": shape.format(token_of(user))})
        assert line.getresponse().status == status


def forged(claims: dict[str, Any], secret: str, algorithm: str = "HS256", **changes: Any) -> str:
    """The claims with changes (None removes one), signed."""
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(kept, "" if algorithm == "none" else secret, algorithm=algorithm)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("TOKEN_EXPIRED", {"exp": -60}),
        ("TOKEN_EXPIRED", {"exp": 1}),
        ("TOKEN_INVALID", {"secret": "another-secret-another-secret-0123456789"}),
        ("TOKEN_INVALID", {"secret": "another-secret-another-secret-0123456789", "exp": -60}),
        ("TOKEN_INVALID", {"algorithm": "none"}),
        ("TOKEN_INVALID", {"algorithm": "none", "exp": -60}),
        ("TOKEN_INVALID", {"algorithm": "HS512"}),
        ("TOKEN_INVALID", {"algorithm": "HS384"}),
        ("TOKEN_INVALID", {"sub": None}),
        ("TOKEN_INVALID", {"exp": None}),
        ("TOKEN_INVALID", {"sub": "u_nobody"}),
        ("TOKEN_INVALID", {"sub": ""}),
        ("TOKEN_INVALID", {"sub": "../../u"}),
        ("TOKEN_INVALID", {"sub": "u" * 3000}),
        ("TOKEN_INVALID", {"sub": "u_\u0000"}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # HS512 wants a longer key than ours
def test_forged_tokens(user: httpx.Client, external: SystemUnderTest, code: Any, how: Any) -> None:
    changes = dict(how)
    if changes.get("exp", 0) not in (None, 0, 1):
        changes["exp"] += int(time.time())
    claims = jwt.decode(token_of(user), options={"verify_signature": False})
    token = forged(claims, changes.pop("secret", external.jwt_secret), changes.pop("algorithm", "HS256"), **changes)
    refusal(ask(user, f"Bearer {token}"), 401, code)


def test_the_server_accepts_its_own_claims_signed_again(user: httpx.Client, external: SystemUnderTest) -> None:
    claims = jwt.decode(token_of(user), options={"verify_signature": False})
    data_of(ask(user, f"Bearer {forged(claims, external.jwt_secret)}"))


def test_a_changed_claim_breaks_the_signature(user: httpx.Client, newcomer: Newcomer) -> None:
    head, _, signature = token_of(user).split(".")
    other = token_of(newcomer()).split(".")[1]
    refusal(ask(user, f"Bearer {head}.{other}.{signature}"), 401, "TOKEN_INVALID")


@pytest.mark.parametrize("expiry", ['"soon"', "1e308", "[]", "true", "9" * 400])
def test_a_strange_expiry_is_never_a_fault(user: httpx.Client, external: SystemUnderTest, expiry: Any) -> None:
    """Signed rightly, so that the claims are read; written by hand, since libraries would refuse to."""
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}')
    sub = jwt.decode(token_of(user), options={"verify_signature": False})["sub"]
    body = jwt.utils.base64url_encode(f'{{"sub":"{sub}","exp":{expiry}}}'.encode())
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(head + b"." + body, algorithm.prepare_key(external.jwt_secret))
    token = (head + b"." + body + b"." + jwt.utils.base64url_encode(signature)).decode()
    assert ask(user, f"Bearer {token}").status_code in (200, 401)
