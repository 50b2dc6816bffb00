"""A real server on a real socket: the edge over the real entities, an engine that copies, and faults on demand."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import uvicorn
from starlette.responses import Response

from actors.photo_dispatch import PhotoDispatch, PhotoOutcome, PhotoTask
from event_store import OutboxRow
from s3palette.domain import keys
from s3palette.domain.model import Address, Command, RunPhoto
from s3palette.settings import load_settings
from s3palette.testing import FakeClock

from ..http.conftest import SECRET, Api

__all__ = ["Faults", "FaultyServer", "serve"]

Kind = Literal["drop", "lose", "busy", "slow", "page"]
"""Closed before it is handled, or after; 503; no answer for a while; somebody else's page."""

_STUCK_FOR_S = 30.0


class CopyingEngine(Api):
    """Delivers what was uploaded; what begins with "broken" is no image, and "stuck" is never done."""

    async def _take_note_of_photo(self, job: Address, task: RunPhoto, row: OutboxRow, correlation: str) -> None:
        dispatch = PhotoDispatch(
            self._copy, self.host.ask, self.events, now=self.clock, in_flight=4, timeout_s=_STUCK_FOR_S
        )
        await dispatch.run(job, task, row, correlation)

    async def _copy(self, task: PhotoTask) -> PhotoOutcome:
        user_id, job_id, idx = task.user_id, task.job_id, task.idx
        photo = await self.store.get(keys.input_key(user_id, job_id, idx))
        if photo.startswith(b"stuck"):
            await asyncio.sleep(2 * _STUCK_FOR_S)
        if photo.startswith(b"broken"):
            return PhotoOutcome("failed", error="The file is not an image.")
        output, mask = keys.output_key(user_id, job_id, idx), keys.mask_key(user_id, job_id, idx, "Floor")
        await self.store.put(output, photo, "image/png")
        await self.store.put(mask, b"mask", "image/png")
        colors = dict.fromkeys(task.measure, "#8FA78F")
        return PhotoOutcome("done", output_key=output, mask_keys={"Floor": mask}, colors=colors)


@dataclass
class Faults:
    """What befalls which requests: (method, part of the path) -> faults, one a request, in order."""

    planned: dict[tuple[str, str], list[Kind]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def next(self, method: str, path: str) -> Kind | None:
        self.seen.append(f"{method} {path}")
        for (wanted, part), kinds in self.planned.items():
            if wanted == method and part in path and kinds:
                return kinds.pop(0)
        return None


@dataclass(frozen=True)
class FaultyServer:
    url: str
    api: CopyingEngine
    faults: Faults
    loop: asyncio.AbstractEventLoop

    def ask(self, to: Address, command: Command) -> Any:
        """The entity's reply, from the thread of the test."""
        return asyncio.run_coroutine_threadsafe(self.api.ask(to, command), self.loop).result()


@contextmanager
def serve(data_dir: Path) -> Iterator[FaultyServer]:
    """Runs in a thread until the end."""
    started: threading.Event = threading.Event()
    told: list[Any] = []
    thread = threading.Thread(target=lambda: asyncio.run(_main(data_dir, told, started)))
    thread.start()
    assert started.wait(30)
    server, running = told
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join()


async def _main(data_dir: Path, told: list[Any], started: threading.Event) -> None:
    api = CopyingEngine(load_settings(**({"data_dir": data_dir} | SECRET)), FakeClock(), {})
    faults = Faults()
    server = uvicorn.Server(uvicorn.Config(_faulty(api, faults), log_level="error", lifespan="off", http="h11"))
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    told += [server, FaultyServer(url, api, faults, asyncio.get_running_loop())]
    started.set()
    await server.serve([listening])
    await api.close()


def _faulty(api: CopyingEngine, faults: Faults) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        fault = faults.next(scope["method"], scope["path"])
        connection = send.__self__.transport
        match fault:
            case "drop":
                connection.abort()
            case "lose":
                await api.app(scope, receive, _nowhere)
                connection.abort()
            case "busy":
                await Response(status_code=503, headers={"Retry-After": "0"})(scope, receive, send)
            case "page":
                await Response("no such route", 404)(scope, receive, send)
            case "slow":
                await asyncio.sleep(0.5)
                connection.abort()
            case None:
                await api.app(scope, receive, send)

    return app


async def _nowhere(message: Any) -> None:
    return None
