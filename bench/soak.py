"""A long time at part of the full load: does memory stay flat?

    nice python bench/soak.py [--minutes 60] [--share 0.5] [--photos 5] [--megapixels 0.5]

First the classical engine is kept full for a while: that is the machine's full load, in photos a second. Then new users
come at a fixed pace that makes `share` of it; each signs up, runs one job from upload to the last download and leaves.
Meanwhile users of before come back ten times a second and look at their account, their jobs and the presets. Where
the machine is slower than it was (it may be shared), a newcomer waits until fewer than `AT_ONCE` jobs are under way;
how long is told. Every 30 s the resident memory of each process is read; after the warm-up a line is fitted to it. Its
peer is the process's own size: growth is judged against it. Ends with 1 where something grew, broke or was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _http import Connection
from _photos import INTERIOR, album
from _system import Bench, machine, resident_bytes, system
from _visitor import Record, Visitor

AT_ONCE = 40
RETURNS_PER_S = 10.0
SAMPLE_EVERY_S = 30.0
GROWS_MIB_PER_H, GROWS_SHARE_PER_H = 8.0, 0.04
"""A process grows where its line rises by more than both of these in an hour, and by more than its own jitter."""
RULE = {"concepts": INTERIOR.concepts, "protect": INTERIOR.protect}
MIB = 2**20


@dataclass
class Progress:
    """What has happened so far."""

    record: Record = field(default_factory=Record)
    jobs: Counter[str] = field(default_factory=Counter)
    photos: int = 0
    tokens: deque[str] = field(default_factory=lambda: deque(maxlen=2000))
    """Of users who may come back."""
    faults: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, dict[str, int], int, int]] = field(default_factory=list)
    """(seconds, bytes by process, bytes of the log, rows of the outbox)."""


async def one_job(url: str, photos: list[bytes], progress: Progress) -> None:
    visitor = Visitor(url, progress.record)
    try:
        await visitor.sign_up()
        visit = await visitor.job(INTERIOR.preset, photos, RULE, download=True)
        progress.jobs[visit.status] += 1
        progress.photos += visit.photos_done
        progress.tokens.append(visitor.token or "")
    except (RuntimeError, OSError, EOFError) as error:
        progress.faults[f"{type(error).__name__}: {str(error)[:120]}"] += 1
    finally:
        await visitor.close()


async def full_load(url: str, photos: list[bytes], seconds: float) -> float:
    """Photos a second when eight users keep the engine full."""
    progress, until = Progress(), time.monotonic() + seconds

    async def keep_busy() -> None:
        while time.monotonic() < until:
            await one_job(url, photos[:2], progress)

    began = time.monotonic()
    await asyncio.gather(*(keep_busy() for _ in range(8)))
    return progress.photos / (time.monotonic() - began)


async def newcomers(url: str, photos: list[bytes], pace_s: float, until: float, progress: Progress) -> float:
    """A new user every `pace_s` seconds; how many seconds they had to wait because the machine was too slow."""
    running: set[asyncio.Task[None]] = set()
    held, due = 0.0, time.monotonic()
    while (now := time.monotonic()) < until:
        if now < due:
            await asyncio.sleep(due - now)
        elif len(running) >= AT_ONCE:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            held += time.monotonic() - now
            due = time.monotonic()
        else:
            task = asyncio.create_task(one_job(url, photos, progress))
            running.add(task)
            task.add_done_callback(running.discard)
            due += pace_s
    if running:
        await asyncio.wait(running)
    return held


async def returners(url: str, until: float, progress: Progress) -> None:
    """Users of before, one after the other, on one connection."""
    pick, connection = random.Random(1), Connection(url)
    while (now := time.monotonic()) < until:
        if progress.tokens:
            token = pick.choice(progress.tokens)
            for target in ("/me", "/jobs?limit=20", "/presets/interior"):
                began = time.perf_counter()
                try:
                    answer = await connection.ask("GET", target, token=token)
                except (OSError, EOFError) as error:
                    progress.record.broken[type(error).__name__] += 1
                    continue
                progress.record.add(f"GET {target.partition('?')[0]}, later", answer, time.perf_counter() - began)
        await asyncio.sleep(max(0.0, 3 / RETURNS_PER_S - (time.monotonic() - now)))
    await connection.close()


async def sampling(bench: Bench, until: float, progress: Progress) -> None:
    """Print and keep a line every 30 s."""
    began = time.monotonic()
    while time.monotonic() < until:
        memory = await asyncio.to_thread(resident_bytes, bench.pid)
        log, owed = await asyncio.to_thread(_log, bench.data_dir)
        seconds = time.monotonic() - began
        progress.samples.append((seconds, memory, log, owed))
        sizes = ", ".join(f"{name.partition(' (')[0]} {size / MIB:.1f}" for name, size in sorted(memory.items()))
        print(f"{seconds / 60:5.1f} min  {progress.photos:5} photos  outbox {owed:4}  log {log / MIB:.1f} MiB  {sizes}")
        sys.stdout.flush()
        await asyncio.sleep(SAMPLE_EVERY_S)


def _log(data_dir: Path) -> tuple[int, int]:
    """(bytes of the event log with its WAL, rows of the outbox without alarms that are not due)."""
    size = sum(path.stat().st_size for path in data_dir.glob("log.sqlite3*"))
    connection = sqlite3.connect(f"file:{data_dir / 'log.sqlite3'}?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT count(*) FROM outbox WHERE kind <> 'alarm' OR due_at < ?", (time.time(),))
        return size, int(found.fetchone()[0])
    finally:
        connection.close()


def verdict(progress: Progress, warm_up_s: float) -> bool:
    """Print the table of the lines; True where nothing grew."""
    kept = [sample for sample in progress.samples if sample[0] >= warm_up_s]
    hours = np.array([sample[0] for sample in kept]) / 3600
    print(f"\n| process | MiB at {hours[0] * 60:.0f} min | at the end | highest | MiB an hour | jitter | verdict |")
    print("|---|---:|---:|---:|---:|---:|---|")
    flat = True
    for name in sorted(set.intersection(*(set(sample[1]) for sample in kept))):
        sizes = np.array([sample[1][name] for sample in kept]) / MIB
        slope, start = np.polyfit(hours, sizes, 1)
        jitter = float(np.std(sizes - (slope * hours + start)))
        limit = max(GROWS_MIB_PER_H, GROWS_SHARE_PER_H * float(sizes.mean()))
        grows = slope > limit and slope * (hours[-1] - hours[0]) > 2 * jitter
        flat = flat and not grows
        ends = f"{sizes[:4].mean():.1f} | {sizes[-4:].mean():.1f} | {sizes.max():.1f}"
        print(f"| {name} | {ends} | {slope:+.1f} | {jitter:.1f} | {'GROWS' if grows else 'flat'} |")
    return flat


async def measure(bench: Bench, chosen: argparse.Namespace) -> bool:
    photos = album(chosen.photos, chosen.megapixels)
    full = await full_load(bench.url, photos, chosen.calibrate)
    pace = chosen.photos / (chosen.share * full)
    print(f"{machine()}")
    print(f"full load {full:.2f} photos/s ({chosen.megapixels:g} MP); from here {chosen.share:.0%} of it:")
    print(
        f"{chosen.photos} photos every {pace:.1f} s, and {RETURNS_PER_S:.0f} requests a second of users who come back\n"
    )
    progress, until = Progress(), time.monotonic() + 60 * chosen.minutes
    held, *_ = await asyncio.gather(
        newcomers(bench.url, photos, pace, until, progress),
        returners(bench.url, until, progress),
        sampling(bench, until, progress),
    )
    record = progress.record
    flat = verdict(progress, min(600.0, 20 * chosen.minutes))
    log = [sample[2] / MIB for sample in progress.samples]
    print(
        f"\nlog {log[0]:.1f} -> {log[-1]:.1f} MiB; outbox at most {max(sample[3] for sample in progress.samples)} rows"
    )
    print(f"jobs {dict(progress.jobs)}, {progress.photos} photos; newcomers were held back for {held:.0f} s")
    print(f"answers {dict(record.answers)}; broken connections {dict(record.broken)}")
    print(f"faults {dict(progress.faults)}\n")
    print(record.table())
    clean = not (progress.faults or record.broken or record.refusals or set(progress.jobs) - {"done"})
    print(f"\n{machine()}\nmemory {'is flat' if flat else 'GROWS'}; {'no' if clean else 'SOME'} faults")
    return flat and clean


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--share", type=float, default=0.5, help="of the full load")
    options.add_argument("--photos", type=int, default=5, help="a job")
    options.add_argument("--megapixels", type=float, default=0.5)
    options.add_argument("--calibrate", type=float, default=60.0, help="seconds to find the full load")
    chosen = options.parse_args()
    with system("classical") as bench:
        return 0 if asyncio.run(measure(bench, chosen)) else 1


if __name__ == "__main__":
    sys.exit(main())
