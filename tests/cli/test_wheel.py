"""What `pip install` gets: every package, and the data that goes with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import s3palette

ROOT = Path(s3palette.__file__).parent.parent
PACKAGES = ("s3palette", "event_store", "actors", "engine")
DATA = ("*.toml", "*.jpg", "py.typed")

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from a copy: setuptools leaves its scraps where it builds."""
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "serve_app.py"):
        shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(out), str(source)], check=True, capture_output=True, text=True)
    (built,) = out.glob("s3palette-*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_and_data_file_is_in_the_wheel(wheel: set[str], package: str) -> None:
    wanted = {str(path.relative_to(ROOT)) for pattern in ("*.py", *DATA) for path in (ROOT / package).rglob(pattern)}
    assert wanted
    assert wanted - wheel == set()


def test_the_presets_the_catalogue_and_the_photos_are_among_them(wheel: set[str]) -> None:
    assert {"s3palette/domain/presets/interior.toml", "s3palette/domain/materials.toml", "serve_app.py"} <= wheel
    assert sum(name.startswith("s3palette/demo/photos/") for name in wheel) >= 6


def test_nothing_else_is_in_it(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {*PACKAGES, "serve_app.py"}
