"""The API's routes as flows, for one user. Knows the token and how to be patient; does no I/O."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from s3palette.client._answers import accepted, data_of
from s3palette.client._patience import Patience
from s3palette.client._results import Job, Me, NewJob, Rule, SignIn, Upload
from s3palette.client._steps import Answer, Fetch, Flow, Pause, Put, Send, Step, Together
from s3palette.domain.errors import PaletteError, TokenExpired, TokenInvalid

__all__ = ["Api", "Photo"]

Photo = Path | str | bytes
"""A photo's file, or its bytes."""

_POLL_S = (0.1, 1.0)
"""First and longest pause between two looks at a job."""
_CANCEL_WITHIN_S = 5.0


class Api:
    """Every request may be sent again: GET and PUT by nature, the others carry an Idempotency-Key."""

    def __init__(self, token: str | None, patience_s: float) -> None:
        self.token = token
        self._device: str | None = None
        self._patience = Patience(patience_s)

    def sign_up(self, device_hash: str | None) -> Flow[SignIn]:
        # A device of its own, so that a sign-up whose answer was lost is not a second user.
        device = device_hash or secrets.token_hex(16)
        step = Send("POST", "/auth/anon", {"device_hash": device})
        signed_in = SignIn.read((yield from self._patience.retry(step, data_of, api=True)))
        self.token, self._device = signed_in.token, device
        return signed_in

    def call(self, method: str, path: str, body: Any = None) -> Flow[Any]:
        """The envelope's data. A stale token of a user who signed up here is renewed, once."""
        key = {} if method == "GET" else {"Idempotency-Key": secrets.token_hex(16)}
        stale = self.token
        try:
            return (yield from self._patience.retry(self._request(method, path, body, key), data_of, api=True))
        except (TokenExpired, TokenInvalid):
            if self._device is None:
                raise
        if self.token == stale:  # another flow of this client may have been faster
            yield from self.sign_up(self._device)
        return (yield from self._patience.retry(self._request(method, path, body, key), data_of, api=True))

    def _request(self, method: str, path: str, body: Any, key: Mapping[str, str]) -> Send:
        bearer = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return Send(method, path, body, {**bearer, **key})

    def me(self) -> Flow[Me]:
        return Me.read((yield from self.call("GET", "/me")))

    def preset(self, preset_id: str) -> Flow[Any]:
        return self.call("GET", _path("presets", preset_id))

    def rules(self) -> Flow[list[Rule]]:
        return [Rule.read(rule) for rule in (yield from self.call("GET", "/rules"))["rules"]]

    def rule(self, rule_id: str) -> Flow[Rule]:
        return Rule.read((yield from self.call("GET", _path("rules", rule_id)))["rule"])

    def create_rule(
        self, name: str, preset: str, concepts: Mapping[str, Any], protect: Sequence[str] | None
    ) -> Flow[Rule]:
        body = {"name": name, "preset_id": preset, "concepts": concepts, "protect": protect}
        return Rule.read((yield from self.call("POST", "/rules", _given(body)))["rule"])

    def update_rule(
        self, rule_id: str, name: str | None, concepts: Mapping[str, Any] | None, protect: Sequence[str] | None
    ) -> Flow[Rule]:
        body = _given({"name": name, "concepts": concepts, "protect": protect})
        return Rule.read((yield from self.call("PUT", _path("rules", rule_id), body))["rule"])

    def delete_rule(self, rule_id: str) -> Flow[None]:
        yield from self.call("DELETE", _path("rules", rule_id))

    def create_job(self, preset: str, item_count: int) -> Flow[NewJob]:
        return NewJob.read((yield from self.call("POST", "/jobs", {"preset": preset, "item_count": item_count})))

    def upload(
        self, job: NewJob | Job, photos: Sequence[Photo], parallel: int, on_uploaded: Callable[[int], None]
    ) -> Flow[None]:
        uploads = job.uploads
        if len(photos) != len(uploads):
            raise ValueError(f"the job has {len(uploads)} addresses, and {len(photos)} photos were given")
        flows = [self._put(job.job_id, upload, photo) for upload, photo in zip(uploads, photos, strict=True)]
        yield Together(flows, parallel, lambda position: on_uploaded(uploads[position].idx))

    def _put(self, job_id: str, upload: Upload, photo: Photo) -> Flow[Answer]:
        source = Path(photo) if isinstance(photo, str) else photo

        def address(job: Job) -> str | None:
            return next((each.url for each in job.uploads if each.idx == upload.idx), None)

        return (yield from self.transfer(lambda url: Put(url, source), upload.url, job_id, address))

    def transfer(
        self, step: Callable[[str], Step], url: str, job_id: str, fresh: Callable[[Job], str | None]
    ) -> Flow[Answer]:
        """A photo up or down; where its address has expired, once more with the one `fresh` finds in the job."""
        try:
            return (yield from self._patience.retry(step(url), accepted, api=False))
        except PaletteError as error:
            if error.status != 403:
                raise
            renewed = fresh((yield from self.job(job_id)))
            if renewed is None:
                raise
        return (yield from self._patience.retry(step(renewed), accepted, api=False))

    def confirm(self, job_id: str) -> Flow[None]:
        yield from self.call("POST", _path("jobs", job_id, "/confirm-upload"))

    def execute(
        self,
        job_id: str,
        concepts: Mapping[str, Any] | None,
        protect: Sequence[str] | None,
        rule_id: str | None,
        output_template: str | None,
        photos: Mapping[str, Any] | None = None,
        references: Mapping[str, int] | None = None,
    ) -> Flow[None]:
        body = {
            "concepts": concepts,
            "protect": protect,
            "rule_id": rule_id,
            "output_template": output_template,
            "photos": photos,
            "references": references,
        }
        yield from self.call("POST", _path("jobs", job_id, "/execute"), _given(body))

    def job(self, job_id: str) -> Flow[Job]:
        return Job.read((yield from self.call("GET", _path("jobs", job_id)))["job"])

    def wait(self, job_id: str, on_progress: Callable[[Job], None], timeout_s: float | None) -> Flow[Job]:
        until = None if timeout_s is None else time.monotonic() + timeout_s
        pause, longest = _POLL_S
        while True:
            job = yield from self.job(job_id)
            on_progress(job)
            if job.ended:
                return job
            if until is not None and time.monotonic() + pause > until:
                raise TimeoutError(f"job {job_id} is still {job.status} after {timeout_s:g} s")
            yield Pause(pause)
            pause = min(pause * 1.5, longest)

    def cancel(self, job_id: str) -> Flow[None]:
        yield from self.call("POST", _path("jobs", job_id, "/cancel"))

    def cancel_in_passing(self, job_id: str) -> Flow[Answer]:
        """One attempt, whatever comes of it: somebody is on the way out."""
        request = self._request("POST", _path("jobs", job_id, "/cancel"), None, {})
        answer: Answer = yield Send(request.method, request.path, None, request.headers, _CANCEL_WITHIN_S)
        return answer

    def download(self, url: str, to: Path) -> Flow[Path]:
        yield from self._patience.retry(Fetch(url, to), accepted, api=False)
        return to


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was said: None is left to the server."""
    return {name: value for name, value in body.items() if value is not None}


def _path(kind: str, each: str, rest: str = "") -> str:
    """Where one thing of a kind is. Raises ValueError for an empty id, which would be the way to all of them."""
    if not each:
        raise ValueError(f"the id of one of the {kind} is empty")
    return f"/{kind}/{quote(each, safe='')}{rest}"
