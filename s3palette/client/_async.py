"""Carries out the steps of a flow on an asyncio loop; side by side means tasks, and files are read in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar, assert_never

import httpx

from s3palette.client._steps import Answer, Fetch, Flow, Pause, Put, Send, Step, Together
from s3palette.client._wire import CHUNK_BYTES, answer_of, draft_of, put_headers, request_of

__all__ = ["AsyncDriver"]

T = TypeVar("T")


class AsyncDriver:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result. What a step raises, cancellation too, is raised in the flow first, so that it can tidy
        up."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = await self._do(step)
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _do(self, step: Step) -> Any:
        match step:
            case Send():
                response = await self._http.send(request_of(self._http, step))
                return answer_of(response, response.content)
            case Put():
                headers = await asyncio.to_thread(put_headers, step)
                response = await self._http.put(step.url, content=_pieces(step.photo), headers=headers)
                return answer_of(response, response.content)
            case Fetch():
                return await self._fetch(step)
            case Pause():
                return await asyncio.sleep(step.seconds)
            case Together():
                return await self._together(step)
            case _:
                assert_never(step)

    async def _fetch(self, step: Fetch) -> Answer:
        async with self._http.stream("GET", step.url) as response:
            if step.to is None or not response.is_success:
                return answer_of(response, await response.aread())
            draft = draft_of(step.to)
            try:
                with await asyncio.to_thread(draft.open, "wb") as out:
                    async for piece in response.aiter_bytes(CHUNK_BYTES):
                        await asyncio.to_thread(out.write, piece)
                await asyncio.to_thread(draft.replace, step.to)
            finally:
                draft.unlink(missing_ok=True)
            return answer_of(response, b"")

    async def _together(self, step: Together) -> list[Any]:
        places = asyncio.Semaphore(step.at_once)

        async def one(position: int, flow: Flow[Any]) -> Any:
            async with places:
                result = await self.run(flow)
            step.on_done(position)
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(position, flow)) for position, flow in enumerate(step.flows)]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]


async def _pieces(photo: Path | bytes) -> AsyncIterator[bytes]:
    """The photo from its first byte, a piece at a time."""
    if isinstance(photo, bytes):
        for start in range(0, len(photo), CHUNK_BYTES):
            yield photo[start : start + CHUNK_BYTES]
        return
    with await asyncio.to_thread(photo.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
