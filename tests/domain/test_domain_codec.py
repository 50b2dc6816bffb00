"""Bytes and back: every message, every version, and what is not understood."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3palette.domain import codec
from s3palette.domain.codec import COMMANDS, EVENTS, PERSONAL_FIELDS, UnknownMessage
from s3palette.domain.job import CreateJob, JobBehaviour
from s3palette.domain.model import Address, RunPhoto, Tell
from s3palette.domain.user import SettleJob, UserBehaviour

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type as the messages use it."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is datetime:
        return TIMES
    if hint is Any:
        return JSON
    if origin is Mapping:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=3)
    if origin is list:
        return st.lists(values(args[0]), max_size=3)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if str(hint).startswith("typing.Literal"):
        return st.sampled_from(args)
    if args:
        return st.one_of(*(values(arg) for arg in args))
    return {str: TEXT, int: st.integers(-(2**40), 2**40), float: NUMBERS, bool: st.booleans(), type(None): st.none()}[
        hint
    ]


def messages(kinds: Mapping[str, type[Any]]) -> st.SearchStrategy[Any]:
    def one(kind: type[Any]) -> st.SearchStrategy[Any]:
        hints = get_type_hints(kind)
        return st.builds(kind, **{each.name: values(hints[each.name]) for each in fields(kind)})

    return st.one_of(*(one(kind) for kind in kinds.values()))


@settings(max_examples=300, deadline=None)
@given(messages(EVENTS))
def test_every_event_comes_back_as_it_was(event):
    name, version, data = codec.encode_event(event)
    assert (name, version) == (type(event).__name__, type(event).schema_version)
    assert codec.decode_event(name, version, data) == event
    json.loads(data)


@settings(max_examples=300, deadline=None)
@given(messages(COMMANDS))
def test_every_command_comes_back_as_it_was(command):
    assert codec.decode_command(*codec.encode_command(command)) == command


@settings(max_examples=150, deadline=None)
@given(
    st.builds(RunPhoto, st.integers(0, 199), st.integers(1, 9), TIMES)
    | st.builds(
        Tell,
        st.builds(Address, st.sampled_from(["user", "job"]), TEXT),
        messages(COMMANDS),
        await_first=st.booleans(),
        on_refused=st.none() | messages(COMMANDS),
    )
)
def test_every_effect_comes_back_as_it_was(effect):
    kind, data = codec.encode_effect(effect)
    assert kind == ("task" if isinstance(effect, RunPhoto) else "tell")
    assert codec.decode_effect(data) == effect


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_history_still_replays(path):
    """Histories as earlier versions wrote them. Never change one: add a file with each new shape.

    A state may have gained fields since.
    """
    golden = json.loads(path.read_text("utf-8"))
    behaviour: Any = UserBehaviour() if golden["entity"] == "user" else JobBehaviour()
    state = None
    for recorded in golden["events"]:
        data = json.dumps(recorded["data"]).encode()
        event = codec.decode_event(recorded["type"], recorded["schema_version"], data)
        state = behaviour.evolve(state, event)
    assert state is not None
    told = state.as_json()
    assert {name: told[name] for name in golden["state"]} == golden["state"]


def test_the_golden_histories_hold_every_event():
    told = {event["type"] for path in GOLDEN for event in json.loads(path.read_text("utf-8"))["events"]}
    assert told == EVENTS.keys()


def test_a_photo_confirmed_before_etags_were_kept_is_taken_as_it_lies():
    data = b'{"at":"2026-01-01T12:00:00Z","expires_at":"2026-01-08T12:00:00Z"}'
    event: Any = codec.decode_event("UploadConfirmed", 1, data)
    assert event.etags == {}


def test_a_job_queued_before_photos_were_told_apart_has_nothing_for_single_photos():
    older = json.loads((Path(__file__).parent / "golden" / "job_v2.json").read_text("utf-8"))
    (queued,) = (each for each in older["events"] if each["type"] == "JobQueued")
    event: Any = codec.decode_event("JobQueued", queued["schema_version"], json.dumps(queued["data"]).encode())
    assert (queued["schema_version"], event.photos) == (1, {})


def test_an_older_version_is_brought_up_to_date_step_by_step():
    class Renamed(EVENTS["RuleDeleted"]):  # type: ignore[misc]
        schema_version = 3

    Renamed.__name__ = "RuleDeleted"
    steps = {
        ("RuleDeleted", 1): lambda old: {"at": old["at"], "rule": old["id"]},
        ("RuleDeleted", 2): lambda old: {"at": old["at"], "rule_id": old["rule"].lower()},
    }
    old = {1: {"at": "2026-01-01T12:00:00Z", "id": "R_1"}, 2: {"at": "2026-01-01T12:00:00Z", "rule": "R_1"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "EVENTS", {"RuleDeleted": Renamed})
        for version, data in old.items():
            event: Any = codec.decode_event("RuleDeleted", version, json.dumps(data).encode(), steps)
            assert (event.at, event.rule_id) == (NOON, "r_1")
        with pytest.raises(UnknownMessage, match="no upcaster"):
            codec.decode_event("RuleDeleted", 1, json.dumps(old[1]).encode(), {})


@pytest.mark.parametrize(
    ("name", "version", "data"),
    [
        ("Nonsense", 1, b"{}"),
        ("RuleDeleted", 2, b'{"at":"2026-01-01T12:00:00Z","rule_id":"r"}'),
        ("RuleDeleted", 0, b'{"at":"2026-01-01T12:00:00Z","rule_id":"r"}'),
        ("RuleDeleted", 1, b"{}"),
        ("RuleDeleted", 1, b"not json"),
        ("RuleDeleted", 1, b'{"at":"yesterday","rule_id":"r"}'),
        ("SettleJob", 1, b"{}"),
    ],
)
def test_events_that_are_not_understood(name, version, data):
    with pytest.raises(UnknownMessage):
        codec.decode_event(name, version, data)


@pytest.mark.parametrize("data", [b"", b"[]", b"7", b"{}", b'{"to":["user","u"]}', b'{"to":7,"on_refused":null}'])
def test_effects_that_are_not_understood(data):
    with pytest.raises(UnknownMessage):
        codec.decode_effect(data)


@pytest.mark.parametrize(("name", "data"), [("Nonsense", b"{}"), ("SettleJob", b"{}"), ("RuleDeleted", b"{}")])
def test_commands_that_are_not_understood(name, data):
    with pytest.raises(UnknownMessage):
        codec.decode_command(name, data)


def test_how_an_effect_is_written():
    """Rows of an outbox outlive a version: this shape is a promise."""
    settle = SettleJob(at=NOON, job_id="j_1", status="done", delivered=1, refunded=0)
    kind, data = codec.encode_effect(Tell(Address("user", "u_1"), settle, await_first=True))
    assert kind == "tell"
    assert json.loads(data) == {
        "to": ["user", "u_1"],
        "command": [
            "SettleJob",
            {"at": "2026-01-01T12:00:00Z", "job_id": "j_1", "status": "done", "delivered": 1, "refunded": 0},
        ],
        "await_first": True,
        "on_refused": None,
    }


def test_personal_fields_exist():
    for event, names in PERSONAL_FIELDS.items():
        assert set(names) <= {each.name for each in fields(EVENTS[event])}


def test_a_snapshot_belongs_to_a_version():
    create = CreateJob(at=NOON, job_id="j_1", user_id="u_1", preset="seller", item_count=200)
    behaviour = JobBehaviour()
    state = behaviour.evolve(None, behaviour.decide(None, create).events[0])
    data = codec.dump_state(state, 1)
    assert codec.load_state(type(state), 1, data) == state
    assert codec.load_state(type(state), 2, data) is None
    assert codec.load_state(type(state), 1, data[:-1]) is None
