"""docs/client.md is true: its programs run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import s3palette

from ._server import serve

PAGE = Path(s3palette.__file__).parent.parent / "docs" / "client.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
SAID = [
    "kitchen The file is not an image.\nliving done\n",
    "1 of 2\n",
    "the free plan takes 10 photos a job, not 11\n",
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("palette")) as server:
        yield server.url


@pytest.mark.parametrize(
    ("program", "said"),
    list(zip(PROGRAMS, SAID, strict=True)),
    ids=["run", "asyncio", "errors"],
)
def test_each_program_runs(program: str, said: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "living.jpg").write_bytes(b"living")
    (tmp_path / "flat" / "kitchen.jpg").write_bytes(b"broken")
    assert "http://127.0.0.1:8000" in program
    done = subprocess.run(
        [sys.executable, "-c", program.replace("http://127.0.0.1:8000", url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, said), done.stderr
    if "save" in program:
        assert (tmp_path / "out" / "living_result.png").read_bytes() == b"living"
