"""`rules`: one row a saved rule, with everything the API's rule object needs. Newest first is falling `seq`."""

from __future__ import annotations

import json
from typing import Final

from event_store.types import Row, Rows, Table
from s3palette.domain.times import iso
from s3palette.domain.user_messages import RuleCreated, RuleDeleted, RuleUpdated
from s3palette.read_models._base import EventProjection, Fact, existing

__all__ = ["RULES"]

_TABLE: Final = Table(
    "rules",
    {
        "user_id": "TEXT",
        "id": "TEXT",
        "name": "TEXT",
        "preset_id": "TEXT",
        "concepts_json": "TEXT",
        "protect_json": "TEXT",
        "created_at": "TEXT",
        "updated_at": "TEXT",
        "seq": "INTEGER",
    },
    key=("user_id", "id"),
    indexes=(("user_id", "seq"),),
)


def _on(fact: Fact, rows: Rows) -> None:
    event = fact.event
    if isinstance(event, RuleDeleted):
        rows.delete("rules", (fact.entity, event.rule_id))
        return
    assert isinstance(event, RuleCreated | RuleUpdated)
    at = iso(event.at)
    if isinstance(event, RuleCreated):
        row: Row = {"user_id": fact.entity, "id": event.rule_id, "preset_id": event.preset_id}
        row |= {"created_at": at, "seq": fact.seq}
    else:
        row = existing(rows, "rules", fact.entity, event.rule_id)
    changed = {
        "name": event.name,
        "concepts_json": json.dumps(event.concepts, ensure_ascii=False),
        "protect_json": json.dumps(event.protect, ensure_ascii=False),
        "updated_at": at,
    }
    rows.put("rules", {**row, **changed})


RULES: Final = EventProjection("rules", 1, (_TABLE,), _on, (RuleCreated, RuleUpdated, RuleDeleted))
