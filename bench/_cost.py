"""What work costs: time of several runs of which the least counts, peak memory, and the options of such benchmarks."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2

from engine import set_threads

__all__ = ["Cost", "Watch", "on_one_thread", "peak_bytes", "reset_peak"]

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """Milliseconds."""

    wall: float
    cpu: float
    """Of all threads."""


class Watch:
    """The least cost of each stage over its runs: other work on the machine has held that one up least."""

    def __init__(self) -> None:
        self.least: dict[str, Cost] = {}
        """In the order in which stages first ran."""

    def run(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work once, and hand on what it gives."""
        began, busy = time.perf_counter(), time.process_time()
        answer = work()
        wall, cpu = (time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000
        before = self.least.get(stage, Cost(wall, cpu))
        self.least[stage] = Cost(min(wall, before.wall), min(cpu, before.cpu))
        return answer


def on_one_thread(description: str | None) -> argparse.Namespace:
    """`runs` and `megapixels` of the command line, for a benchmark of CPU time: all work gets one thread."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megapixels", type=float, default=12)
    chosen = parser.parse_args()
    set_threads(1)
    cv2.setNumThreads(1)
    return chosen


def peak_bytes() -> int:
    """Highest resident size since `reset_peak` (Linux)."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def reset_peak() -> int:
    """Begin anew, at the resident size of now, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()
