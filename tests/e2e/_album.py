"""Photos and jobs for the end-to-end suites."""

from __future__ import annotations

import time
from typing import Any

import cv2
import httpx
import numpy as np

__all__ = ["RULE", "data", "finish", "product_photo", "run_job", "start_job"]

RULE = {"concepts": {"Product": {"action": "recolor", "value": "#2E6FB7"}}, "protect": []}


def product_photo(seed: int, side: int = 900) -> bytes:
    """A shaded ball on a plain ground, as JPEG: something the classical engine finds."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    inside = x**2 + y**2 < 0.09
    shade = 0.55 + 0.9 * np.sqrt(np.clip(0.09 - x**2 - y**2, 0, None))
    ball = np.array([40, 60, 170], np.float32) * shade[..., None]
    ground = np.array([228, 230, 232], np.float32) * (1 - 0.1 * y[..., None])
    noisy = np.where(inside[..., None], ball, ground) + rng.normal(0, 1.5, (side, side, 1))
    ok, encoded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert ok
    return encoded.tobytes()


def data(answer: httpx.Response) -> Any:
    """`data` of a successful envelope."""
    body = answer.json()
    assert body["success"], body
    return body["data"]


def start_job(client: httpx.Client, photos: list[bytes], rule: Any = None, preset: str = "seller") -> str:
    """Create, upload, confirm, execute; the job's id."""
    job = data(client.post("/jobs", json={"preset": preset, "item_count": len(photos)}))
    for photo, target in zip(photos, job["presigned_urls"], strict=True):
        upload = {"content": photo, "headers": {"Content-Type": "application/octet-stream"}}
        httpx.put(target["url"], timeout=30, **upload).raise_for_status()
    data(client.post(f"/jobs/{job['job_id']}/confirm-upload"))
    data(client.post(f"/jobs/{job['job_id']}/execute", json=rule or RULE))
    job_id: str = job["job_id"]
    return job_id


def finish(client: httpx.Client, job_id: str, seconds: float = 120) -> Any:
    """Wait for the job's end; the job."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            job = data(client.get(f"/jobs/{job_id}"))["job"]
        except (httpx.TransportError, AssertionError):  # a part of the system is being replaced
            time.sleep(0.3)
            continue
        if job["status"] in ("done", "failed", "canceled"):
            return job
        time.sleep(0.1)
    raise AssertionError(f"job {job_id} did not end within {seconds} s: {job}")


def run_job(client: httpx.Client, photos: list[bytes], rule: Any = None, preset: str = "seller") -> Any:
    """The whole main job; the job as it ended."""
    return finish(client, start_job(client, photos, rule, preset))
