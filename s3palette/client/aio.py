"""The client for programs that run on asyncio: `Client` with its calls awaited.

async with AsyncClient("http://127.0.0.1:8000") as client:
    album = await client.run(photos, "interior", {"Wall": {"action": "recolor", "value": "#F4F1EA"}})
    album.save("out")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from s3palette.client._album import AlbumResult, Progress
from s3palette.client._api import Api, Photo
from s3palette.client._async import AsyncDriver
from s3palette.client._progress import reporting
from s3palette.client._results import Job, Me, NewJob, Rule, SignIn
from s3palette.client._run import Order, run

__all__ = ["AsyncClient"]


class AsyncClient:
    """One user of one server. May be shared by tasks of one loop. Retries and errors are those of `Client`."""

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout_s, transport=transport)
        self._api = Api(token, patience_s)
        self._driver = AsyncDriver(self._http)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def token(self) -> str | None:
        """Of the user; None before sign-up."""
        return self._api.token

    async def run(
        self,
        photos: Iterable[Photo],
        preset: str,
        rule: Mapping[str, Any] | str,
        *,
        protect: Sequence[str] | None = None,
        output_template: str | None = None,
        refinements: Mapping[int, Any] | None = None,
        references: Mapping[str, int] | None = None,
        progress: bool | Callable[[Progress], None] = False,
        masks: bool = False,
        save_to: Path | str | None = None,
        parallel: int = 4,
        timeout_s: float | None = None,
    ) -> AlbumResult:
        """`Client.run`; a task that is canceled cancels the job too."""
        order = Order(
            photos=tuple(photos),
            preset=preset,
            rule=rule,
            protect=protect,
            output_template=output_template,
            refinements=refinements or {},
            references=references or {},
            masks=masks,
            save_to=save_to,
            parallel=parallel,
            timeout_s=timeout_s,
        )
        with reporting(progress) as report:
            return await self._driver.run(run(self._api, order, report))

    async def sign_up(self, device_hash: str | None = None) -> SignIn:
        """Sign up, or sign in again with the same `device_hash`; the token is kept for the calls that follow."""
        return await self._driver.run(self._api.sign_up(device_hash))

    async def me(self) -> Me:
        """Plan, credits, slots."""
        return await self._driver.run(self._api.me())

    async def rules(self) -> list[Rule]:
        """The saved rules, newest first."""
        return await self._driver.run(self._api.rules())

    async def rule(self, rule_id: str) -> Rule:
        """One saved rule."""
        return await self._driver.run(self._api.rule(rule_id))

    async def create_rule(
        self, name: str, preset: str, concepts: Mapping[str, Any], *, protect: Sequence[str] | None = None
    ) -> Rule:
        """Save a rule; without `protect` it protects what its preset protects, less what it selects."""
        return await self._driver.run(self._api.create_rule(name, preset, concepts, protect))

    async def update_rule(
        self,
        rule_id: str,
        *,
        name: str | None = None,
        concepts: Mapping[str, Any] | None = None,
        protect: Sequence[str] | None = None,
    ) -> Rule:
        """Change what is given of a saved rule; jobs that have been executed keep theirs."""
        return await self._driver.run(self._api.update_rule(rule_id, name, concepts, protect))

    async def delete_rule(self, rule_id: str) -> None:
        """Delete a saved rule; its slot is free again."""
        await self._driver.run(self._api.delete_rule(rule_id))

    async def create_job(self, preset: str, item_count: int) -> NewJob:
        """Reserve a credit a photo and get an address to upload each to."""
        return await self._driver.run(self._api.create_job(preset, item_count))

    async def upload(
        self,
        job: NewJob | Job,
        photos: Sequence[Photo],
        *,
        parallel: int = 4,
        on_uploaded: Callable[[int], None] = lambda idx: None,
    ) -> None:
        """Upload photo k to address k, files in a stream, `parallel` at a time; an expired address is asked for anew.

        `on_uploaded` gets each idx when it is there. Raises ValueError when there are not as many photos as addresses.
        """
        await self._driver.run(self._api.upload(job, photos, parallel, on_uploaded))

    async def confirm(self, job_id: str) -> None:
        """Say that every photo is there."""
        await self._driver.run(self._api.confirm(job_id))

    async def execute(
        self,
        job_id: str,
        concepts: Mapping[str, Any] | None = None,
        *,
        protect: Sequence[str] | None = None,
        rule_id: str | None = None,
        output_template: str | None = None,
        photos: Mapping[str, Any] | None = None,
        references: Mapping[str, int] | None = None,
    ) -> None:
        """Queue the job with a rule: `concepts` in the shape of the API, or a saved one by `rule_id`.

        `photos`: index -> what holds for that photo only, in the shape of the API. `references`: concept -> index of
        the photo that sets its colour in all others.
        """
        await self._driver.run(
            self._api.execute(job_id, concepts, protect, rule_id, output_template, photos, references)
        )

    async def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return await self._driver.run(self._api.job(job_id))

    async def wait(
        self, job_id: str, on_progress: Callable[[Job], None] = lambda job: None, *, timeout_s: float | None = None
    ) -> Job:
        """Look at the job until it has ended; `on_progress` gets it after each look.

        Raises TimeoutError after `timeout_s`; the job goes on.
        """
        return await self._driver.run(self._api.wait(job_id, on_progress, timeout_s))

    async def cancel(self, job_id: str) -> None:
        """Cancel; what was not delivered is refunded."""
        await self._driver.run(self._api.cancel(job_id))

    async def download(self, url: str, to: Path) -> Path:
        """Store what a signed address holds as `to`, whole or not at all. Returns `to`."""
        return await self._driver.run(self._api.download(url, to))
