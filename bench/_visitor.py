"""A client of the HTTP API as people use it, every request of it written down: route, status, latency."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _http import Answer, Connection

__all__ = ["Record", "Visit", "Visitor"]

LOOK_EVERY_S = 1.0
"""How often a client asks for its job while it runs."""
ENDED = ("done", "failed", "canceled")
_IDS = re.compile(r"/j_[0-9a-f]+|/storage/.*")
PERCENTILES = (50, 95, 99, 100)


@dataclass
class Record:
    """What was answered, by route and status; latencies in seconds."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of answers that were no refusals."""
    refusals: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Of answers >= 400, by status, "503" with a Retry-After header apart from one without."""
    answers: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    """Connections that broke, by error."""

    def add(self, route: str, answer: Answer, seconds: float) -> None:
        self.answers[str(answer.status)] += 1
        if answer.status < 400:
            self.latencies[route].append(seconds)
        else:
            later = " with Retry-After" if "retry-after" in answer.fields else ""
            self.refusals[f"{answer.status}{later}"].append(seconds)

    def table(self) -> str:
        """Latencies of each route, in ms."""
        lines = [f"| {'route':32} | {'answers':>7} |" + "".join(f" {f'p{p}':>7} |" for p in PERCENTILES)]
        lines.append(f"|{'-' * 34}|{'-' * 8}:|" + "".join(f"{'-' * 8}:|" for _ in PERCENTILES))
        for route, seconds in (*sorted(self.latencies.items()), *sorted(self.refusals.items())):
            values = "".join(f" {1000 * v:7.0f} |" for v in np.percentile(seconds, PERCENTILES))
            lines.append(f"| {route:32} | {len(seconds):7} |{values}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Visit:
    """One job from the first request to the last download; seconds of the loop's clock."""

    status: str
    photos_done: int
    executed_at: float
    ended_at: float
    waited_out: int
    """How many 503 the client waited out."""


class Visitor:
    """One user on one connection. A 503 is waited out as its Retry-After says, like any careful client does."""

    def __init__(self, url: str, record: Record, *, patience_s: float = 3600.0) -> None:
        self._connection = Connection(url)
        self._record = record
        self._patience_s = patience_s
        self.token: str | None = None
        self._waited_out = 0

    async def sign_up(self) -> None:
        self.token = (await self.get("POST", "/auth/anon", {}))["token"]

    async def get(self, method: str, target: str, body: Any = None) -> Any:
        """`data` of the answer."""
        return (await self._patiently(method, target, body)).data

    async def job(self, preset: str, photos: Sequence[bytes], rule: Mapping[str, Any], *, download: bool) -> Visit:
        """Create, upload, confirm, execute, look until it has ended, and fetch what came out."""
        loop = asyncio.get_running_loop()
        self._waited_out = 0
        made = await self.get("POST", "/jobs", {"preset": preset, "item_count": len(photos)})
        path = f"/jobs/{made['job_id']}"
        for target, photo in zip(made["presigned_urls"], photos, strict=True):
            await self.get("PUT", target["url"], photo)
        await self.get("POST", f"{path}/confirm-upload")
        await self.get("POST", f"{path}/execute", rule)
        executed_at = loop.time()
        while (job := (await self.get("GET", path))["job"])["status"] not in ENDED:
            if loop.time() - executed_at > self._patience_s:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        ended_at = loop.time()
        for done in job["download_urls"] if download else ():
            await self._patiently("GET", done["preview_url"])
            await self._patiently("GET", done["output_url"])
        return Visit(job["status"], job["done_items"], executed_at, ended_at, self._waited_out)

    async def close(self) -> None:
        await self._connection.close()

    async def _patiently(self, method: str, target: str, body: Any = None) -> Answer:
        route = f"{method} {_route(target)}"
        while True:
            began = time.perf_counter()
            try:
                answer = await self._connection.ask(method, target, token=self.token, body=body)
            except (OSError, EOFError) as error:
                self._record.broken[type(error).__name__] += 1
                raise
            self._record.add(route, answer, time.perf_counter() - began)
            if answer.status != 503:
                break
            self._waited_out += 1
            await asyncio.sleep(float(answer.fields.get("retry-after", 1)))
        if answer.status >= 400:
            raise RuntimeError(f"{method} {target}: {answer.status} {answer.body[:300]!r}")
        return answer


def _route(target: str) -> str:
    path = re.sub(r"^https?://[^/]+", "", target).partition("?")[0]
    return _IDS.sub(lambda found: "/storage/{key}" if found[0].startswith("/storage") else "/{id}", path)
