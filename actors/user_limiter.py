"""UserLimiter: one actor a user. Credits, slots and rules, decided in s3palette.domain.user."""

from __future__ import annotations

from datetime import UTC, datetime

from actors.refs import Method
from s3palette.domain.model import Address
from s3palette.domain.user import GetUser, GrantCredits, SetPlan, UserBehaviour
from s3palette.settings import Settings

__all__ = ["UserLimiter", "user_behaviour", "user_limiter"]


def user_behaviour(settings: Settings) -> UserBehaviour:
    """The behaviour that hosts run for every user."""
    del settings  # nothing about a user is configurable yet; the signature is that of job_behaviour
    return UserBehaviour()


class UserLimiter:
    """Plain ref to one user's actor. Every method is called with `.remote(...)` and gives an ObjectRef."""

    def __init__(self, user_id: str) -> None:
        to = Address("user", user_id)
        self.state = Method(to, GetUser)
        """() -> {user_id, plan, credits, reserved, spent, granted, rule_slots, ...}"""
        self.set_plan = Method(to, lambda plan: SetPlan(at=datetime.now(UTC), plan=plan))
        """(plan) -> {"plan"}"""
        self.grant = Method(to, lambda amount, reason: GrantCredits(at=datetime.now(UTC), amount=amount, reason=reason))
        """(amount, reason) -> {"credits"}"""


def user_limiter(user_id: str) -> UserLimiter:
    """The actor of a user, from any program on the cluster; ray.init must have been called, see s3palette.client."""
    return UserLimiter(user_id)
