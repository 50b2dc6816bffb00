"""The edge knows the actors only by the protocols it declares."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import s3palette.http

MODULES = sorted(Path(s3palette.http.__file__).parent.rglob("*.py"))


def imported(source: str) -> set[str]:
    tree = ast.walk(ast.parse(source))
    names = [
        name
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_module_of_the_edge_knows_the_actors(module: Path) -> None:
    assert imported(module.read_text()).isdisjoint({"actors", "ray", "event_store", "engine", "serve_app"})


def test_all_modules_are_looked_at() -> None:
    assert {"app", "edge", "jobs", "storage"} <= {path.stem for path in MODULES}
