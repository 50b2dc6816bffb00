"""Rows of the read models as the API shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["job_summary", "rule_object"]


def rule_object(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `rules`."""
    return {
        "id": row["id"],
        "user_id": row["user_id"],
        "name": row["name"],
        "preset_id": row["preset_id"],
        "concepts": json.loads(row["concepts_json"]),
        "protect": json.loads(row["protect_json"]),
        "concepts_json": row["concepts_json"],
        "protect_json": row["protect_json"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def job_summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `jobs_log`."""
    return {
        "job_id": row["job_id"],
        "status": row["status"],
        "preset": row["preset"],
        "created_at": row["created_at"],
        "progress": {"done": row["done"], "failed": row["failed"], "total": row["total"]},
    }
