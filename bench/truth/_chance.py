"""What random rooms and products share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["one"]

T = TypeVar("T")


def one(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """One of the choices; numpy's own `choice` would make arrays of them."""
    return choices[int(rng.integers(len(choices)))]
