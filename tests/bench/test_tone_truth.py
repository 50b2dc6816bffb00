"""The truth of `quality.py --action tone`: the cameras' curves and light of another colour."""

from __future__ import annotations

import numpy as np
import pytest
from _curve import developed, light_of
from _figures import difference, lab
from _other_light import other_light
from _toning import CHANGES, run

from engine.apply._white import MIREDS, white_gains
from engine.colour import LUMA, to_bytes


@pytest.mark.parametrize("curve", ["srgb", "film"])
def test_light_comes_back_from_every_byte(curve: str) -> None:
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(developed(light_of(levels, curve), curve), levels)
    assert (np.diff(light_of(levels, curve)) > 0).all()


def test_the_same_light_changes_nothing() -> None:
    np.testing.assert_allclose(other_light(6504, 6504), np.eye(3), atol=1e-9)


@pytest.mark.parametrize("temperature", [-100, -50, 50, 100])
def test_white_in_other_light_is_near_the_daylight_that_the_engine_takes(temperature: float) -> None:
    """Black bodies and daylight of one temperature differ by a trace of green."""
    white = other_light(6504, 1e6 / (1e6 / 6504 + 0.6 * temperature)) @ np.full(3, 0.4)
    ours = white_gains(MIREDS * temperature / 100) * 0.4
    colours = [lab(to_bytes(value.astype(np.float32))) for value in (white, ours)]
    assert difference(*colours) < 1.5
    assert white @ LUMA == pytest.approx(0.4, rel=1e-6)


def test_ours_is_nearer_to_the_camera_than_its_peers() -> None:
    rows = run(["vase"], ["ours", "scale", "power", "lab"], "clean", None)
    found = {(row["change"], row["method"]): row for row in rows if row["scene"] == "vase"}
    for change in CHANGES:
        assert found[change, "ours"]["median"] < 1.0
        assert all(found[change, "ours"]["p95"] < found[change, peer]["p95"] for peer in ("scale", "power", "lab"))
    greys = [row for row in rows if row["change"] == "balance 100" and row["surface"] == "background"]
    assert len(greys) == 3
    assert all(row["after"] < 2 for row in greys)
    assert found["saturation +50", "ours"]["clipped"] < 0.1
    assert found["saturation +50", "ours"]["light"] < 0.3
