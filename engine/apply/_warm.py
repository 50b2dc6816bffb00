"""Have everything compiled before the first photo comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.apply.recolor import fit_recolor
from engine.types import Recolor

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile the engine's loops, or load them from where an earlier process kept them.

    Some seconds the first time on a machine, some hundredths afterwards. Without it the first photo that needs them
    waits as long.
    """
    dark = (np.indices((32, 32, 3)).sum(axis=0) % 7 + 4).astype(np.uint8)
    whole = np.full((32, 32), 255, np.uint8)
    action = Recolor((240, 230, 210))
    paint = fit_recolor(dark, whole, whole, action)
    fit_recolor(dark[:, :24], whole[:, :24], whole[:, :24], action)  # a part of a photo is read by code of its own
    assert paint is not None
    assert paint.noise is not None
    for form in (paint, replace(paint, noise=None)):
        form.opaque(dark, (slice(0, 32), slice(0, 32)))
