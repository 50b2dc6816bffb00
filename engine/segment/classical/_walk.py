"""A random walk over superpixels: what is known of some is carried over even surfaces and stops at edges.

Grady 2005, "Multilabel random walker image segmentation using prior models". Each superpixel touches a handful of
others, so the system is sparse.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

__all__ = ["walker"]

Floats = NDArray[np.float64]


def walker(pairs: NDArray[np.int64], weight: Floats, pull: Floats) -> Callable[[Floats], Floats]:
    """A function that carries priors over the graph: of (n,) or (n, k) priors it gives as many values.

    It solves (L + pull) x = pull * prior, L being the graph's Laplacian.

    Args:
        pairs: (m, 2) superpixels that touch, each pair once.
        weight: (m,) how easily one walks from one to the other.
        pull: (n,) above 0: how much a superpixel's own prior is trusted against its neighbours.
    """
    n = len(pull)
    a, b = pairs.T
    one, other, itself = np.concatenate([a, b]), np.concatenate([b, a]), np.arange(n)
    away = np.concatenate([weight, weight])
    values = np.concatenate([-away, np.bincount(one, away, n) + pull])
    matrix = coo_array((values, (np.concatenate([one, itself]), np.concatenate([other, itself]))), shape=(n, n))
    held = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A")  # symmetric: least fill

    def carried(prior: Floats) -> Floats:
        known: Floats = held.solve((pull if prior.ndim == 1 else pull[:, None]) * prior)
        return known

    return carried
