"""The domain is data and functions: no I/O library, no clock, no chance."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import s3palette.domain

ROOT = Path(s3palette.domain.__file__).parent
FORBIDDEN = {
    "aiosqlite", "asyncio", "cv2", "fastapi", "httpx", "io", "minio", "numpy", "os", "pathlib", "random", "ray",
    "secrets", "socket", "sqlite3", "starlette", "subprocess", "threading", "time", "urllib", "uuid",
}  # fmt: skip
CLOCKS = {"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp"}
MODULES = sorted(ROOT.rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_of_the_domain_is_pure(path):
    tree = ast.parse(path.read_text("utf-8"))
    names = set(imports(tree))
    assert not {name.partition(".")[0] for name in names} & FORBIDDEN
    ours = {name for name in names if name.startswith(("s3palette", "actors", "engine", "event_store"))}
    assert {name for name in ours if not name.startswith("s3palette.domain")} == set()
    calls = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & CLOCKS


def test_the_search_finds_what_it_looks_for():
    tree = ast.parse("def f():\n    import os.path\n    from time import sleep")
    assert {name.partition(".")[0] for name in imports(tree)} & FORBIDDEN == {"os", "time"}


@pytest.mark.parametrize("module", ["user", "job", "codec", "presets", "rules", "job_results", "job_offers"])
def test_every_module_can_be_the_first_to_be_imported(module):
    code = (
        f"import s3palette.domain.{module}, sys; assert not {{'ray', 'fastapi', 'cv2', 'sqlite3'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parents[1])
