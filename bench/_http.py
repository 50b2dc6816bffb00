"""A lean HTTP/1.1 client for benchmarks: httpx would spend more time than the server on two shared cores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Answer", "Connection", "run_side_by_side"]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: dict[str, str]
    """Header fields, names in lower case."""
    body: bytes

    @property
    def data(self) -> Any:
        """`data` of the envelope."""
        return json.loads(self.body)["data"]


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, target: str, *, token: str | None = None, body: Any = None, secret: str | None = None
    ) -> Any:
        """`data` of the envelope; RuntimeError for an error. Takes what `ask` takes."""
        answer = await self.ask(method, target, token=token, body=body, secret=secret)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {target}: {answer.status} {answer.body[:500]!r}")
        return answer.data

    async def ask(
        self, method: str, target: str, *, token: str | None = None, body: Any = None, secret: str | None = None
    ) -> Answer:
        """Whatever is answered. `target` is a path or an absolute address; bytes go out raw, the rest as JSON.

        Raises OSError or EOFError where the connection breaks; the next request opens a new one.
        """
        if target.startswith("http"):
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(raw)}"]
        if raw:
            lines.append(f"Content-Type: {kind}")
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if secret:
            lines.append(f"X-Callback-Secret: {secret}")
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        try:
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
            }
            answer = Answer(int(head.split(" ", 2)[1]), fields, await reader.readexactly(int(fields["content-length"])))
        except BaseException:
            self._drop()  # half an answer may be left in it
            raise
        if fields.get("connection", "").lower() == "close":
            self._drop()
        return answer

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            await self._streams[1].wait_closed()

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def run_side_by_side(
    base_url: str, lanes: int, total: int, work: Callable[[Connection, int], Awaitable[None]]
) -> float:
    """Do `work` for 0..total-1 on `lanes` connections at once; wall seconds."""
    loop = asyncio.get_running_loop()
    numbers = iter(range(total))

    async def lane() -> None:
        connection = Connection(base_url)
        for number in numbers:
            await work(connection, number)
        await connection.close()

    began = loop.time()
    await asyncio.gather(*(lane() for _ in range(lanes)))
    return loop.time() - began
