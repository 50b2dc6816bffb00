"""One job as the API shows it: keys become addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s3palette.domain import keys
from s3palette.http.call import Call

__all__ = ["job_object", "upload_addresses"]

_KEYS_OF_ITEM = frozenset({"mask_keys", "instances_key", "output_key", "preview_key"})


def job_object(call: Call, job: Mapping[str, Any]) -> dict[str, Any]:
    """The entity's answer to GetJob, with addresses in place of the storage keys."""
    base, address = call.reached_at, call.deps.store.presign_get
    items, downloads = [], []
    for item in job["items"]:
        shown = {name: value for name, value in item.items() if name not in _KEYS_OF_ITEM}
        shown["masks"] = {concept: address(key, base) for concept, key in item["mask_keys"].items()}
        shown["instances_url"] = address(item["instances_key"], base) if item["instances_key"] else None
        items.append(shown)
        if item["status"] == "done" and item["output_key"]:
            output_url = address(item["output_key"], base)
            # Clients parse a string here: a worker that made no preview gives them the result itself.
            preview_url = address(item["preview_key"], base) if item["preview_key"] else output_url
            downloads.append({"idx": item["idx"], "output_url": output_url, "preview_url": preview_url})
    waiting = job["status"] == "created"
    return {
        **job,
        "items": items,
        "download_urls": downloads,
        "presigned_urls": upload_addresses(call, job["job_id"], job["total_items"]) if waiting else [],
    }


def upload_addresses(call: Call, job_id: str, count: int) -> list[dict[str, Any]]:
    """A PUT address for every photo of the caller's job."""
    base, address = call.reached_at, call.deps.store.presign_put
    uploads = ((idx, keys.input_key(call.user_id, job_id, idx)) for idx in range(count))
    return [{"idx": idx, "url": address(key, base), "key": key} for idx, key in uploads]
