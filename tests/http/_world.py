"""What generated requests need to get anywhere: a signed-up user, jobs in the right state, rules, signed addresses.

Everything is made over HTTP, so any running system will do.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

__all__ = ["World"]

RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}
MAX_RULES = 15
LOOKS = 50


class World:
    """One user on the pro plan. `prepare` puts what exists in place of what was made up, three times out of four."""

    def __init__(self, url: str, token: str, callback_secret: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._token = token
        self._callback_secret = callback_secret
        self._count = 0
        self.user_id = self._data(self._http.get("/me"))["user_id"]

    @classmethod
    def sign_up(cls, url: str, callback_secret: str) -> World:
        return cls(url, httpx.post(f"{url}/auth/anon").json()["data"]["token"], callback_secret)

    def close(self) -> None:
        self._http.close()

    def headers(self, case: Any) -> dict[str, str]:
        """Who asks."""
        token = self._callback_secret if case.operation.label.endswith("/callback") else self._token
        return {"Authorization": f"Bearer {token}"}

    def prepare(self, case: Any) -> None:
        """Change a case of schemathesis in place."""
        self._count += 1
        if self._count % 4 == 0 or case.meta.generation.mode.is_negative:
            return
        operation, path, body = case.operation.label, case.path_parameters, case.body
        if operation == "POST /jobs":
            self._end_jobs()
            body |= {"preset": "seller"}
        elif "{job_id}" in operation:
            path["job_id"] = self._job(operation.rpartition("/")[2])
            if operation.endswith("/execute"):
                body |= {"concepts": RULE, "protect": [], "rule_id": None}
            elif operation.endswith("/callback"):
                body |= {"idx": 0, "output_key": f"outputs/{self.user_id}/{path['job_id']}/0_result.png"}
        elif "{key}" in operation:
            address = self._address(operation.partition(" ")[0].lower())
            if address is not None:
                signed = urlsplit(address)
                path["key"] = unquote(signed.path.removeprefix("/storage/"))
                case.query |= dict(parse_qsl(signed.query))
        elif "{rule_id}" in operation or operation == "POST /rules":
            saved = self._rule()
            if path:
                path["rule_id"] = saved
            if isinstance(body, dict):
                body |= {"concepts": RULE, "protect": [], "name": "Oak", "preset_id": "interior"}
        elif "{preset_id}" in operation:
            path["preset_id"] = "ootd"

    def _job(self, step: str, photo: bytes = b"stuck") -> str:
        """A job of one photo that is ready for that step."""
        self._end_jobs()
        job = self._data(self._http.post("/jobs", json={"preset": "interior", "item_count": 1}))
        path = f"/jobs/{job['job_id']}"
        if step in ("confirm-upload", "execute", "callback"):
            httpx.put(job["presigned_urls"][0]["url"], content=photo).raise_for_status()
        if step in ("execute", "callback"):
            self._data(self._http.post(f"{path}/confirm-upload"))
        if step == "callback":
            self._data(self._http.post(f"{path}/execute", json={"concepts": RULE}))
        return str(job["job_id"])

    def _end_jobs(self) -> None:
        for job in self._data(self._http.get("/jobs", params={"limit": 10})):
            if job["status"] not in ("done", "failed", "canceled"):
                self._http.post(f"/jobs/{job['job_id']}/cancel")

    def _rule(self) -> str:
        rules = self._data(self._http.get("/rules"))["rules"]
        for rule in rules[MAX_RULES:]:
            self._http.delete(f"/rules/{rule['id']}")
        saved = self._http.post("/rules", json={"name": "Ash", "preset_id": "interior", "concepts": RULE})
        rule_id: str = self._data(saved)["rule"]["id"]
        return rule_id

    def _address(self, op: str) -> str | None:
        """A signed address to upload to, or of a result where an engine delivers one."""
        if op == "put":
            job = self._look(self._job("upload"))
            return str(job["presigned_urls"][0]["url"])
        job_id = self._job("callback", b"photo")
        for _ in range(LOOKS):
            job = self._look(job_id)
            if job["download_urls"]:
                return str(job["download_urls"][0]["output_url"])
        return None

    def _look(self, job_id: str) -> Any:
        return self._data(self._http.get(f"/jobs/{job_id}"))["job"]

    def _data(self, answer: httpx.Response) -> Any:
        answer.raise_for_status()
        return answer.json()["data"]
