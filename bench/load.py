"""Many users at once, and more than the system can take.

    python bench/load.py [albums] [crowd] [uploads] [queue]      all four without a name; about half an hour on 2 cores

albums   50 users at once, each with a job of 10 photos on the classical engine. Peer: the bare engine, without the
         system, on the same cores just before and just after; the better of the two counts.
crowd    1,000 and 2,000 clients without a pause between their requests (sign-up, account, jobs, create, cancel): far
         more than the system can do. Peer: eight clients doing the same just before; and again just after.
uploads  400 uploads of 5 MB at once.
queue    a system that lets 60 photos wait, and 120 that come at once.

A client that is answered 503 waits as long as Retry-After says and sends its request again, as ours does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
from _photos import INTERIOR, album
from _system import Bench, machine, resident_bytes, system
from _visitor import Record, Visit, Visitor

import engine
from s3palette.engines import load_segmenter
from s3palette.recipes import build_recipe
from s3palette.settings import Settings

RULES = {
    "room": {"concepts": INTERIOR.concepts, "protect": INTERIOR.protect},
    "grout": {"concepts": {"Grout": {"action": "recolor", "value": "#A7AFA0"}}, "protect": []},
}
"""The demo's rule, and one that costs the engine a sixth of it: the rest of the system has six times as much to do."""
PARTS = ("albums", "crowd", "uploads", "queue")
MIB = 2**20


def bare_engine(photos: list[bytes], rule: Mapping[str, Any]) -> float:
    """Photos a second of the engine alone, as many side by side as one worker has."""
    cv2.setNumThreads(1)
    settings = Settings(engine="classical")
    segmenter, _ = load_segmenter(settings)
    recipe = build_recipe(INTERIOR.preset, rule["concepts"], tuple(rule["protect"]))
    with ThreadPoolExecutor(settings.engine_inflight) as threads:
        began = time.perf_counter()
        list(threads.map(lambda photo: engine.process(photo, recipe, segmenter), photos))
        return len(photos) / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def memory_told(bench: Bench) -> AsyncIterator[None]:
    """Tell the resident memory of each process: before, the highest seen once a second, and after."""
    before, peak = resident_bytes(bench.pid), {}

    async def watch() -> None:
        while True:
            for name, size in (await asyncio.to_thread(resident_bytes, bench.pid)).items():
                peak[name] = max(peak.get(name, 0), size)
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    after = resident_bytes(bench.pid)
    print("\n| MiB of | before | highest | after |\n|---|---:|---:|---:|")
    for name in sorted(peak):
        print(f"| {name} | " + " | ".join(f"{each.get(name, 0) / MIB:.0f}" for each in (before, peak, after)) + " |")


async def one_album(url: str, record: Record, photos: list[bytes], rule: Mapping[str, Any]) -> Visit:
    visitor = Visitor(url, record)
    await visitor.sign_up()
    visit = await visitor.job(INTERIOR.preset, photos, rule, download=True)
    await visitor.close()
    return visit


def told(visits: list[Visit], began: float) -> None:
    """How many ended how, and how evenly."""
    ends = sorted(visit.ended_at - began for visit in visits)
    done = sum(visit.photos_done for visit in visits)
    print(f"jobs done {sum(visit.status == 'done' for visit in visits)} of {len(visits)}, photos done {done}")
    print(f"first job ended after {ends[0]:.0f} s, median {statistics.median(ends):.0f} s, last {ends[-1]:.0f} s")


async def albums(bench: Bench, chosen: argparse.Namespace) -> None:
    users, count, megapixels, rule = chosen.users, chosen.photos, chosen.megapixels, RULES[chosen.rule]
    photos, record, loop = album(count, megapixels), Record(), asyncio.get_running_loop()
    bare, alone = await asyncio.to_thread(bare_engine, photos * 4, rule), Record()
    began = loop.time()
    await one_album(bench.url, alone, photos, rule)
    print(f"one user alone: {count / (loop.time() - began):.2f} photos/s with {megapixels:g} MP\n\n{alone.table()}\n")
    async with memory_told(bench):
        began = loop.time()
        visits = await asyncio.gather(*(one_album(bench.url, record, photos, rule) for _ in range(users)))
        took = loop.time() - began
    rate, bare = users * count / took, max(bare, await asyncio.to_thread(bare_engine, photos * 4, rule))
    print(f"\n{users} users x {count} photos of {megapixels:g} MP; upload and download included")
    told(visits, began)
    print(f"{rate:.2f} photos/s, {rate / bare:.2f} x the bare engine on the same cores ({bare:.2f} photos/s)")
    print(f"broken connections {dict(record.broken)}\n\n{record.table()}\n{machine()}")


async def ask_on(url: str, clients: int, seconds: float) -> Record:
    """That many clients, each a user, asking without a pause."""
    record, until = Record(), time.monotonic() + seconds

    async def client() -> None:
        visitor = Visitor(url, record)
        with contextlib.suppress(OSError, EOFError):  # written down in the record
            await visitor.sign_up()
            while time.monotonic() < until:
                await visitor.get("GET", "/me")
                await visitor.get("GET", "/jobs")
                made = await visitor.get("POST", "/jobs", {"preset": "interior", "item_count": 1})
                await visitor.get("POST", f"/jobs/{made['job_id']}/cancel")
            await visitor.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return record


async def crowd(bench: Bench, sizes: tuple[int, ...], seconds: float) -> None:
    async def few(when: str) -> float:
        record = await ask_on(bench.url, 8, seconds / 2)
        answered = sum(map(len, record.latencies.values()))
        middle = statistics.median(each for times in record.latencies.values() for each in times)
        print(f"8 clients {when}: {answered / (seconds / 2):.0f} answers/s, median {1000 * middle:.0f} ms")
        return middle

    before = await few("before")
    async with memory_told(bench):
        for size in sizes:
            began = time.monotonic()
            record = await ask_on(bench.url, size, seconds)
            took = time.monotonic() - began
            answered = sum(map(len, record.latencies.values()))
            print(
                f"\n{size} clients for {took:.0f} s: {answered / took:.0f} answers/s, refused 503 "
                f"{record.answers['503']}, other 5xx {other_5xx(record)}, broken {dict(record.broken)}"
            )
            print(record.table())
            after = await few(f"right after {size}")
            print(f"the median is {after / before:.1f} x what it was before")
    print(machine())


def other_5xx(record: Record) -> int:
    return sum(count for status, count in record.answers.items() if status[0] == "5" and status != "503")


async def uploads(bench: Bench, count: int, megabytes: float) -> None:
    """`count` uploads at once, ten a user."""
    photo, record, users = b"\xff\xd8\xff" + bytes(int(megabytes * 1e6)), Record(), []
    for _ in range(count // 10):
        users.append(Visitor(bench.url, Record()))
        await users[-1].sign_up()
    jobs = [await user.get("POST", "/jobs", {"preset": "interior", "item_count": 10}) for user in users]

    async def put(url: str) -> None:
        visitor = Visitor(bench.url, record)
        await visitor.get("PUT", url, photo)
        await visitor.close()

    async with memory_told(bench):
        began = time.monotonic()
        await asyncio.gather(*(put(target["url"]) for job in jobs for target in job["presigned_urls"]))
        took = time.monotonic() - began
    print(
        f"\n{count} uploads of {megabytes:g} MB in {took:.1f} s, refused 503 {record.answers['503']}, other 5xx "
        f"{other_5xx(record)}\n{record.table()}\n{machine()}"
    )
    for user in users:
        await user.close()


async def queue(bench: Bench, users: int, count: int) -> None:
    photos, record = album(count, 0.3), Record()
    began = asyncio.get_running_loop().time()
    visits = await asyncio.gather(*(one_album(bench.url, record, photos, RULES["grout"]) for _ in range(users)))
    told(visits, began)
    print(
        f"executions refused 503 {record.answers['503']}, of them with Retry-After "
        f"{len(record.refusals.get('503 with Retry-After', []))}; users who were refused "
        f"{sum(visit.waited_out > 0 for visit in visits)}; other 5xx {other_5xx(record)}"
    )
    print(record.table())


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all by default")
    options.add_argument("--users", type=int, default=50)
    options.add_argument("--photos", type=int, default=10, help="a job")
    options.add_argument("--megapixels", type=float, default=0.5)
    options.add_argument("--rule", choices=RULES, default="room", help="of the albums")
    options.add_argument("--seconds", type=float, default=20.0, help="how long a crowd asks")
    chosen = options.parse_args()
    parts = chosen.parts or PARTS
    print(machine())
    if set(parts) & {"albums", "crowd", "uploads"}:
        with system("classical") as bench:
            if "albums" in parts:
                print("\n== albums")
                asyncio.run(albums(bench, chosen))
            if "crowd" in parts:
                print("\n== crowd")
                asyncio.run(crowd(bench, (1000, 2000), chosen.seconds))
            if "uploads" in parts:
                print("\n== uploads")
                asyncio.run(uploads(bench, 400, 5.0))
    if "queue" in parts:
        print("\n== queue")
        with system("classical", S3P_QUEUED_PHOTOS="60") as bench:
            asyncio.run(queue(bench, 20, 6))
    return 0


if __name__ == "__main__":
    sys.exit(main())
