"""The hash of an event and the walk along the chains, without a store."""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store import ChainBroken, CommandRepeated, ConcurrencyError
from event_store._record import EMPTY, Head, event_hash, seal, verify_chains

from .samples import events

FIELDS = st.tuples(
    st.text(max_size=3),
    st.integers(1, 9),
    st.text(max_size=3),
    st.text(max_size=3),
    st.integers(1, 9),
    st.binary(max_size=3),
    st.none() | st.text(max_size=3),
    st.binary(max_size=3),
    st.text(max_size=3),
)


def test_the_encoding_is_the_documented_one() -> None:
    fields = (b"user/1", b"12", b"id", b"Type", b"1", b"data", b"", b"{}", b"2026-01-01T00:00:00.000000Z")
    lengths = b"".join(n.to_bytes(8, "big", signed=True) for n in (1, 6, 2, 2, 4, 1, 4, -1, 2, 27))
    wanted = hashlib.sha256(b"p" * 32 + lengths + b"".join(fields)).digest()
    found = event_hash(b"p" * 32, "user/1", 12, "id", "Type", 1, b"data", None, b"{}", "2026-01-01T00:00:00.000000Z")
    assert found == wanted


@given(FIELDS, FIELDS)
def test_different_rows_have_different_hashes(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    same = event_hash(EMPTY.hash, *one) == event_hash(EMPTY.hash, *other)
    assert same == (one == other)


def chain(stream: str, count: int, position: int = 0) -> tuple[list[list[Any]], Head]:
    rows, _, head = seal(stream, EMPTY, position, events(count), "2026-01-01T00:00:00.000000Z", None)
    return [list(row) for row in rows], head


@pytest.mark.parametrize("column", range(1, 12))
def test_every_column_but_the_position_is_covered(column: int) -> None:
    rows, head = chain("a", 3)
    value = rows[1][column]
    rows[1][column] = value + 1 if isinstance(value, int) else b"?" if isinstance(value, bytes) else "?"
    if column == 1:
        rows[1:], other = [], rows[1:]
        rows += other[1:]
    with pytest.raises(ChainBroken) as caught:
        verify_chains(map(tuple, rows), [("a", head.version, head.hash)])
    assert (caught.value.stream, caught.value.version) == ("a", 2)


@pytest.mark.parametrize(
    ("heads", "stream", "version"),
    [
        (["a", "b", "c", "d"], "d", 1),
        (["a", "aa", "b", "c"], "aa", 1),
        (["a", "b"], "c", 1),
        (["b", "c"], "a", 1),
    ],
)
def test_streams_and_heads_must_match(heads: list[str], stream: str, version: int) -> None:
    made = {name: chain(name, 2) for name in ("a", "aa", "b", "c", "d")}
    rows = [tuple(row) for name in ("a", "b", "c") for row in made[name][0]]
    with pytest.raises(ChainBroken) as caught:
        verify_chains(rows, [(name, made[name][1].version, made[name][1].hash) for name in heads])
    assert (caught.value.stream, caught.value.version) == (stream, version)


def test_a_well_made_event_beyond_the_head() -> None:
    rows, _ = chain("a", 4)
    with pytest.raises(ChainBroken, match="event 3 lies beyond the recorded head"):
        verify_chains(map(tuple, rows), [("a", 2, rows[1][11])])


def test_what_holds_is_counted() -> None:
    made = {name: chain(name, 2) for name in "abc"}
    rows = [tuple(row) for name in "abc" for row in made[name][0]]
    assert verify_chains(rows, [(name, head.version, head.hash) for name, (_, head) in made.items()]) == 6


@pytest.mark.parametrize(
    "error", [ConcurrencyError("a", 1, 2), CommandRepeated("c", b"1"), ChainBroken("a", 3, "is missing")]
)
def test_errors_survive_pickling(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
