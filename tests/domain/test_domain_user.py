from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from s3palette.domain.errors import (
    ConcurrencyLimit,
    CreditsExhausted,
    InvalidTransition,
    ItemLimit,
    PaletteError,
    RuleNotFound,
    RuleSlotFull,
    TokenInvalid,
    ValidationFailed,
)
from s3palette.domain.job import CreateJob
from s3palette.domain.model import Address, Command, Query, Tell, Wake
from s3palette.domain.user import (
    CreateRule,
    CreditsGranted,
    CreditsReserved,
    DeleteRule,
    GetRule,
    GetUser,
    GrantCredits,
    JobSettled,
    PlanChanged,
    ReleaseReservation,
    ReservationReleased,
    ReserveJob,
    RuleDeleted,
    SetPlan,
    SettleJob,
    SignUp,
    UpdateRule,
    UserSignedUp,
)

FLOOR = {"Floor": {"action": "recolor", "value": "oak_a"}}


def reserve(noon: Any, job_id: str = "j_1", count: int = 4, preset: str = "interior") -> ReserveJob:
    return ReserveJob(at=noon, job_id=job_id, preset=preset, item_count=count)


def settle(noon: Any, delivered: int, refunded: int, status: Any = "done") -> SettleJob:
    return SettleJob(at=noon, job_id="j_1", status=status, delivered=delivered, refunded=refunded)


def rule(noon: Any, rule_id: str = "r_1", **changes: Any) -> CreateRule:
    fields = {"name": "Oak", "preset_id": "interior", "concepts": FLOOR, "protect": ["Light"]}
    return CreateRule(at=noon, rule_id=rule_id, **{**fields, **changes})


def money(user: Any) -> tuple[int, int, int, int, int]:
    """(credits, reserved, spent, granted, jobs)"""
    told = user.ask(GetUser())
    assert told["granted"] == told["credits"] + told["reserved"] + told["spent"]
    return told["credits"], told["reserved"], told["spent"], told["granted"], told["concurrent_jobs"]


def test_signing_up_grants_the_free_plans_credits_once(stranger, noon):
    decision = stranger.when(SignUp(at=noon, user_id="u_1", device_key="k"))
    assert decision.events == (
        UserSignedUp(at=noon, user_id="u_1", device_key="k", plan="free"),
        CreditsGranted(at=noon, amount=10, source="sign-up", reason=""),
    )
    assert decision.reply == {"user_id": "u_1", "plan": "free", "is_new": True}
    again = stranger.unchanged(SignUp(at=noon, user_id="u_1", device_key="k"))
    assert again == {"user_id": "u_1", "plan": "free", "is_new": False}
    assert money(stranger) == (10, 0, 0, 10, 0)


def test_what_me_shows(user):
    assert user.ask(GetUser()) == {
        "user_id": "u_1",
        "plan": "free",
        "credits": 10,
        "reserved": 0,
        "spent": 0,
        "granted": 10,
        "rule_slots": 0,
        "max_rule_slots": 2,
        "concurrent_jobs": 0,
        "max_concurrent_jobs": 1,
        "created_at": "2026-01-01T12:00:00.000000Z",
    }


@pytest.mark.parametrize("name", ["rule", "update", "delete", "reserve", "settle", "release", "plan", "grant", "wake"])
def test_nobody_but_a_signed_up_user_is_served(stranger, noon, name):
    commands: dict[str, Command] = {
        "rule": rule(noon),
        "update": UpdateRule(at=noon, rule_id="r_1"),
        "delete": DeleteRule(at=noon, rule_id="r_1"),
        "reserve": reserve(noon, count=0),
        "settle": settle(noon, 1, 1),
        "release": ReleaseReservation(at=noon, job_id="j_1", reason=""),
        "plan": SetPlan(at=noon, plan="pro"),
        "grant": GrantCredits(at=noon, amount=1, reason=""),
        "wake": Wake(at=noon),
    }
    stranger.refused(commands[name], TokenInvalid)


@pytest.mark.parametrize("query", [GetUser(), GetRule(rule_id="r_1")])
def test_questions_about_an_unknown_user_are_refused(stranger, query: Query):
    with pytest.raises(TokenInvalid):
        stranger.ask(query)


def test_reserving_takes_slot_and_credits_and_has_the_job_created(user, noon):
    decision = user.when(reserve(noon))
    assert decision.events == (CreditsReserved(at=noon, job_id="j_1", preset="interior", amount=4),)
    assert decision.effects == (
        Tell(
            Address("job", "j_1"),
            CreateJob(at=noon, job_id="j_1", user_id="u_1", preset="interior", item_count=4),
            await_first=True,
            on_refused=ReleaseReservation(at=noon, job_id="j_1", reason="the job could not be created"),
        ),
    )
    assert decision.reply == {"job_id": "j_1", "item_count": 4}
    assert money(user) == (6, 4, 0, 10, 1)


@pytest.mark.parametrize(
    ("plan", "spend", "command", "error"),
    [
        ("free", 0, {"count": 0}, ValidationFailed),
        ("free", 0, {"count": 201}, ValidationFailed),
        ("free", 0, {"count": True}, ValidationFailed),
        ("free", 0, {"count": 1.0}, ValidationFailed),
        ("free", 0, {"preset": "garden"}, ValidationFailed),
        ("free", 0, {"count": 11}, ItemLimit),
        ("free", 0, {"count": 200}, ItemLimit),
        ("free", 1, {"count": 10}, CreditsExhausted),
        ("free", 10, {"count": 11}, ItemLimit),
        ("pro", 50, {"count": 151}, CreditsExhausted),
    ],
)
def test_limits_of_a_reservation(user, noon, plan, spend, command, error):
    user.given(SetPlan(at=noon, plan=plan))
    if spend:
        user.given(
            reserve(noon, "j_0", spend), SettleJob(at=noon, job_id="j_0", status="done", delivered=spend, refunded=0)
        )
    user.refused(reserve(noon, **command), error)


@pytest.mark.parametrize(
    ("count", "preset", "error"),
    [
        (201, "interior", ValidationFailed),
        (11, "garden", ValidationFailed),
        (11, "interior", ConcurrencyLimit),
        (9, "interior", ConcurrencyLimit),
        (1, "interior", ConcurrencyLimit),
    ],
)
def test_validation_comes_first_and_then_the_slot(user, noon, count, preset, error):
    user.given(reserve(noon, "j_0", 5))
    user.refused(reserve(noon, "j_1", count, preset), error)


def test_a_pro_user_has_three_slots(user, noon):
    user.given(SetPlan(at=noon, plan="pro"), *(reserve(noon, f"j_{n}", 1) for n in range(3)))
    user.refused(reserve(noon, "j_3", 1), ConcurrencyLimit)


def test_reserving_the_same_job_again_changes_nothing_also_after_its_end(user, noon):
    user.given(reserve(noon))
    assert user.unchanged(reserve(noon)) == {"job_id": "j_1", "item_count": 4}
    user.refused(reserve(noon, count=3), InvalidTransition)
    user.given(settle(noon, 4, 0))
    assert user.unchanged(reserve(noon)) == {"job_id": "j_1", "item_count": 4}


@pytest.mark.parametrize(
    ("status", "delivered", "refunded", "after"),
    [
        ("done", 4, 0, (6, 0, 4, 10, 0)),
        ("done", 1, 3, (9, 0, 1, 10, 0)),
        ("failed", 0, 4, (10, 0, 0, 10, 0)),
        ("canceled", 2, 2, (8, 0, 2, 10, 0)),
    ],
)
def test_settlement_spends_the_delivered_and_gives_the_rest_back_once(user, noon, status, delivered, refunded, after):
    user.given(reserve(noon))
    decision = user.when(settle(noon, delivered, refunded, status))
    assert decision.events == (
        JobSettled(at=noon, job_id="j_1", status=status, delivered=delivered, refunded=refunded),
    )
    assert decision.reply == {"settled": True}
    assert money(user) == after
    assert user.unchanged(settle(noon, delivered, refunded, status)) == {"settled": False}
    assert user.unchanged(ReleaseReservation(at=noon, job_id="j_1", reason="late")) == {"released": False}
    assert money(user) == after


@pytest.mark.parametrize(("delivered", "refunded"), [(4, 1), (3, 0), (5, -1), (-1, 5)])
def test_a_settlement_that_does_not_add_up_is_refused(user, noon, delivered, refunded):
    user.given(reserve(noon))
    user.refused(settle(noon, delivered, refunded), ValidationFailed)


def test_release_gives_everything_back_once(user, noon):
    user.given(reserve(noon))
    release = ReleaseReservation(at=noon, job_id="j_1", reason="the job could not be created")
    decision = user.when(release)
    assert decision.events == (ReservationReleased(at=noon, job_id="j_1", amount=4, reason=release.reason),)
    assert money(user) == (10, 0, 0, 10, 0)
    assert user.unchanged(release) == {"released": False}
    assert user.unchanged(settle(noon, 4, 0)) == {"settled": False}


def test_stepping_up_tops_the_sign_up_credits_up_once(user, noon):
    decision = user.when(SetPlan(at=noon, plan="pro"))
    assert decision.events == (
        PlanChanged(at=noon, plan="pro"),
        CreditsGranted(at=noon, amount=190, source="plan", reason=""),
    )
    assert decision.reply == {"plan": "pro"}
    assert user.unchanged(SetPlan(at=noon, plan="pro")) == {"plan": "pro"}
    user.given(SetPlan(at=noon, plan="free"), SetPlan(at=noon, plan="pro"))
    assert money(user) == (200, 0, 0, 200, 0)


@pytest.mark.parametrize("plan", ["gold", "", "PRO"])
def test_there_are_two_plans(user, noon, plan):
    user.refused(SetPlan(at=noon, plan=plan), ValidationFailed, "plan: ")


def test_operators_grant_credits_that_do_not_count_as_the_plans(user, noon):
    assert user.when(GrantCredits(at=noon, amount=5, reason="sorry")).reply == {"credits": 15}
    user.given(SetPlan(at=noon, plan="pro"))
    assert money(user) == (205, 0, 0, 205, 0)


@pytest.mark.parametrize("amount", [0, -1, 1_000_001, True, 1.5])
def test_grants_are_whole_and_positive(user, noon, amount):
    command = GrantCredits(at=noon, amount=amount, reason="")
    user.refused(command, ValidationFailed, "amount: ")


def test_a_rule_is_kept_normalised_and_told_whole(user, noon):
    reply = user.when(rule(noon, concepts={"Wall": {"action": "recolor", "value": "#f4f1ea"}})).reply
    assert reply == {
        "id": "r_1",
        "user_id": "u_1",
        "name": "Oak",
        "preset_id": "interior",
        "concepts": {"Wall": {"action": "recolor", "value": "#F4F1EA"}},
        "protect": ["Light"],
        "concepts_json": '{"Wall": {"action": "recolor", "value": "#F4F1EA"}}',
        "protect_json": '["Light"]',
        "created_at": "2026-01-01T12:00:00.000000Z",
        "updated_at": "2026-01-01T12:00:00.000000Z",
    }
    assert user.ask(GetRule(rule_id="r_1")) == reply
    assert user.unchanged(rule(noon)) == reply


def test_without_a_protect_list_the_presets_defaults_hold_less_the_selected(user, noon):
    grout = {"Grout": {"action": "recolor", "value": "lightgray_grout"}}
    reply = user.when(rule(noon, concepts=grout, protect=None)).reply
    assert reply["protect"] == ["Frame_Molding", "Glass_highlight"]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"name": ""}, "name: "),
        ({"name": "   "}, "name: "),
        ({"name": "x" * 81}, "name: "),
        ({"name": "a\x00b"}, "name: "),
        ({"name": "\ud800"}, "name: "),
        ({"preset_id": "garden"}, "preset_id: "),
        ({"concepts": {}}, "concepts: "),
        ({"concepts": {"Body": {"action": "remove"}}}, "concepts.Body: "),
        ({"protect": ["Floor"]}, "protect: Floor"),
    ],
)
def test_rules_that_do_not_fit_are_refused(user, noon, changes, match):
    user.refused(rule(noon, **changes), ValidationFailed, match)


def test_rule_slots_are_the_plans_and_validation_comes_first(user, noon):
    user.given(rule(noon, "r_1"), rule(noon, "r_2"))
    user.refused(rule(noon, "r_3"), RuleSlotFull)
    user.refused(rule(noon, "r_3", name=""), ValidationFailed)
    user.given(DeleteRule(at=noon, rule_id="r_1"), rule(noon, "r_3"))
    user.given(SetPlan(at=noon, plan="pro"), *(rule(noon, f"p_{n}") for n in range(18)))
    user.refused(rule(noon, "r_99"), RuleSlotFull)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "Bark"}, {"name": "Bark"}),
        ({"concepts": {"Wall": {"action": "remove"}}}, {"concepts": {"Wall": {"action": "remove"}}}),
        ({"protect": []}, {"protect": []}),
        ({"protect": ["Wall", "Wall"]}, {"protect": ["Wall"]}),
    ],
)
def test_any_part_of_a_rule_can_be_changed(user, noon, changes, expected):
    created = user.when(rule(noon)).reply
    later = noon + timedelta(minutes=1)
    reply = user.when(UpdateRule(at=later, rule_id="r_1", **changes)).reply
    shown = {key: reply[key] for key in ("name", "concepts", "protect")}
    assert shown == {**{key: created[key] for key in shown}, **expected}
    assert (reply["created_at"], reply["updated_at"]) == (created["created_at"], "2026-01-01T12:01:00.000000Z")


@pytest.mark.parametrize("changes", [{}, {"name": "Oak"}, {"concepts": FLOOR}, {"protect": ["Light"]}])
def test_a_change_that_changes_nothing_leaves_no_event(user, noon, changes):
    created = user.when(rule(noon)).reply
    assert user.unchanged(UpdateRule(at=noon + timedelta(minutes=1), rule_id="r_1", **changes)) == created


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rule_id": "r_2"}, RuleNotFound),
        ({"rule_id": "r_2", "name": ""}, RuleNotFound),
        ({"name": ""}, ValidationFailed),
        ({"concepts": {}}, ValidationFailed),
        ({"concepts": {"Light": {"action": "remove"}}}, ValidationFailed),
        ({"protect": ["Floor"]}, ValidationFailed),
    ],
)
def test_changes_that_do_not_fit_are_refused(user, noon, changes, error: type[PaletteError]):
    user.given(rule(noon))
    user.refused(UpdateRule(**{"at": noon, "rule_id": "r_1", **changes}), error)


def test_a_deleted_rule_is_gone(user, noon):
    user.given(rule(noon))
    decision = user.when(DeleteRule(at=noon, rule_id="r_1"))
    assert decision.events == (RuleDeleted(at=noon, rule_id="r_1"),)
    assert decision.reply == {"id": "r_1", "deleted": True}
    user.refused(DeleteRule(at=noon, rule_id="r_1"), RuleNotFound)
    with pytest.raises(RuleNotFound):
        user.ask(GetRule(rule_id="r_1"))
    assert user.ask(GetUser())["rule_slots"] == 0


def test_a_user_waits_for_nothing(user, noon):
    assert user.behaviour.deadline(user.state) is None
    user.given(reserve(noon))
    assert user.behaviour.deadline(user.state) is None
    assert user.unchanged(Wake(at=noon)) is None


def test_a_snapshot_of_another_shape_is_left_to_the_events(user):
    data = user.behaviour.dump(user.state)
    assert user.behaviour.load(b"0" + data) is None
    assert user.behaviour.load(data.replace(b"user_id", b"name_id")) is None
    assert user.behaviour.load(b"") is None
