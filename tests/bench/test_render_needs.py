"""What the renderer says where it cannot run."""

import runpy
import sys
from pathlib import Path

import pytest

RENDER = Path(__file__).resolve().parents[2] / "bench" / "truth" / "render.py"


def test_without_mitsuba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    with pytest.raises(SystemExit, match=r"mitsuba.*is missing: pip install"):
        runpy.run_path(str(RENDER), run_name="__main__")
