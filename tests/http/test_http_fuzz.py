"""Whatever is sent: an envelope comes back, and never a fault of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(
        ["interior", "Floor", "Wall", "Grout", "recolor", "tone", "texture", "remove", "oak_a", "#aabbcc", "done"]
    )
)
NAMES = st.sampled_from(["action", "value", "instances", "exposure", "1", "Floor", "Wall", "locked"]) | st.text(
    st.characters(codec="utf-8"), max_size=5
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
FIELDS = ["name", "preset_id", "preset", "item_count", "concepts", "protect", "rule_id", "output_template"]
FIELDS += ["device_hash", "idx", "status", "output_key", "preview_key", "error", "idempotency_key"]
FIELDS += ["mask_keys", "instances_key", "warnings", "timings_ms"]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)
WITH_A_RULE = st.fixed_dictionaries(
    {
        "name": st.just("fuzz"),
        "preset_id": st.just("interior"),
        "concepts": st.dictionaries(st.sampled_from(["Floor", "Wall", "Tile"]), JSON, min_size=1, max_size=2),
    },
    optional={"protect": JSON},
)
PATHS = st.text(st.characters(codec="utf-8", exclude_characters="?#"), max_size=20)
QUIET = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    body = answer.json()
    assert set(body) == {"success", "data", "error", "meta"}
    assert body["success"] is (answer.status_code < 400)


@QUIET
@given(body=BODIES | WITH_A_RULE)
async def test_any_json(api: Any, body: Any) -> None:
    user = await api.user("fuzz", plan="pro")
    waiting = await api.job(user, "uploaded", photos=1)
    secret = {"X-Callback-Secret": api.settings.callback_secret.get_secret_value()}
    check(await user.post("/rules", json=body))
    check(await user.post("/jobs", json=body))
    check(await user.post("/auth/anon", json=body))
    check(await user.post(f"/jobs/{waiting}/execute", json=body))
    check(await user.post(f"/jobs/{waiting}/callback", json=body, headers=secret))
    check(await user.get(f"/jobs/{waiting}"))
    for job in (await user.get("/jobs?limit=100")).json()["data"]:
        await user.post(f"/jobs/{job['job_id']}/cancel")


@QUIET
@given(path=PATHS, query=PATHS, method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]))
async def test_any_path(api: Any, path: str, query: str, method: str) -> None:
    user = await api.user("fuzz")
    for start in ("/", "/jobs/", "/rules/", "/presets/", "/storage/", "/materials", "/jobs"):
        answer = await user.request(
            method, f"{start}{quote(path)}", params={"limit": query, "preset": query, "sig": query}
        )
        if answer.content or method not in ("HEAD", "OPTIONS"):
            check(answer)
        assert answer.status_code < 500


@QUIET
@given(
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "Origin", "X-Request-Id", "Content-Type", "Host"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
    )
)
async def test_any_header(api: Any, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path in (("GET", "/me"), ("POST", "/auth/anon"), ("POST", "/jobs")):
        check(await api.client.request(method, path, headers=raw, content=b"{}"))
