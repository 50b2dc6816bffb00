"""A lean HTTP/1.1 client for benchmarks: httpx would spend more time than the server on two shared cores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Connection", "run_side_by_side"]


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, target: str, *, token: str | None = None, body: Any = None, secret: str | None = None
    ) -> Any:
        """`data` of the envelope. `target` is a path or an absolute address; bytes go out raw, the rest as JSON."""
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
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        answer = json.loads(await reader.readexactly(int(fields["content-length"])))
        if status >= 400:
            raise RuntimeError(f"{method} {target}: {status} {answer}")
        return answer["data"]

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            await self._streams[1].wait_closed()


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
