"""The demo's way through the API: two users, two jobs at once, results to a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from s3palette.client import Client, Job
from s3palette.demo.albums import ALBUMS, Album
from s3palette.demo.gallery import fetch, paint

__all__ = ["DemoFailed", "Outcome", "run_demo"]

_POLL_S = 0.2
_JOBS_WITHIN_S = 600.0


class DemoFailed(Exception):
    """A job did not deliver every photo. One sentence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One album: its pictures, the sheet first, and what each step took."""

    album: Album
    pictures: Sequence[Path]
    seconds: Mapping[str, float]
    """Step -> seconds, in the order of the steps."""


def run_demo(url: str, out: Path, on_progress: Callable[[Album, Job], None] = lambda album, job: None) -> list[Outcome]:
    """Run every album against the system at `url` and leave the pictures in `out/<album>/`.

    `on_progress` gets each job whenever it was looked at. Raises DemoFailed, PaletteApiError, httpx.TransportError,
    OSError.
    """
    with ExitStack() as clients:
        runs = []
        for album in ALBUMS:
            run = _Run(clients.enter_context(Client(url)), album, out / album.name)
            run.begin()
            runs.append(run)
        _watch(runs, on_progress)
        return [run.finish() for run in runs]


class _Run:
    """One album on its way, with a user of its own: the free plan has one job at once."""

    def __init__(self, client: Client, album: Album, folder: Path) -> None:
        self.album = album
        self._client = client
        self._folder = folder
        self._seconds: dict[str, float] = {}
        self._began = 0.0
        self._job_id = ""
        self._job: Job | None = None

    def begin(self) -> None:
        """Sign up, upload, queue."""
        album, client = self.album, self._client
        with self._step("sign up"):
            client.sign_up()
        with self._step("upload"):
            job = client.create_job(album.preset, len(album.photos))
            client.upload(job, album.photos)
            client.confirm(job.job_id)
        client.execute(job.job_id, album.concepts, protect=album.protect)
        self._began, self._job_id = time.monotonic(), job.job_id

    def look(self) -> Job:
        """The job now; its running time ends with the look that sees it ended."""
        if self._job is None or not self._job.ended:
            self._job = self._client.job(self._job_id)
            self._seconds["segment and apply"] = time.monotonic() - self._began
        return self._job

    def finish(self) -> Outcome:
        """Download and draw. Raises DemoFailed unless every photo was delivered."""
        job = self.look()
        for item in job.items:
            if item.status != "done":
                name = self.album.photo_names[item.idx]
                raise DemoFailed(f"{name} of the {self.album.name} album failed: {item.error}")
        with self._step("download"):
            fetch(self._client, job, self.album, self._folder)
        with self._step("draw"):
            pictures = paint(job, self.album, self._folder)
        return Outcome(self.album, pictures, self._seconds)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[name] = time.monotonic() - began


def _watch(runs: Sequence[_Run], on_progress: Callable[[Album, Job], None]) -> None:
    until = time.monotonic() + _JOBS_WITHIN_S
    while True:
        jobs = [run.look() for run in runs]
        for run, job in zip(runs, jobs, strict=True):
            on_progress(run.album, job)
        if all(job.ended for job in jobs):
            return
        if time.monotonic() > until:
            raise DemoFailed(f"The jobs did not end within {_JOBS_WITHIN_S:.0f} s.")
        time.sleep(_POLL_S)
