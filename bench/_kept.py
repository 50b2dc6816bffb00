"""Peers' figures from an earlier run: they change only when the pictures or the code that they use do."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

from _figures import Figures
from _truth import Scene

__all__ = ["Kept"]

ROOT = Path(__file__).resolve().parent.parent
_CODE = ("bench/_peers.py", "bench/_figures.py", "bench/_masks_used.py", "engine/matte.py", "engine/masks.py")


class Kept:
    """Figures by case and method for one kind of masks and photos, in a file of the temporary folder."""

    def __init__(self, masks: str, variant: str) -> None:
        mark = hashlib.sha256(f"{masks} {variant}".encode())
        used = [ROOT / name for name in _CODE]
        if masks == "classical":
            used += sorted((ROOT / "engine" / "segment" / "classical").glob("*.py"))
        for path in used:
            mark.update(path.read_bytes())
        self._file = Path(tempfile.gettempdir()) / f"s3palette-quality-{mark.hexdigest()[:20]}.json"
        self._found = json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, scene: Scene, truth: str, method: str, work: Callable[[], Figures | None]) -> Figures | None:
        """The figures of an earlier run on the same pictures, or those of `work`, written down."""
        pictures = [_digest(scene.folder / name) for name in ("base.webp", "labels.png", f"{truth}.webp")]
        key = " ".join([method, *pictures])
        if key not in self._found:
            found = work()
            self._found[key] = None if found is None else asdict(found)
            self._file.write_text(json.dumps(self._found))
        kept = self._found[key]
        return None if kept is None else Figures(**kept)


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
