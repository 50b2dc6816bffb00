"""The benchmarks are programs beside the packages; their parts are imported by bare name, as they do it themselves."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
sys.path += [str(BENCH), str(BENCH / "truth")]
