"""A random walk over superpixels solves the graph's system, as a dense one would."""

import numpy as np
import pytest

from engine.segment.classical._walk import walker


def chain(n: int) -> np.ndarray:
    return np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)


@pytest.mark.parametrize("columns", [(), (1,), (4,)])
def test_it_is_what_a_dense_system_gives(columns: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    n = 60
    a, b = np.triu_indices(n, 1)
    pairs = np.stack([a, b], axis=1)[rng.random(len(a)) < 0.1]
    weight, pull, prior = rng.random(len(pairs)), rng.uniform(0.01, 2, n), rng.random((n, *columns))
    dense = np.diag(pull)
    for (one, other), walk in zip(pairs, weight, strict=True):
        dense[[one, other], [one, other]] += walk
        dense[[one, other], [other, one]] -= walk
    known = np.linalg.solve(dense, (pull * prior.T).T)
    assert walker(pairs, weight, pull)(prior) == pytest.approx(known)


def test_what_is_sure_is_carried_to_its_neighbours_and_stops_at_an_edge() -> None:
    weight = np.ones(9)
    weight[4] = 0
    pull = np.full(10, 1e-6)
    pull[[0, 9]] = 1e3
    prior = np.zeros(10)
    prior[9] = 1
    assert walker(chain(10), weight, pull)(prior) == pytest.approx([0] * 5 + [1] * 5, abs=1e-3)
