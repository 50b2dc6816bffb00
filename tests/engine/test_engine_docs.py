"""The sessions of docs/engine.md run as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import decode
from s3palette.demo import ALBUMS

DOCS = Path(__file__).parents[2] / "docs" / "engine.md"


def test_the_sessions_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len([line for line in first.splitlines() if line]) <= 15
    room = next(path for album in ALBUMS for path in album.photos if path.stem == "living")
    with Image.open(room) as picture:
        picture.resize((600, 450)).save(tmp_path / "living.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for session in (first, *others):
        exec(compile(session, DOCS.name, "exec"), names)
    before, after = decode(names["photo"]).rgb, decode((tmp_path / "living.png").read_bytes()).rgb
    result = names["result"]
    assert result.warnings == ()
    assert set(result.masks) == {"Wall", "Floor", "Ceiling"}
    assert "dict_keys" in capsys.readouterr().out
    assert result._repr_jpeg_() == result.preview
    assert (before != after).any(axis=2).mean() > 0.3
    refined = decode(names["refined"].png).rgb
    assert 0.02 < (before != refined).any(axis=2).mean() < 0.3
    assert np.array_equal(refined[:225], before[:225])
    by_hand = decode(names["by_hand"].png).rgb
    assert (before != by_hand)[200:400, 300:600].any(axis=2).mean() > 0.9
