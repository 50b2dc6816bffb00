"""What the plans differ in: the table of limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from s3palette.domain.errors import ValidationFailed

__all__ = ["MAX_ITEMS", "PLANS", "SIGN_UP_PLAN", "Plan", "plan_of"]

MAX_ITEMS: Final = 200
"""Photos a job can have at all, whatever the plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    id: str
    credits: int
    """At sign-up; one photo costs one."""
    max_jobs: int
    """Jobs that may hold a reservation at once."""
    max_items: int
    """Photos a job."""
    rule_slots: int
    all_templates: bool
    """False: only the first output template of each preset."""
    watermark: bool
    """On exported sets."""


PLANS: Final[Mapping[str, Plan]] = MappingProxyType(
    {
        plan.id: plan
        for plan in (
            Plan("free", credits=10, max_jobs=1, max_items=10, rule_slots=2, all_templates=False, watermark=True),
            Plan("pro", credits=200, max_jobs=3, max_items=200, rule_slots=20, all_templates=True, watermark=False),
        )
    }
)

SIGN_UP_PLAN: Final = PLANS["free"]


def plan_of(plan_id: str) -> Plan:
    """Raises ValidationFailed for a plan that does not exist."""
    plan = PLANS.get(plan_id)
    if plan is None:
        raise ValidationFailed(f"plan: {plan_id!r} is none of {', '.join(PLANS)}")
    return plan
