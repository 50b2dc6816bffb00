"""The demo as a visitor runs it: pictures are there, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from s3palette.demo import ALBUMS
from s3palette.sheets.contact import CELL

pytestmark = pytest.mark.e2e


def command(out: Path) -> list[str]:
    return [sys.executable, "-m", "s3palette", "demo", "--out", str(out)]


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def environment(tmp_path: Path) -> dict[str, str]:
    """The temporary data in a folder of ours, to see what is left of it."""
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "tmp")}


def left_behind(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "tmp").glob("s3p-demo-*")]


def test_the_demo_leaves_pictures_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        command(out), capture_output=True, text=True, timeout=600, env=environment(tmp_path), check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for album in ALBUMS:
        folder = out / album.name
        for photo, name in zip(album.photos, album.photo_names, strict=True):
            before, after = pixels(photo), pixels(folder / f"{name}_result.png")
            assert after.shape == before.shape
            assert (after != before).any(axis=2).mean() > 0.05, f"{name} was not changed"
            assert (folder / f"{name}_masks.png").exists()
        sheet = pixels(folder / "before-after.png")
        assert sheet.shape[1] > 3 * CELL[0]
        assert str(folder / "before-after.png") in done.stdout
    assert "segment and apply" in done.stdout
    assert left_behind(tmp_path) == []


def test_an_interrupt_stops_what_was_started(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        command(out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as demo:
        log = out / "system.log"
        while not (log.exists() and "Starting Ray" in log.read_text()):
            assert demo.poll() is None
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        _, error = demo.communicate(timeout=180)
    assert demo.returncode == 130
    assert error.strip() == "Stopped."
    assert left_behind(tmp_path) == []
