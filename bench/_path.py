"""Puts the project's root first on the path: bench/actors.py would hide the package of that name from a benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

__all__: list[str] = []

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
