"""Saved rules. They belong to the caller's own entity: somebody else's is not found."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.errors import RuleNotFound, RuleSlotFull, ValidationFailed
from s3palette.domain.user import CreateRule, DeleteRule, GetRule, UpdateRule
from s3palette.http.answers import DeletedData, RuleData, RulesData, answers
from s3palette.http.call import Call
from s3palette.http.requests import CreateRuleBody, UpdateRuleBody
from s3palette.http.route import UserRoute
from s3palette.http.rows import rule_object

__all__ = ["router"]

router = APIRouter(route_class=UserRoute, tags=["rules"])


@router.post("/rules", **answers(RuleData, ValidationFailed, RuleSlotFull, status=201))
async def create_rule(call: Call, body: CreateRuleBody) -> Response:
    """Save a rule. Without `protect` it protects what its preset protects, less what it selects."""
    command = CreateRule(
        at=call.now,
        rule_id=f"r_{call.deps.new_id()}",
        name=body.name,
        preset_id=body.preset_id,
        concepts=body.concepts,
        protect=body.protect,
    )
    return call.answer({"rule": await call.ask_user(command)}, status=201)


@router.get("/rules", **answers(RulesData))
async def list_rules(call: Call) -> Response:
    """The caller's rules, newest first."""
    rows = await call.deps.reads.select("rules", {"user_id": call.user_id}, order=("seq",), descending=True)
    return call.answer({"rules": [rule_object(row) for row in rows]})


@router.get("/rules/{rule_id}", **answers(RuleData, RuleNotFound))
async def get_rule(call: Call, rule_id: str) -> Response:
    """One rule."""
    return call.answer({"rule": await call.ask_user(GetRule(rule_id=rule_id))})


@router.put("/rules/{rule_id}", **answers(RuleData, ValidationFailed, RuleNotFound))
async def update_rule(call: Call, rule_id: str, body: UpdateRuleBody) -> Response:
    """Change any of name, concepts, protect; what is absent stays."""
    command = UpdateRule(at=call.now, rule_id=rule_id, name=body.name, concepts=body.concepts, protect=body.protect)
    return call.answer({"rule": await call.ask_user(command)})


@router.delete("/rules/{rule_id}", **answers(DeletedData, RuleNotFound))
async def delete_rule(call: Call, rule_id: str) -> Response:
    """Delete a rule; its slot is free again."""
    return call.answer(await call.ask_user(DeleteRule(at=call.now, rule_id=rule_id)))
