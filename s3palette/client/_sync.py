"""Carries out the steps of a flow with blocking calls; side by side means threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar, assert_never

import httpx

from s3palette.client._steps import Answer, Fetch, Flow, Pause, Put, Send, Step, Together
from s3palette.client._wire import CHUNK_BYTES, answer_of, draft_of, put_headers, request_of

__all__ = ["SyncDriver"]

T = TypeVar("T")


class _Stopped(Exception):
    """Another flow of the same Together failed, or the caller is on the way out."""


class SyncDriver:
    """May be shared by threads."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def run(self, flow: Flow[T]) -> T:
        """The flow's result. What a step raises, Ctrl-C too, is raised in the flow first, so that it can tidy up."""
        return self._run(flow, threading.Event())

    def _run(self, flow: Flow[T], stop: threading.Event) -> T:
        try:
            step = next(flow)
            while True:
                try:
                    if stop.is_set():
                        raise _Stopped
                    outcome = self._do(step, stop)
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result

    def _do(self, step: Step, stop: threading.Event) -> Any:
        match step:
            case Send():
                response = self._http.send(request_of(self._http, step))
                return answer_of(response, response.content)
            case Put():
                response = self._http.put(step.url, content=_pieces(step.photo, stop), headers=put_headers(step))
                return answer_of(response, response.content)
            case Fetch():
                return self._fetch(step, stop)
            case Pause():
                stop.wait(step.seconds)
                return None
            case Together():
                return self._together(step)
            case _:
                assert_never(step)

    def _fetch(self, step: Fetch, stop: threading.Event) -> Answer:
        with self._http.stream("GET", step.url) as response:
            if step.to is None or not response.is_success:
                return answer_of(response, response.read())
            draft = draft_of(step.to)
            try:
                with draft.open("wb") as out:
                    for piece in response.iter_bytes(CHUNK_BYTES):
                        if stop.is_set():
                            raise _Stopped
                        out.write(piece)
                draft.replace(step.to)
            finally:
                draft.unlink(missing_ok=True)
            return answer_of(response, b"")

    def _together(self, step: Together) -> list[Any]:
        stop = threading.Event()
        results: list[Any] = [None] * len(step.flows)
        with ThreadPoolExecutor(step.at_once, thread_name_prefix="s3palette") as threads:
            tasks = {threads.submit(self._run, flow, stop): position for position, flow in enumerate(step.flows)}
            try:
                for task in as_completed(tasks):
                    results[tasks[task]] = task.result()
                    step.on_done(tasks[task])
            except BaseException:
                stop.set()
                threads.shutdown(cancel_futures=True)
                raise
        return results


def _pieces(photo: Path | bytes, stop: threading.Event) -> Iterator[bytes]:
    """The photo from its first byte, a piece at a time."""
    if isinstance(photo, bytes):
        for start in range(0, len(photo), CHUNK_BYTES):
            if stop.is_set():
                raise _Stopped
            yield photo[start : start + CHUNK_BYTES]
        return
    with photo.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            if stop.is_set():
                raise _Stopped
            yield piece
