"""The demo's way through the API: two users, two jobs at once, results to a folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3palette.client import AlbumResult, AsyncClient, Progress
from s3palette.demo.albums import ALBUMS, Album
from s3palette.demo.gallery import paint

__all__ = ["DemoFailed", "Outcome", "run_demo"]

_JOBS_WITHIN_S = 600.0
_STEPS: Mapping[str, str] = {"upload": "upload", "edit": "segment and apply", "download": "download"}


class DemoFailed(Exception):
    """A job did not deliver every photo. One sentence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One album: its pictures, the sheet first, and what each step took."""

    album: Album
    pictures: Sequence[Path]
    seconds: Mapping[str, float]
    """Step -> seconds, in the order of the steps."""


def run_demo(
    url: str, out: Path, on_progress: Callable[[Album, Progress], None] = lambda album, told: None
) -> list[Outcome]:
    """Run every album against the system at `url` and leave the pictures in `out/<album>/`.

    Raises DemoFailed, PaletteError, httpx.TransportError, OSError.
    """
    runs = [_Run(album, out / album.name, on_progress) for album in ALBUMS]
    results = asyncio.run(_together(url, runs))
    return [run.finish(result) for run, result in zip(runs, results, strict=True)]


async def _together(url: str, runs: Sequence[_Run]) -> Sequence[AlbumResult]:
    return await asyncio.gather(*(run.send(url) for run in runs))


class _Run:
    """One album on its way, with a user of its own: the free plan has one job at once."""

    def __init__(self, album: Album, folder: Path, on_progress: Callable[[Album, Progress], None]) -> None:
        self._album = album
        self._folder = folder
        self._on_progress = on_progress
        self._seconds: dict[str, float] = {}
        self._step, self._began = "sign up", 0.0

    async def send(self, url: str) -> AlbumResult:
        """Sign up, upload, execute, wait, download."""
        album = self._album
        self._began = time.monotonic()
        async with AsyncClient(url) as client:
            await client.sign_up()
            self._next_step("upload")
            result = await client.run(
                album.photos,
                album.preset,
                album.concepts,
                protect=album.protect,
                progress=self._show,
                masks=True,
                save_to=self._folder,
                timeout_s=_JOBS_WITHIN_S,
            )
        for photo in result.failed:
            raise DemoFailed(f"{photo.name} of the {album.name} album failed: {photo.error}")
        self._next_step("draw")
        return result

    def finish(self, result: AlbumResult) -> Outcome:
        """Draw."""
        self._began = time.monotonic()  # the other album may have taken longer
        pictures = paint(result, self._album, self._folder)
        self._next_step("")
        return Outcome(self._album, pictures, self._seconds)

    def _show(self, told: Progress) -> None:
        if _STEPS[told.phase] != self._step:
            self._next_step(_STEPS[told.phase])
        self._on_progress(self._album, told)

    def _next_step(self, name: str) -> None:
        """The step before it has ended."""
        now = time.monotonic()
        self._seconds[self._step] = now - self._began
        self._step, self._began = name, now
