"""Functions that numba compiles: loops over pixels that numpy would need a pass and an array for at each step.

Compiled code lets other threads run, and is kept on disk: beside the module, or in the user's cache where that cannot
be written to (NUMBA_CACHE_DIR moves it); where nothing can be written, every process compiles for itself. No fastmath,
no parallel loops: the same bytes everywhere, and threads are `engine._threads`' affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["inlined", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function at its first call for the types it is called with. Divides as numpy does."""
    try:
        compiled = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # numba finds no folder to keep it in
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(F, compiled)


def inlined(function: F) -> F:
    """A step of kernels in the same module: it becomes a part of each. In other modules their caches would not see
    it change."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", forceinline=True)(function))
