"""Peers' figures from an earlier run: they change only when the truth set or the code that they use does."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from _figures import Figures
from _truth import FOLDER

__all__ = ["Kept"]

ROOT = Path(__file__).resolve().parent.parent
_CODE = ("bench/_peers.py", "bench/_figures.py", "bench/_masks_used.py", "bench/_truth.py", "bench/quality.py")


class Kept:
    """Figures by case and method, in a file of the temporary folder, for one kind of masks and photos."""

    def __init__(self, masks: str, variant: str) -> None:
        mark = hashlib.sha256(f"{masks} {variant}".encode())
        used = [ROOT / name for name in _CODE] + [ROOT / "engine" / "matte.py", ROOT / "engine" / "masks.py"]
        if masks == "classical":
            used += sorted((ROOT / "engine" / "segment" / "classical").glob("*.py"))
        for path in [*used, *sorted(FOLDER.glob("pictures/*/*"))]:
            mark.update(path.read_bytes())
        self._file = Path(tempfile.gettempdir()) / f"s3palette-quality-{mark.hexdigest()[:20]}.json"
        self._found = json.loads(self._file.read_text()) if self._file.exists() else {}

    def get(self, case: str, method: str, work: Callable[[], Figures | None]) -> Figures | None:
        """The figures of an earlier run, or those of `work`, written down."""
        key = f"{case} {method}"
        if key not in self._found:
            found = work()
            self._found[key] = None if found is None else asdict(found)
            self._file.write_text(json.dumps(self._found))
        kept = self._found[key]
        return None if kept is None else Figures(**kept)
