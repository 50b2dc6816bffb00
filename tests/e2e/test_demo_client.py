"""The HTTP client and `events` against a whole system: what the demo is made of, one by one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from s3palette.client import Client, Job, PaletteError
from s3palette.demo import ALBUMS

from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

RULE = {"Background": {"action": "recolor", "value": "#C0D0E0"}}
TYPES = ["JobCreated", "UploadConfirmed", "JobQueued", "PhotoStarted", "PhotoDelivered", "JobEnded"]


@pytest.fixture
def client(classical: SystemUnderTest) -> Iterator[Client]:
    with Client(classical.url) as client:
        client.sign_up()
        yield client


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A demo photo at 480 pixels."""
    with Image.open(ALBUMS[1].photos[0]) as image:
        data = io.BytesIO()
        image.resize((480, 360)).save(data, "JPEG")
    return data.getvalue()


def test_a_photo_goes_through_and_its_events_tell_so(
    classical: SystemUnderTest, client: Client, photo: bytes, tmp_path: Path
) -> None:
    new = client.create_job("seller", 1)
    client.upload(new, [photo])
    client.confirm(new.job_id)
    client.execute(new.job_id, RULE, protect=["Label_Text"])
    looks: list[Job] = []
    job = client.wait(new.job_id, looks.append, timeout_s=120)
    assert (job.status, job.done_items, looks[-1]) == ("done", 1, job)
    result = client.download(job.downloads[0].output_url, tmp_path / "result.png")
    with Image.open(result) as image:
        assert image.size == (480, 360)
    assert "Background" in job.items[0].masks
    me = client.me()
    assert (me.credits, me.concurrent_jobs) == (9, 0)

    shown = classical.cli("events", "show", f"job-{new.job_id}", "--json")
    assert [json.loads(line)["type"] for line in shown.stdout.splitlines()] == TYPES
    first = classical.cli("events", "show", f"job-{new.job_id}", "--upto", "1").stdout
    assert len(first.splitlines()) == 1
    assert me.user_id in first
    assert f"user-{me.user_id}" in classical.cli("events", "show", me.user_id).stderr
    assert len(classical.cli("events", "tail", "-n", "5").stdout.splitlines()) == 5


def test_an_upload_goes_on_from_the_job_and_a_job_can_be_canceled(client: Client, photo: bytes) -> None:
    new = client.create_job("seller", 1)
    job = client.job(new.job_id)
    assert job.status == "created"
    client.upload(job, [photo])
    client.confirm(new.job_id)
    client.cancel(new.job_id)
    assert client.job(new.job_id).status == "canceled"
    assert client.me().credits == 10


def test_refusals_carry_the_servers_code(client: Client) -> None:
    with pytest.raises(PaletteError) as refused:
        client.create_job("seller", 11)
    assert (refused.value.code, refused.value.status) == ("ITEM_LIMIT", 403)
    with pytest.raises(PaletteError) as refused:
        client.job("j_unknown")
    assert (refused.value.code, refused.value.status) == ("JOB_NOT_FOUND", 404)


def test_the_same_device_is_the_same_user(classical: SystemUnderTest) -> None:
    with Client(classical.url) as one, Client(classical.url) as two:
        first, second = one.sign_up("a-device"), two.sign_up("a-device")
    assert first.user_id == second.user_id
    assert (first.is_new, second.is_new) == (True, False)
