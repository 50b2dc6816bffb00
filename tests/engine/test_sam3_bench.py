"""The benchmarks run in one command; here on the tiny model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sam3.py --random-weights --size tiny --concepts 1 2 --batches 1 2 --seconds 0", ["| plain |", "| ours |"]),
        ("sam3_photos.py --random-weights --size tiny --photos 3 --megapixels 0.2", ["photos/s", "busy"]),
        ("sam3_photos.py --memory --megapixels 0.5 --instances 10", ["peak over the decoded photo"]),
    ],
)
def test_a_benchmark_runs(command: str, says: list[str]) -> None:
    name, *arguments = command.split()
    run = subprocess.run(
        [sys.executable, str(ROOT / "bench" / name), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for words in says:
        assert words in run.stdout
