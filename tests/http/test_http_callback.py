"""Results of GPU workers outside the cluster."""

from __future__ import annotations

from typing import Any

import pytest

SECRET = "c" * 40  # the fixture's callback_secret


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
async def running(api: Any) -> Any:
    """(user, job id, path of its callback) of a job that waits for results."""
    user = await api.user("abc")
    job_id = await api.job(user, "queued")
    return user, job_id, f"/jobs/{job_id}/callback"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Callback-Secret": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": "Bearer somebody", "X-Callback-Secret": SECRET},
    ],
)
async def test_the_secret_comes_in_either_header(api: Any, running: Any, headers: dict[str, str]) -> None:
    user, job_id, path = running
    body = {
        "idx": 0,
        "status": "done",
        "output_key": f"outputs/{user.user_id}/{job_id}/0_result.png",
        "preview_key": None,
        "error": None,
        "idempotency_key": "k",
    }
    answer = await api.client.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["data"]) == (200, {"processed": True})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Callback-Secret": ""},
        {"X-Callback-Secret": SECRET[:-1]},
        {"X-Callback-Secret": SECRET + "c"},
        {"X-Callback-Secret": "é".encode("latin-1") * 40},
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
    ],
)
async def test_without_the_secret_nothing_else_is_looked_at(api: Any, running: Any, headers: Any) -> None:
    for path in (running[2], "/jobs/j_9/callback"):
        for body in (b"{", b"x" * 2_000_000, b"{}"):
            answer = await api.client.post(path, content=body, headers=headers)
            assert error_of(answer) == (403, "CALLBACK_UNAUTHORIZED")


async def test_a_users_token_is_no_secret(api: Any, running: Any) -> None:
    user, _, path = running
    assert error_of(await user.post(path, json={})) == (403, "CALLBACK_UNAUTHORIZED")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"idx": 2}, "idx"),
        ({"idx": -1}, "idx"),
        ({"idx": 10**30}, "idx"),
        ({"idx": "0"}, "idx"),
        ({"idx": None}, "idx"),
        ({"idx": True}, "idx"),
        ({"status": "finished"}, "status"),
        ({"status": None}, "status"),
        ({"output_key": None}, "output_key"),
        ({"output_key": ""}, "output_key"),
        ({"output_key": 7}, "output_key"),
        ({"output_key": "outputs/u_2/{job}/0_result.png"}, "output_key"),
        ({"output_key": "outputs/{user}/j_2/0_result.png"}, "output_key"),
        ({"output_key": "outputs/{user}/{job}/../../u_2/j_2/0.png"}, "output_key"),
        ({"output_key": "outputs/{user}/{job}/"}, "output_key"),
        ({"output_key": "/outputs/{user}/{job}/0.png"}, "output_key"),
        ({"output_key": "inputs/{user}/{job}/0.jpg"}, "output_key"),
        ({"output_key": "outputs/{user}/{job}/0\x00.png"}, "output_key"),
        ({"preview_key": "previews/u_2/{job}/0_thumb.jpg"}, "preview_key"),
        ({"preview_key": "outputs/{user}/{job}/0_thumb.jpg"}, "preview_key"),
        ({"mask_keys": {"Wall": "masks/u_2/j_2/0_Wall.png"}}, "mask_keys"),
        ({"mask_keys": {"Wall": "outputs/x.png"}}, "mask_keys"),
        ({"mask_keys": {"../Wall": "masks/x.png"}}, "mask_keys"),
        ({"mask_keys": {"W" * 65: "masks/x.png"}}, "mask_keys"),
        ({"mask_keys": {f"c{number}": "masks/x.png" for number in range(65)}}, "mask_keys"),
        ({"mask_keys": ["masks/x.png"]}, "mask_keys"),
        ({"instances_key": "masks/{user}/j_2/0_instances.json"}, "instances_key"),
        ({"instances_key": 7}, "instances_key"),
        ({"warnings": "a warning"}, "warnings"),
        ({"warnings": [7]}, "warnings"),
        ({"timings_ms": {"segment": "long"}}, "timings_ms"),
        ({"timings_ms": {"": 1}}, "timings_ms"),
        ({"idempotency_key": None}, "idempotency_key"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": 1}, "idempotency_key"),
    ],
)
async def test_results_that_do_not_fit(api: Any, running: Any, change: dict[str, Any], says: str) -> None:
    user, job_id, _ = running
    filled = {
        name: value.format(user=user.user_id, job=job_id) if isinstance(value, str) else value
        for name, value in change.items()
    }
    answer = await api.callback(user, job_id, **({"idx": 0} | filled))
    assert error_of(answer) == (400, "VALIDATION_ERROR")
    assert says in answer.json()["error"]["message"]
    assert (await api.callback(user, job_id, 0)).json()["data"] == {"processed": True}


async def test_any_key_inside_the_jobs_folders_can_be_shown(api: Any, running: Any) -> None:
    """What the domain takes as a key the store must be able to sign."""
    user, job_id, _ = running
    folder = f"{user.user_id}/{job_id}"
    await api.callback(
        user, job_id, 0, output_key=f"outputs/{folder}/-a/b_1/c.v2.png", preview_key=f"previews/{folder}/_p"
    )
    (download,) = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]["download_urls"]
    assert f"outputs/{folder}/-a/b_1/c.v2.png" in download["output_url"]
    assert f"previews/{folder}/_p" in download["preview_url"]


async def test_what_a_worker_may_tell_besides_is_shown(api: Any, running: Any) -> None:
    user, job_id, _ = running
    masks = f"masks/{user.user_id}/{job_id}"
    told = {
        "mask_keys": {"Wall": f"{masks}/0_Wall.png"},
        "instances_key": f"{masks}/0_instances.json",
        "warnings": ["Window: not in this photo", "Wall: faint"],
        "timings_ms": {"segment": 31.5, "encode": 7},
    }
    nothing = dict.fromkeys(told)
    assert (await api.callback(user, job_id, 0, **told)).json()["data"] == {"processed": True}
    assert (await api.callback(user, job_id, 1, **nothing)).json()["data"] == {"processed": True}
    first, second = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]["items"]
    assert f"{masks}/0_Wall.png" in first["masks"]["Wall"]
    assert f"{masks}/0_instances.json" in first["instances_url"]
    assert first["warnings"] == told["warnings"]
    assert (second["masks"], second["instances_url"], second["warnings"]) == ({}, None, [])


async def test_warnings_without_end_are_cut_short(api: Any, running: Any) -> None:
    user, job_id, _ = running
    answer = await api.callback(user, job_id, 0, warnings=["very " * 200] * 200)
    assert answer.json()["data"] == {"processed": True}
    warnings = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]["items"][0]["warnings"]
    assert len(warnings) <= 50
    assert all(len(warning) <= 500 for warning in warnings)


async def test_without_a_preview_the_result_stands_in(api: Any, running: Any) -> None:
    user, job_id, _ = running
    await api.callback(user, job_id, 0)
    (download,) = (await user.get(f"/jobs/{job_id}")).json()["data"]["job"]["download_urls"]
    assert download["preview_url"] == download["output_url"]


async def test_a_repeat_is_not_processed(api: Any, running: Any) -> None:
    user, job_id, _ = running
    assert (await api.callback(user, job_id, 0)).json()["data"] == {"processed": True}
    assert (await api.callback(user, job_id, 0)).json()["data"] == {"processed": False}
    again = await api.callback(user, job_id, 0, status="failed", idempotency_key="another")
    assert again.json()["data"] == {"processed": False}
    used = await api.callback(user, job_id, 1, idempotency_key="key-0")
    assert used.json()["data"] == {"processed": False}


@pytest.mark.parametrize("status", ["done", "failed", "canceled"])
async def test_a_job_that_has_ended_takes_no_result(api: Any, status: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    assert (await api.callback(user, job_id, 0, idempotency_key="late")).json()["data"] == {"processed": False}


@pytest.mark.parametrize("status", ["created", "uploaded"])
async def test_a_job_that_was_not_executed_takes_no_result(api: Any, status: str) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, status)
    assert error_of(await api.callback(user, job_id, 0)) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize("job_id", ["j_9", "%00", "작업", "a" * 3000])
async def test_an_unknown_job_is_not_found(api: Any, running: Any, job_id: str) -> None:
    answer = await api.callback(running[0], job_id, 0, output_key="outputs/u_1/j_9/0_result.png")
    assert error_of(answer) == (404, "JOB_NOT_FOUND")
