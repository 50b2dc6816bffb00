"""One job of 30 photos of 12 MP on the pro plan, from the first upload to the last result.

    python bench/jobs.py [--photos 30] [--megapixels 12] [--at-once 2]

The job goes through the whole system with the classical engine. Two peers, in the same run, on the same cores and as
many photos side by side: decoding and encoding alone (what nobody who edits photos can save), and the engine without
the system. They run before and after the job, by turns with it: the machine may be shared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
from _http import Connection, run_side_by_side
from _photos import INTERIOR, album
from _system import Bench, cpu_seconds, machine, system
from _visitor import ENDED

import engine
from engine.image_io import decode, encode_png, encode_preview
from s3palette.engines import load_segmenter
from s3palette.recipes import build_recipe
from s3palette.settings import Settings

RULE = {"concepts": INTERIOR.concepts, "protect": INTERIOR.protect}
UPLOADS_AT_ONCE = 4


@dataclass(frozen=True)
class Took:
    """Seconds."""

    upload: float
    run: float
    """From the execution to the last photo."""
    download: float
    cpu: dict[str, float]
    """CPU seconds by process, of the run."""
    stages: dict[str, float]
    """The engine's own account, summed over the photos."""


@dataclass(frozen=True)
class Cost:
    """Seconds a photo."""

    wall: float
    cpu: float
    """Of all threads or processes; what a machine busy with other work hardly changes."""


def side_by_side(photos: list[bytes], at_once: int, work: Callable[[bytes], object]) -> Cost:
    """`at_once` photos at a time."""
    with ThreadPoolExecutor(at_once) as threads:
        began, cpu = time.perf_counter(), time.process_time()
        list(threads.map(work, photos))
        return Cost((time.perf_counter() - began) / len(photos), (time.process_time() - cpu) / len(photos))


def mean(costs: list[Cost]) -> Cost:
    return Cost(statistics.mean(cost.wall for cost in costs), statistics.mean(cost.cpu for cost in costs))


def bare_files(data: bytes) -> None:
    photo = decode(data)
    encode_png(photo.rgb)
    encode_preview(photo.rgb)


def bare_engine() -> Callable[[bytes], object]:
    segmenter, _ = load_segmenter(Settings(engine="classical"))
    recipe = build_recipe(INTERIOR.preset, INTERIOR.concepts, INTERIOR.protect)
    return lambda data: engine.process(data, recipe, segmenter)


def set_plan(bench: Bench, user_id: str) -> None:
    command = [sys.executable, "-m", "s3palette", "user", "set-plan", user_id, "pro"]
    subprocess.run([*command, "--data-dir", str(bench.data_dir)], check=True, stdout=subprocess.DEVNULL)


async def run_job(bench: Bench, photos: list[bytes]) -> Took:
    connection = Connection(bench.url)
    signed_in = await connection.call("POST", "/auth/anon", body={})
    token = signed_in["token"]
    await asyncio.to_thread(set_plan, bench, signed_in["user_id"])
    made = await connection.call(
        "POST", "/jobs", token=token, body={"preset": INTERIOR.preset, "item_count": len(photos)}
    )
    path, urls = f"/jobs/{made['job_id']}", [target["url"] for target in made["presigned_urls"]]

    async def put(lane: Connection, number: int) -> None:
        await lane.call("PUT", urls[number], body=photos[number])

    upload = await run_side_by_side(bench.url, UPLOADS_AT_ONCE, len(photos), put)
    await connection.call("POST", f"{path}/confirm-upload", token=token)
    before, began = cpu_seconds(bench.pid), time.perf_counter()
    await connection.call("POST", f"{path}/execute", token=token, body=RULE)
    job = (await connection.call("GET", path, token=token))["job"]
    while job["status"] not in ENDED:
        await asyncio.sleep(0.2)
        job = (await connection.call("GET", path, token=token))["job"]
    run = time.perf_counter() - began
    after = cpu_seconds(bench.pid)
    if job["done_items"] != len(photos):
        raise RuntimeError(f"{job['done_items']} of {len(photos)} photos were delivered")

    async def get(lane: Connection, number: int) -> None:
        await lane.ask("GET", job["download_urls"][number]["output_url"])

    download = await run_side_by_side(bench.url, UPLOADS_AT_ONCE, len(photos), get)
    await connection.close()
    cpu = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return Took(upload, run, download, cpu, stages(bench.data_dir, made["job_id"]))


def stages(data_dir: Path, job_id: str) -> dict[str, float]:
    """Seconds of each of the engine's stages over all photos of a job, from the event log."""
    total: dict[str, float] = defaultdict(float)
    log = sqlite3.connect(f"file:{data_dir / 'log.sqlite3'}?mode=ro", uri=True)
    rows = log.execute("SELECT data FROM events WHERE stream = ? AND type = 'PhotoDelivered'", (f"job-{job_id}",))
    for (data,) in rows:
        for stage, milliseconds in json.loads(data)["timings_ms"].items():
            total[stage] += milliseconds / 1000
    log.close()
    return dict(total)


def report(took: Took, count: int, at_once: int, files: Cost, alone: Cost) -> None:
    cpu = sum(seconds for name, seconds in took.cpu.items() if name != "this benchmark") / count
    print("| a photo | s | x files | x engine | CPU s | x files | x engine |\n|---|---:|---:|---:|---:|---:|---:|")
    for name, cost in (
        ("decoding and encoding its files", files),
        ("the engine alone", alone),
        ("the job, execute to the last photo", Cost(took.run / count, cpu)),
    ):
        wall = f"{cost.wall:.2f} | {cost.wall / files.wall:.2f} | {cost.wall / alone.wall:.2f}"
        print(f"| {name} | {wall} | {cost.cpu:.2f} | {cost.cpu / files.cpu:.2f} | {cost.cpu / alone.cpu:.2f} |")
    every = took.upload + took.run + took.download
    print(f"\nthe job {took.run:.1f} s; with uploads and downloads {every:.1f} s")
    print(f"\nupload {took.upload:.1f} s, download {took.download:.1f} s, {UPLOADS_AT_ONCE} at a time on this machine")
    engine_time = sum(took.stages.values())
    print(f"of the engine's time ({at_once} photos at once):")
    for stage, seconds in sorted(took.stages.items(), key=lambda item: -item[1]):
        print(f"  {stage:10} {1000 * seconds / count:6.0f} ms a photo  {seconds / engine_time:4.0%}")
    print(f"CPU seconds a photo while the job ran ({took.run:.0f} s):")
    for name, seconds in sorted(took.cpu.items(), key=lambda item: -item[1]):
        if seconds / count >= 0.005:
            print(f"  {name:26} {seconds / count:5.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--photos", type=int, default=30)
    options.add_argument("--megapixels", type=float, default=12.0)
    options.add_argument("--at-once", type=int, default=2, help="photos a worker works on side by side")
    chosen = options.parse_args()
    cv2.setNumThreads(1)
    photos = album(chosen.photos, chosen.megapixels)
    size = sum(map(len, photos)) / len(photos) / 1e6
    print(
        f"{machine()}\n{len(photos)} photos of {chosen.megapixels:g} MP, {size:.1f} MB each, {chosen.at_once} at once\n"
    )
    process, half = bare_engine(), photos[: (len(photos) + 1) // 2]
    files: list[Cost] = []
    alone: list[Cost] = []

    def peers() -> None:
        files.append(side_by_side(half, chosen.at_once, bare_files))
        alone.append(side_by_side(half, chosen.at_once, process))

    peers()
    with system("classical", S3P_ENGINE_INFLIGHT=str(chosen.at_once)) as bench:
        took = asyncio.run(run_job(bench, photos))
    peers()
    report(took, len(photos), chosen.at_once, mean(files), mean(alone))
    print(machine())


if __name__ == "__main__":
    main()
