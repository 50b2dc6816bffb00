"""Read models: what lists and history are answered from, brought up to date in the transaction of each append."""

from __future__ import annotations

from typing import Final

from event_store.types import Projection
from s3palette.read_models.billing import BILLING_EVENTS
from s3palette.read_models.items import JOB_ITEMS_LOG
from s3palette.read_models.jobs import JOBS_LOG
from s3palette.read_models.rules import RULES
from s3palette.read_models.users import USERS

__all__ = ["BILLING_EVENTS", "JOBS_LOG", "JOB_ITEMS_LOG", "PROJECTIONS", "RULES", "USERS"]

PROJECTIONS: Final[tuple[Projection, ...]] = (USERS, RULES, JOBS_LOG, JOB_ITEMS_LOG, BILLING_EVENTS)
"""Every read model, as the event store is given them."""
