"""Sign-in, tokens, and the sign-up limit."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

KEY = "j" * 40  # the fixture's jwt_secret
DAY = 86_400


def token(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256", **options: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, **options)


def raw_token(header: bytes, claims: bytes, signature: bytes = b"") -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, claims, signature))


def hand_signed(claims: bytes, key: str = KEY) -> str:
    body = raw_token(b'{"alg":"HS256","typ":"JWT"}', claims).rsplit(".", 1)[0]
    signature = hmac.new(key.encode(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def test_a_device_is_a_user(api: Any) -> None:
    first = (await api.client.post("/auth/anon", json={"device_hash": "abc"})).json()["data"]
    again = (await api.client.post("/auth/anon", json={"device_hash": "abc"})).json()["data"]
    other = (await api.client.post("/auth/anon", json={"device_hash": "abd"})).json()["data"]
    assert set(first) == {"user_id", "token", "plan", "is_new"}
    assert (first["plan"], first["is_new"], again["is_new"], other["is_new"]) == ("free", True, False, True)
    assert first["user_id"] == again["user_id"] != other["user_id"]
    assert "abc" not in first["user_id"]


async def test_fifty_at_once_are_one_user_who_is_new_once(api: Any) -> None:
    answers = await asyncio.gather(*(api.client.post("/auth/anon", json={"device_hash": "x"}) for _ in range(50)))
    data = [answer.json()["data"] for answer in answers]
    assert len({each["user_id"] for each in data}) == 1
    assert sum(each["is_new"] for each in data) == 1


@pytest.mark.parametrize(
    "body", [None, b"{}", b'{"device_hash": null}', b'{"device_hash": ""}', b'{"other": 1}', b"null"]
)
async def test_without_a_device_every_call_makes_a_user(api: Any, body: bytes | None) -> None:
    first, second = [(await api.client.post("/auth/anon", content=body)).json()["data"] for _ in range(2)]
    assert first["is_new"]
    assert second["is_new"]
    assert first["user_id"] != second["user_id"]


@pytest.mark.parametrize("body", [{"device_hash": 7}, {"device_hash": ["a"]}, {"device_hash": "x" * 257}, [], "abc", 1])
async def test_a_strange_device_hash_is_refused(api: Any, body: Any) -> None:
    answer = await api.client.post("/auth/anon", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("device", ["x" * 256, "기기", "\x00", " "])
async def test_any_text_may_be_a_device_hash(api: Any, device: str) -> None:
    assert (await api.client.post("/auth/anon", json={"device_hash": device})).status_code == 200


async def test_the_token_names_the_user_and_lives_thirty_days(api: Any) -> None:
    data = (await api.client.post("/auth/anon")).json()["data"]
    claims = jwt.decode(data["token"], KEY, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims["sub"] == data["user_id"]
    assert claims["exp"] - api.clock.timestamp() == 30 * DAY


async def test_a_token_expires_also_when_it_was_used_before(api: Any) -> None:
    user = await api.user("abc")
    api.clock.advance(timedelta(days=30, seconds=-1))
    assert (await user.get("/me")).status_code == 200
    api.clock.advance(timedelta(seconds=1))
    answer = await user.get("/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")
    assert answer.headers["www-authenticate"] == "Bearer"


HEADERS: dict[str, tuple[Any, str]] = {
    "no header": (None, "AUTH_REQUIRED"),
    "an empty header": ("", "AUTH_REQUIRED"),
    "another scheme": ("Basic dTpw", "TOKEN_INVALID"),
    "no token": ("Bearer", "TOKEN_INVALID"),
    "a token without scheme": (lambda user, now: token({"sub": user, "exp": now + DAY}), "TOKEN_INVALID"),
    "not a token": ("Bearer abc", "TOKEN_INVALID"),
    "dots": ("Bearer ..", "TOKEN_INVALID"),
    "past exp": (lambda user, now: "Bearer " + token({"sub": user, "exp": now - 1}), "TOKEN_EXPIRED"),
    "exp is now": (lambda user, now: "Bearer " + token({"sub": user, "exp": now}), "TOKEN_EXPIRED"),
    "another key": (lambda user, now: "Bearer " + token({"sub": user, "exp": now + DAY}, "k" * 40), "TOKEN_INVALID"),
    "another key and past exp": (
        lambda user, now: "Bearer " + token({"sub": user, "exp": now - 1}, "k" * 40),
        "TOKEN_INVALID",
    ),
    "HS512": (lambda user, now: "Bearer " + token({"sub": user, "exp": now + DAY}, "j" * 64, "HS512"), "TOKEN_INVALID"),
    "alg none": (
        lambda user, now: (
            "Bearer " + raw_token(b'{"alg":"none"}', json.dumps({"sub": user, "exp": now + DAY}).encode())
        ),
        "TOKEN_INVALID",
    ),
    "alg RS256": (
        lambda user, now: (
            "Bearer " + raw_token(b'{"alg":"RS256"}', json.dumps({"sub": user, "exp": now + DAY}).encode(), b"x")
        ),
        "TOKEN_INVALID",
    ),
    "alg is a list": (lambda user, now: "Bearer " + raw_token(b'{"alg":["HS256"]}', b"{}", b"x"), "TOKEN_INVALID"),
    "a header nested without end": (
        lambda user, now: "Bearer " + raw_token(b"[" * 20_000, b"{}", b"x"),
        "TOKEN_INVALID",
    ),
    "no exp": (lambda user, now: "Bearer " + token({"sub": user}), "TOKEN_INVALID"),
    "no sub": (lambda user, now: "Bearer " + token({"exp": now + DAY}), "TOKEN_INVALID"),
    "sub is a number": (lambda user, now: "Bearer " + hand_signed(b'{"sub":1,"exp":99999999999}'), "TOKEN_INVALID"),
    "sub is a list": (lambda user, now: "Bearer " + hand_signed(b'{"sub":["u"],"exp":99999999999}'), "TOKEN_INVALID"),
    "sub is null": (lambda user, now: "Bearer " + hand_signed(b'{"sub":null,"exp":99999999999}'), "TOKEN_INVALID"),
    "sub is empty": (lambda user, now: "Bearer " + hand_signed(b'{"sub":"","exp":99999999999}'), "TOKEN_INVALID"),
    "exp is text": (
        lambda user, now: "Bearer " + hand_signed(f'{{"sub":"{user}","exp":"x"}}'.encode()),
        "TOKEN_INVALID",
    ),
    "exp is true": (
        lambda user, now: "Bearer " + hand_signed(f'{{"sub":"{user}","exp":true}}'.encode()),
        "TOKEN_INVALID",
    ),
    "exp is infinite": (
        lambda user, now: "Bearer " + hand_signed(f'{{"sub":"{user}","exp":1e999}}'.encode()),
        "TOKEN_INVALID",
    ),
    "exp is NaN": (
        lambda user, now: "Bearer " + hand_signed(f'{{"sub":"{user}","exp":NaN}}'.encode()),
        "TOKEN_INVALID",
    ),
    "claims are a list": (lambda user, now: "Bearer " + hand_signed(b"[]"), "TOKEN_INVALID"),
    "claims nested without end": (lambda user, now: "Bearer " + hand_signed(b"[" * 20_000), "TOKEN_INVALID"),
    "not yet valid": (
        lambda user, now: "Bearer " + token({"sub": user, "exp": now + DAY, "nbf": int(time.time()) + DAY}),
        "TOKEN_INVALID",
    ),
    "never signed up": (lambda user, now: "Bearer " + token({"sub": "u_ghost", "exp": now + DAY}), "TOKEN_INVALID"),
    "never signed up, strange": (
        lambda user, now: "Bearer " + token({"sub": "\x00'; --/../", "exp": now + DAY}),
        "TOKEN_INVALID",
    ),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_who_is_not_let_in(api: Any, name: str) -> None:
    user = await api.user("abc")
    value, code = HEADERS[name]
    if callable(value):
        value = value(user.user_id, int(api.clock.timestamp()))
    headers = {} if value is None else {"Authorization": value}
    for method, path in (("GET", "/me"), ("GET", "/rules"), ("POST", "/jobs"), ("GET", "/jobs/j_1")):
        answer = await api.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


async def test_a_short_secret_works_and_warns_nobody(make_api: Any) -> None:
    api = make_api(jwt_secret="short")
    user = await api.user("abc")
    assert (await user.get("/me")).status_code == 200
    claims = json.dumps({"sub": user.user_id, "exp": api.clock.timestamp() + DAY}).encode()
    for key, status in (("short", 200), ("shorx", 401), ("shorter", 401)):
        headers = {"Authorization": f"Bearer {hand_signed(claims, key)}"}
        assert (await api.client.get("/me", headers=headers)).status_code == status


async def test_the_scheme_may_have_any_case(api: Any) -> None:
    user = await api.user("abc")
    value = user.headers["authorization"].replace("Bearer ", "bEARER  ")
    assert (await api.client.get("/me", headers={"Authorization": value})).status_code == 200


async def test_a_user_the_edge_has_not_seen_is_looked_up(api: Any) -> None:
    """Another replica signed the user up: its token is good here as well."""
    user = await api.user("abc")
    other = type(api)(api.settings, api.clock, {"reads": api.events, "brain": api})
    answer = await other.client.get("/me", headers=dict(user.headers))
    assert answer.json()["data"]["user_id"] == user.user_id
    await other.close()


async def test_the_caller_is_checked_before_the_body(api: Any) -> None:
    for body in (b"{", b"x" * 2_000_000):
        answer = await api.client.post("/jobs", content=body, headers={"Content-Type": "text/plain"})
        assert answer.json()["error"]["code"] == "AUTH_REQUIRED"


@pytest.fixture
def limited(make_api: Any) -> Any:
    return make_api(signup_limit=2, client_address_header="X-Forwarded-For")


async def sign_up(api: Any, address: str | None) -> Any:
    return await api.client.post("/auth/anon", headers={} if address is None else {"X-Forwarded-For": address})


async def test_sign_ups_of_one_address_are_limited(limited: Any) -> None:
    assert [(await sign_up(limited, "198.51.100.7")).status_code for _ in range(3)] == [200, 200, 429]
    refused = await sign_up(limited, "198.51.100.7")
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    wait = int(refused.headers["retry-after"])
    assert 0 < wait <= 61
    assert (await sign_up(limited, "198.51.100.8")).status_code == 200
    limited.clock.advance(timedelta(seconds=wait))
    assert (await sign_up(limited, "198.51.100.7")).status_code == 200


@pytest.mark.parametrize(
    ("addresses", "last"),
    [
        (["1.1.1.1, 198.51.100.7", "2.2.2.2, 198.51.100.7", "198.51.100.7"], 429),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:9::"], 429),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], 200),
        (["::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7:5555"], 429),
        (["::ffff:198.51.100.7", "::ffff:198.51.100.8", "::ffff:198.51.100.9"], 200),
        (["198.51.100.7:1", "198.51.100.7:2", '"198.51.100.7:3"'], 429),
        (["[2001:db8::1]:1", "[2001:db8::2]", "2001:db8::3"], 429),
        ([None, None, None], 429),
        (["unknown", "unknown", "unknown"], 429),
    ],
)
async def test_whose_sign_up_counts_for_whom(limited: Any, addresses: list[str | None], last: int) -> None:
    assert [(await sign_up(limited, address)).status_code for address in addresses] == [200, 200, last]


async def test_a_header_that_comes_twice_counts_by_its_last_line(limited: Any) -> None:
    def both(first: str) -> list[tuple[str, str]]:
        return [("X-Forwarded-For", first), ("X-Forwarded-For", "198.51.100.7")]

    answers = [
        await limited.client.post("/auth/anon", headers=both(first)) for first in ("1.1.1.1", "2.2.2.2", "3.3.3.3")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_the_limit_is_off_by_default(api: Any) -> None:
    assert {(await sign_up(api, "198.51.100.7")).status_code for _ in range(20)} == {200}
