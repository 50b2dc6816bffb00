"""More than one replica can work on: refused at once, in the envelope, and no place is ever lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from s3palette.domain.model import Address, Command, Query

ORIGIN = {"Origin": "http://localhost:5173"}


class HeldBrain:
    """The way to the entities, held up until `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = asyncio.Semaphore(0)
        self.api: Any = None

    async def ask(
        self, to: Address, message: Command | Query, command_id: str | None = None, correlation: str = ""
    ) -> Any:
        self.asked.release()
        await self.go.wait()
        return await self.api.ask(to, message, command_id, correlation)


def assert_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "OVERLOADED")
    assert 1 <= int(answer.headers["retry-after"]) <= 3


@pytest.fixture
async def held(make_api: Any) -> HeldBrain:
    """An edge with places for two requests and one upload, and nothing behind it that answers yet."""
    brain = HeldBrain()
    brain.api = make_api({"brain": brain}, edge_requests=2, edge_uploads=1)
    return brain


async def asking(held: HeldBrain, users: list[httpx.AsyncClient]) -> list[asyncio.Task[httpx.Response]]:
    """One request a user, all of them inside."""
    held.go.clear()
    tasks = [asyncio.create_task(user.get("/me")) for user in users]
    for _ in users:
        await held.asked.acquire()
    return tasks


async def signed_up(held: HeldBrain, count: int) -> list[httpx.AsyncClient]:
    held.go.set()
    users = [await held.api.user(f"device {number}") for number in range(count)]
    while not held.asked.locked():
        await held.asked.acquire()
    return users


async def test_one_more_than_there_are_places_is_refused_at_once(held: HeldBrain) -> None:
    users = await signed_up(held, 3)
    inside = await asking(held, users[:2])
    refused = await users[2].get("/me", headers=ORIGIN)
    assert_refused(refused)
    assert refused.headers["access-control-allow-origin"] == ORIGIN["Origin"]  # or a browser would not tell the page
    held.go.set()
    assert [(await task).status_code for task in inside] == [200, 200]
    assert (await users[2].get("/me")).status_code == 200


async def test_who_watches_the_system_is_let_in_and_a_browser_may_ask(held: HeldBrain) -> None:
    users = await signed_up(held, 2)
    inside = await asking(held, users)
    for path in ("/health", "/ready", "/health/"):
        assert (await held.api.client.get(path)).status_code == 200
    preflight = await held.api.client.options("/jobs", headers=ORIGIN | {"Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 204
    held.go.set()
    await asyncio.gather(*inside)


async def test_refusals_and_clients_that_hang_up_give_their_place_back(held: HeldBrain) -> None:
    (user,) = await signed_up(held, 1)
    for _ in range(5):
        assert (await held.api.client.get("/nowhere")).status_code == 404
        assert (await held.api.client.get("/me")).status_code == 401
    hung_up = await asking(held, [user, user])
    for task in hung_up:
        task.cancel()
    await asyncio.gather(*hung_up, return_exceptions=True)
    held.go.set()
    assert [each.status_code for each in await asyncio.gather(user.get("/me"), user.get("/me"))] == [200, 200]


async def test_uploads_have_places_of_their_own(held: HeldBrain) -> None:
    (user,) = await signed_up(held, 1)
    made = (await user.post("/jobs", json={"preset": "interior", "item_count": 2})).json()["data"]
    first, second = (upload["url"] for upload in made["presigned_urls"])
    begun, rest = asyncio.Event(), asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        begun.set()
        yield b"a photo "
        await rest.wait()
        yield b"in two pieces"

    slow = asyncio.create_task(held.api.client.put(first, content=slow_body()))
    await begun.wait()
    assert_refused(await held.api.client.put(second, content=b"photo"))
    assert (await user.get("/me")).status_code == 200
    rest.set()
    assert (await slow).json()["data"]["size"] == 21
    assert (await held.api.client.put(second, content=b"photo")).status_code == 200
