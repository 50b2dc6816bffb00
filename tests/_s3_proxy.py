"""A bad network in front of an S3 server: it can be down, slow, or answer 503 as an overloaded store does.

Bytes and the Host header pass as they are, so signatures stay valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

__all__ = ["BadNetwork", "bad_network"]

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
BUSY = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(SLOW_DOWN)
    + SLOW_DOWN
)


class BadNetwork:
    """Passes everything on to 127.0.0.1:`to` until it is told otherwise; `port` is where it listens."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        """Wait before each request is passed on."""
        self.busy = 0
        """So many of the next requests are answered 503."""
        self.refused = 0
        """How many were."""
        self.waiting = 0
        """Requests that are held back now."""
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listen, on the same port as before."""
        self._do(self._listen())

    def down(self) -> None:
        """Break every connection and refuse new ones."""
        self._do(self._break())

    def close(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _break(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        back: asyncio.Task[None] | None = None
        server_writer: asyncio.StreamWriter | None = None
        # A side that hangs up in the middle is what this is for.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._to)
            back = asyncio.create_task(_pump(server_reader, writer))
            while True:
                await self._request(reader, writer, server_writer)
        if back is not None:
            back.cancel()
        for each in (writer, server_writer):
            if each is not None:
                each.transport.abort()
        self._open.discard(task)

    async def _request(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        self.waiting += 1
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.waiting -= 1
        if self.busy:
            self.busy -= 1
            self.refused += 1
            client.write(BUSY)
        else:
            server.write(head + body)
            await server.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def bad_network(to: int) -> Iterator[BadNetwork]:
    """A network in front of port `to`, up and well at first."""
    network = BadNetwork(to)
    network.up()
    try:
        yield network
    finally:
        network.close()
