"""The client for scripts, over HTTP.

with Client("http://127.0.0.1:8000") as client:
    client.sign_up()
    job = client.create_job("interior", len(photos))
    client.upload(job, photos)
    client.confirm(job.job_id)
    client.execute(job.job_id, {"Wall": {"action": "recolor", "value": "#F4F1EA"}})
    for photo in client.wait(job.job_id).downloads:
        client.download(photo.output_url, Path(f"{photo.idx}.png"))
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx

from s3palette.client._results import Download, Job, JobItem, Me, NewJob, SignIn, Upload

__all__ = ["Client", "Download", "Job", "JobItem", "Me", "NewJob", "PaletteApiError", "SignIn", "Upload"]

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_MISSED_LOOKS = 30
"""Looks in a row that may fail before `wait` gives up; with its retries one takes some 2.5 s."""
_NOT_OURS = "NOT_OURS"
_POLL_S = (0.1, 1.0)
"""First and longest pause between two looks at a job."""


class PaletteApiError(Exception):
    """The server refused. `code` is stable ("CREDITS_EXHAUSTED"), `message` is for a person, `status` is HTTP's."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{message} ({code}, HTTP {status})")
        self.code, self.message, self.status = code, message, status

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message, self.status)


class Client:
    """One user of one server. May be shared by threads.

    Every call raises PaletteApiError where the server refuses and httpx.TransportError where it cannot be reached.
    Calls that may be repeated without harm (every GET and upload) are tried four times, with a growing pause, after a
    transport error or a 503; a POST is sent once.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.token = token
        self._http = httpx.Client(base_url=base_url, timeout=timeout_s, transport=transport)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign_up(self, device_hash: str | None = None) -> SignIn:
        """Sign up, or sign in again with the same `device_hash`; the token is kept for the calls that follow."""
        body = {} if device_hash is None else {"device_hash": device_hash}
        signed_in = SignIn.read(self._call("POST", "/auth/anon", body))
        self.token = signed_in.token
        return signed_in

    def me(self) -> Me:
        """Plan, credits, slots."""
        return Me.read(self._call("GET", "/me"))

    def create_job(self, preset: str, item_count: int) -> NewJob:
        """Reserve a credit a photo and get an address to upload each to."""
        return NewJob.read(self._call("POST", "/jobs", {"preset": preset, "item_count": item_count}))

    def upload(
        self,
        job: NewJob | Job,
        photos: Sequence[Path | bytes],
        *,
        parallel: int = 4,
        on_uploaded: Callable[[int], None] = lambda idx: None,
    ) -> None:
        """Upload photo k to address k, files in a stream, `parallel` at a time.

        `on_uploaded` gets each idx when it is there. Raises ValueError when there are not as many photos as addresses.
        """
        if len(photos) != len(job.uploads):
            raise ValueError(f"the job has {len(job.uploads)} addresses, and {len(photos)} photos were given")
        with ThreadPoolExecutor(parallel) as threads:
            pairs = zip(job.uploads, photos, strict=True)
            tasks = [threads.submit(self._upload, upload, photo, on_uploaded) for upload, photo in pairs]
            try:
                for task in tasks:
                    task.result()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise

    def _upload(self, upload: Upload, photo: Path | bytes, on_uploaded: Callable[[int], None]) -> None:
        def put() -> httpx.Response:
            # A fresh handle each time: a body that was half sent starts again from its first byte.
            with contextlib.ExitStack() as stack:
                body = photo if isinstance(photo, bytes) else stack.enter_context(photo.open("rb"))
                headers = {"Content-Type": "application/octet-stream"}
                return self._http.put(upload.url, content=body, headers=headers)

        _accepted(self._patiently(put))
        on_uploaded(upload.idx)

    def confirm(self, job_id: str) -> None:
        """Say that every photo is there."""
        self._call("POST", f"/jobs/{job_id}/confirm-upload")

    def execute(
        self,
        job_id: str,
        concepts: Mapping[str, Any] | None = None,
        *,
        protect: Sequence[str] | None = None,
        rule_id: str | None = None,
        output_template: str | None = None,
    ) -> None:
        """Queue the job with a rule: `concepts` in the shape of the API, or a saved one by `rule_id`."""
        body = {"concepts": concepts, "protect": protect, "rule_id": rule_id, "output_template": output_template}
        given = {name: value for name, value in body.items() if value is not None}
        self._call("POST", f"/jobs/{job_id}/execute", given)

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return Job.read(self._call("GET", f"/jobs/{job_id}")["job"])

    def wait(
        self, job_id: str, on_progress: Callable[[Job], None] = lambda job: None, *, timeout_s: float | None = None
    ) -> Job:
        """Look at the job until it has ended; `on_progress` gets it after each look.

        A server that is away for about a minute, while a part of it is replaced, is waited for. Raises TimeoutError
        after `timeout_s`; the job goes on.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        pause, longest = _POLL_S
        missed = 0
        while True:
            try:
                job = self.job(job_id)
            except (httpx.TransportError, PaletteApiError) as error:
                missed += 1
                if missed > _MISSED_LOOKS or not _may_pass(error):
                    raise
                self._sleep(longest)
                continue
            missed = 0
            on_progress(job)
            if job.ended:
                return job
            if until is not None and time.monotonic() + pause > until:
                raise TimeoutError(f"job {job_id} is still {job.status} after {timeout_s:g} s")
            self._sleep(pause)
            pause = min(pause * 1.5, longest)

    def cancel(self, job_id: str) -> None:
        """Cancel; what was not delivered is refunded."""
        self._call("POST", f"/jobs/{job_id}/cancel")

    def download(self, url: str, to: Path) -> Path:
        """Store what a signed address holds as `to`, whole or not at all. Returns `to`."""
        draft = to.with_name(f".{to.name}.part")

        def get() -> httpx.Response:
            with self._http.stream("GET", url) as answer:
                if not answer.is_success:
                    answer.read()
                    return answer
                with draft.open("wb") as out:
                    for chunk in answer.iter_bytes():
                        out.write(chunk)
                return answer

        try:
            _accepted(self._patiently(get))
            draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)
        return to

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

        def send() -> httpx.Response:
            return self._http.request(method, path, json=body, headers=headers)

        return _checked(self._patiently(send) if method == "GET" else send())

    def _patiently(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until the server answers something else than 503; the last attempt's outcome counts."""
        for pause in _pauses():
            try:
                answer = send()
            except httpx.TransportError:
                self._sleep(pause)
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            self._sleep(max(pause, _retry_after(answer)))
        return send()


def _may_pass(error: Exception) -> bool:
    """True for what a server shows while a part of it is replaced: no answer, a 5xx, a page that is not ours."""
    return not isinstance(error, PaletteApiError) or error.status >= 500 or error.code == _NOT_OURS


def _pauses() -> Iterator[float]:
    for attempt in range(_ATTEMPTS - 1):
        yield _FIRST_PAUSE_S * 2**attempt


def _retry_after(answer: httpx.Response) -> float:
    """Seconds the server asks for, within reason."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE_S) if asked.isdigit() else 0.0


def _checked(answer: httpx.Response) -> Any:
    """The envelope's data. Raises PaletteApiError, also for an answer that is no envelope of ours."""
    _accepted(answer)
    try:
        return answer.json()["data"]
    except (ValueError, KeyError, TypeError):
        raise _not_ours(answer) from None


def _accepted(answer: httpx.Response) -> None:
    """Raise PaletteApiError unless the status is a good one; an object store's own answers have no envelope."""
    if answer.is_success:
        return
    try:
        error = answer.json()["error"]
        raise PaletteApiError(error["code"], error["message"], answer.status_code)
    except (ValueError, KeyError, TypeError):
        raise _not_ours(answer) from None


def _not_ours(answer: httpx.Response) -> PaletteApiError:
    return PaletteApiError(
        _NOT_OURS, f"{answer.request.url.host} did not answer as an S3 Palette server does", answer.status_code
    )
