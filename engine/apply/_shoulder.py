"""A soft shoulder: what would run past white is bent back in."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["soft_shoulder"]

F = TypeVar("F", bound=np.floating)


def soft_shoulder(value: NDArray[F], knee: float, top: float) -> NDArray[F]:
    """Identity up to `knee`, then a monotone curve that brings `top` to exactly 1; a plain clip where `top` <= 1.

    Extended curve of Reinhard et al., "Photographic Tone Reproduction for Digital Images" (2002), eq. 4, set on the
    knee with slope 1. Linear light; `value` has no upper bound, `top` is the largest value that can occur.
    """
    if top <= 1 or knee >= 1:
        clipped: NDArray[F] = np.minimum(value, 1)
        return clipped
    kind = value.dtype.type
    over = np.maximum(value - kind(knee), 0) / kind(1 - knee)
    end = (top - knee) / (1 - knee)
    bent: NDArray[F] = np.minimum(value, kind(knee)) + kind(1 - knee) * over * (1 + over / kind(end**2)) / (1 + over)
    return bent
