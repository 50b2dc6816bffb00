"""How much goes through the device at once: what fits its free memory, and half of it when that was too much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

__all__ = ["SizeLimit", "bytes_each", "fitting", "free_bytes"]

T = TypeVar("T")
R = TypeVar("R")

_HEADROOM = 0.8
"""Share of the free memory that is planned with; the rest is for fragments and other processes."""


def fitting(free_bytes: int, bytes_each: int, at_most: int) -> int:
    """How many of what needs `bytes_each` fit, 1 at least and `at_most` at most."""
    return max(1, min(at_most, int(free_bytes * _HEADROOM) // max(1, bytes_each)))


def free_bytes(device: torch.device) -> int:
    """Memory of a CUDA device that nobody holds."""
    torch.cuda.empty_cache()
    return int(torch.cuda.mem_get_info(device)[0])


def bytes_each(work: Callable[[int], object], device: torch.device) -> int:
    """What one more item adds to the peak memory of `work(count)` on a CUDA device."""
    peaks: list[int] = []
    for count in (1, 2):
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work(count)
        peaks.append(torch.cuda.max_memory_allocated(device) - before)
    return max(1, peaks[1] - peaks[0], peaks[0] // 4)


class SizeLimit:
    """Runs work in parts of at most `size` items; `size` halves when the device runs out of memory."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a part has one item at least, not {size}")
        self.size = size

    def run(self, items: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
        """`work` on all items, in order, part by part.

        Raises:
            torch.OutOfMemoryError: a single item does not fit.
        """
        done: list[R] = []
        while len(done) < len(items):
            part = items[len(done) : len(done) + self.size]
            answers = _unless_full(part, work)
            if answers is None:
                # Outside the handler: the exception's frames hold the tensors that did not fit.
                self.size = len(part) // 2
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
            else:
                done.extend(answers)
        return done


def _unless_full(part: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> Sequence[R] | None:
    try:
        return work(part)
    except torch.OutOfMemoryError:
        if len(part) == 1:
            raise
        return None
