"""Plays a flow against answers written down beforehand: the clients' logic without a wire and without waiting."""

from __future__ import annotations

import json
from typing import Any

import httpx

from s3palette.client._steps import Answer, Flow, Pause, Step, Together

__all__ = ["JOB", "ME", "Script", "answer", "job"]

ME = {
    "user_id": "u", "plan": "free", "credits": 9, "rule_slots": 0, "max_rule_slots": 2, "concurrent_jobs": 0,
    "max_concurrent_jobs": 1, "new": 1,
}  # fmt: skip
JOB = {
    "job_id": "j_1", "user_id": "u_1", "status": "running", "preset": "interior", "total_items": 2, "done_items": 1,
    "failed_items": 0, "a_later_field": 1, "presigned_urls": [],
    "items": [
        {"idx": 0, "status": "done", "error": None, "warnings": ["w"], "masks": {"Wall": "http://x/m"},
         "instances_url": "http://x/i", "another": True},
        {"idx": 1, "status": "pending"},
    ],
    "download_urls": [{"idx": 0, "output_url": "http://x/o", "preview_url": "http://x/p"}],
}  # fmt: skip


def answer(data: Any = None, status: int = 200, code: str = "", text: str | None = None, **headers: str) -> Answer:
    """An envelope; with `text` something else."""
    error = {"code": code, "message": f"about {code}"} if code else None
    body = {"success": error is None, "data": data, "error": error, "meta": {"request_id": "r", "timestamp": "t"}}
    content = json.dumps(body) if text is None else text
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.Headers(told), content.encode(), "server")


def job(**fields: Any) -> Answer:
    return answer({"job": {**JOB, **fields}})


class Script:
    """Answers one step after another; an exception is raised instead. Remembers the steps and the pauses."""

    def __init__(self, *outcomes: Answer | BaseException) -> None:
        self.outcomes = list(outcomes)
        self.steps: list[Any] = []
        self.slept: list[float] = []

    def play(self, flow: Flow[Any]) -> Any:
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._do(step)
                except BaseException as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            return end.value

    def _do(self, step: Step) -> Any:
        if isinstance(step, Pause):
            self.slept.append(step.seconds)
            return None
        if isinstance(step, Together):
            results = []
            for position, flow in enumerate(step.flows):
                results.append(self.play(flow))
                step.on_done(position)
            return results
        self.steps.append(step)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome
