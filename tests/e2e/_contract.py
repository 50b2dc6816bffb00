"""What every contract test needs: the envelope, an album of photos as a client drives it, many calls at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx

__all__ = [
    "ANY_BYTES",
    "PAINTED",
    "Album",
    "Newcomer",
    "assert_utc",
    "at_once",
    "credits_and_jobs",
    "data_of",
    "envelope",
    "refusal",
    "statuses",
    "unsigned",
]

T = TypeVar("T")
Newcomer = Callable[[], httpx.Client]

ANY_BYTES = b"\xff\xd8\xff\xe0 a photo that nobody opens"
PAINTED = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}


def envelope(response: httpx.Response) -> dict[str, Any]:
    """The body, once it is known to be the envelope that every JSON answer has."""
    assert response.headers["content-type"].partition(";")[0] == "application/json", response.headers
    body: dict[str, Any] = response.json()
    assert set(body) == {"success", "data", "error", "meta"}, body
    assert body["success"] is (response.status_code < 400), body
    assert isinstance(body["meta"]["request_id"], str), body
    assert body["meta"]["request_id"], body
    assert_utc(body["meta"]["timestamp"])
    return body


def data_of(response: httpx.Response, status: int = 200) -> Any:
    """`data` of an answer that must be a success."""
    assert response.status_code == status, response.text
    body = envelope(response)
    assert body["error"] is None, body
    return body["data"]


def refusal(response: httpx.Response, status: int, *codes: str) -> str:
    """`message` of an answer that must be an error with that status and one of those codes."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    body = envelope(response)
    assert body["data"] is None, body
    assert set(body["error"]) >= {"code", "message"}, body
    assert body["error"]["code"] in codes, body
    message: str = body["error"]["message"]
    assert isinstance(message, str), body
    assert message.strip(), body
    assert "Traceback" not in response.text
    return message


def assert_utc(value: Any) -> None:
    """An ISO-8601 string in UTC."""
    assert isinstance(value, str), value
    assert datetime.fromisoformat(value).utcoffset() == timedelta(0), value


def at_once(times: int, call: Callable[[int], T]) -> list[T]:
    """Results of `call(0) .. call(times - 1)`, all let go at the same moment."""
    barrier = threading.Barrier(times)

    def held(number: int) -> T:
        barrier.wait(30)
        return call(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(held, range(times)))


def statuses(responses: list[httpx.Response]) -> list[int]:
    return sorted(response.status_code for response in responses)


def credits_and_jobs(owner: httpx.Client) -> tuple[int, int]:
    me = data_of(owner.get("/me"))
    return me["credits"], me["concurrent_jobs"]


def unsigned(client: httpx.Client, method: str, url: str, **request: Any) -> httpx.Response:
    """A request without the client's token, as a phone sends one to a signed address."""
    made = client.build_request(method, url, **request)
    made.headers.pop("Authorization", None)
    return client.send(made)


@dataclass(frozen=True)
class Album:
    """One job, seen from its owner."""

    owner: httpx.Client
    id: str
    urls: list[dict[str, Any]]

    @classmethod
    def create(cls, owner: httpx.Client, photos: int = 1, preset: str = "interior") -> Album:
        made = data_of(owner.post("/jobs", json={"preset": preset, "item_count": photos}), 201)
        return cls(owner, made["job_id"], made["presigned_urls"])

    @classmethod
    def executed(cls, owner: httpx.Client, photos: int = 1) -> Album:
        """An album whose photos are with the engine."""
        album = cls.create(owner, photos)
        album.upload()
        data_of(album.confirm())
        data_of(album.execute(), 202)
        return album

    @property
    def user_id(self) -> str:
        return str(self.urls[0]["key"].split("/")[1])

    def put(self, idx: int, content: Any = ANY_BYTES, **headers: str) -> httpx.Response:
        headers = {"Content-Type": "application/octet-stream", **headers}
        return unsigned(self.owner, "PUT", self.urls[idx]["url"], content=content, headers=headers)

    def upload(self) -> None:
        for idx in range(len(self.urls)):
            assert self.put(idx).is_success

    def post(self, action: str, **request: Any) -> httpx.Response:
        return self.owner.post(f"/jobs/{self.id}/{action}", **request)

    def confirm(self) -> httpx.Response:
        return self.post("confirm-upload")

    def execute(self, **body: Any) -> httpx.Response:
        return self.post("execute", json=body or {"concepts": PAINTED})

    def cancel(self) -> httpx.Response:
        return self.post("cancel")

    def view(self) -> dict[str, Any]:
        job: dict[str, Any] = data_of(self.owner.get(f"/jobs/{self.id}"))["job"]
        return job

    def output_key(self, idx: int = 0) -> str:
        return f"outputs/{self.user_id}/{self.id}/{idx}_result.png"

    def result(self, idx: int = 0, status: str = "done", **fields: Any) -> dict[str, Any]:
        """Body of a callback; a field given as None is sent as null."""
        told: dict[str, Any] = {"idx": idx, "status": status, "idempotency_key": uuid.uuid4().hex}
        if status == "done":
            told["output_key"] = self.output_key(idx)
        else:
            told["error"] = "the photo is too dark"
        return {**told, **fields}

    def report(self, secret: str, idx: int = 0, status: str = "done", **fields: Any) -> httpx.Response:
        """The callback of a worker outside."""
        headers = {"X-Callback-Secret": secret}
        return unsigned(
            self.owner,
            "POST",
            f"/jobs/{self.id}/callback",
            json=self.result(idx, status, **fields),
            headers=headers,
        )
