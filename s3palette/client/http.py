"""The client for scripts, over HTTP.

with Client("http://127.0.0.1:8000") as client:
    album = client.run(photos, "interior", {"Wall": {"action": "recolor", "value": "#F4F1EA"}}, progress=True)
    album.save("out")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from s3palette.client._album import AlbumResult, Progress
from s3palette.client._api import Api, Photo
from s3palette.client._progress import reporting
from s3palette.client._results import Job, Me, NewJob, Rule, SignIn
from s3palette.client._run import Order, run
from s3palette.client._sync import SyncDriver

__all__ = ["Client"]


class Client:
    """One user of one server. May be shared by threads.

    Every call raises PaletteError, a class a code (`s3palette.domain.errors`), where the server refuses, and
    httpx.TransportError where it cannot be reached; ValueError for an empty id. Transport errors, 5xx and 503 with
    Retry-After are tried again for `patience_s` seconds in all; a repeated POST carries its first Idempotency-Key, so
    it takes effect once.
    `timeout_s` is for connecting and for each read and write.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=timeout_s, transport=transport)
        self._api = Api(token, patience_s)
        self._driver = SyncDriver(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def token(self) -> str | None:
        """Of the user; None before sign-up."""
        return self._api.token

    def run(
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
        """Put a whole album through a rule: sign up where there is no token, upload, execute, wait, download.

        `rule`: concepts in the shape of the API, the id of a saved rule, or the id or name of one of the preset's rule
        sets. `refinements`: place in the album -> what holds for that photo only, in the shape of the API.
        `references`: concept -> place of the photo that sets its colour: there it stays as it is, in all others it is
        made to look the same. `progress`: True draws a bar, a function gets every Progress. `masks` downloads label
        maps and instances too. `save_to`: results go into that folder as they come instead of into memory. `parallel`
        transfers at once. `timeout_s` bounds the wait for a job (200 photos at most; a longer album is several jobs,
        one after another).

        A photo that fails does so alone: see `AlbumResult.failed`. Whatever ends the run early, Ctrl-C too, cancels
        the job, which refunds what was not delivered. Raises ValueError for an empty album or photo, an unknown rule
        set, a place that the album has not, or references in an album of more than 200 photos; OSError for a file that
        cannot be read; TimeoutError.
        """
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
            return self._driver.run(run(self._api, order, report))

    def sign_up(self, device_hash: str | None = None) -> SignIn:
        """Sign up, or sign in again with the same `device_hash`; the token is kept for the calls that follow."""
        return self._driver.run(self._api.sign_up(device_hash))

    def me(self) -> Me:
        """Plan, credits, slots."""
        return self._driver.run(self._api.me())

    def rules(self) -> list[Rule]:
        """The saved rules, newest first."""
        return self._driver.run(self._api.rules())

    def rule(self, rule_id: str) -> Rule:
        """One saved rule."""
        return self._driver.run(self._api.rule(rule_id))

    def create_rule(
        self, name: str, preset: str, concepts: Mapping[str, Any], *, protect: Sequence[str] | None = None
    ) -> Rule:
        """Save a rule; without `protect` it protects what its preset protects, less what it selects."""
        return self._driver.run(self._api.create_rule(name, preset, concepts, protect))

    def update_rule(
        self,
        rule_id: str,
        *,
        name: str | None = None,
        concepts: Mapping[str, Any] | None = None,
        protect: Sequence[str] | None = None,
    ) -> Rule:
        """Change what is given of a saved rule; jobs that have been executed keep theirs."""
        return self._driver.run(self._api.update_rule(rule_id, name, concepts, protect))

    def delete_rule(self, rule_id: str) -> None:
        """Delete a saved rule; its slot is free again."""
        self._driver.run(self._api.delete_rule(rule_id))

    def create_job(self, preset: str, item_count: int) -> NewJob:
        """Reserve a credit a photo and get an address to upload each to."""
        return self._driver.run(self._api.create_job(preset, item_count))

    def upload(
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
        self._driver.run(self._api.upload(job, photos, parallel, on_uploaded))

    def confirm(self, job_id: str) -> None:
        """Say that every photo is there."""
        self._driver.run(self._api.confirm(job_id))

    def execute(
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
        self._driver.run(self._api.execute(job_id, concepts, protect, rule_id, output_template, photos, references))

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return self._driver.run(self._api.job(job_id))

    def wait(
        self, job_id: str, on_progress: Callable[[Job], None] = lambda job: None, *, timeout_s: float | None = None
    ) -> Job:
        """Look at the job until it has ended; `on_progress` gets it after each look.

        Raises TimeoutError after `timeout_s`; the job goes on.
        """
        return self._driver.run(self._api.wait(job_id, on_progress, timeout_s))

    def cancel(self, job_id: str) -> None:
        """Cancel; what was not delivered is refunded."""
        self._driver.run(self._api.cancel(job_id))

    def download(self, url: str, to: Path) -> Path:
        """Store what a signed address holds as `to`, whole or not at all. Returns `to`."""
        return self._driver.run(self._api.download(url, to))
