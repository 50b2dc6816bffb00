"""The demo as a visitor runs it: pictures are there, nothing is left behind."""

from __future__ import annotations

import re
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


def data_dir(log: Path) -> Path:
    """Where the system of that log kept its data: it says so once it is ready."""
    told = re.search(r"^Data in (\S+)\. ", log.read_text(), re.MULTILINE)
    assert told is not None
    return Path(told[1])


def test_the_demo_leaves_pictures_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        command(out),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
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
    assert not data_dir(out / "system.log").exists()


def test_an_interrupt_stops_what_was_started(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        command(out),
        # Whoever runs the tests in the background may have switched Ctrl-C off for everything below.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        log = out / "system.log"
        while not (log.exists() and "Data in" in log.read_text()):
            assert demo.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)  # into the jobs: a worker in the middle of a photo must not write afterwards
        demo.send_signal(signal.SIGINT)
        _, error = demo.communicate(timeout=180)
    assert demo.returncode == 130
    assert error.strip() == "Stopped."
    assert not data_dir(out / "system.log").exists()
