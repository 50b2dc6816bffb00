"""Photos as they come: every form of a good one is done, every bad one fails alone and says why."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image

from ._contract import Album, credits_and_jobs, data_of, refusal, unsigned
from ._contract_photos import (
    UPRIGHT,
    Ended,
    ball,
    damaged_files,
    decoded,
    encoded,
    flat,
    good_forms,
    hostile_files,
    room,
    run,
)
from .conftest import SystemUnderTest

pytestmark = pytest.mark.e2e

BLUE = {"Product": {"action": "recolor", "value": "#2E6FB7"}}
GOOD, HOSTILE = good_forms(), hostile_files()


@pytest.fixture
def owner(classical: SystemUnderTest) -> Iterator[httpx.Client]:
    """A new user of the system with its own engine."""
    with classical.sign_up() as client:
        yield client


@pytest.fixture(scope="module")
def forms(classical: SystemUnderTest) -> Iterator[Ended]:
    """One album of the same photo in every form."""
    with classical.sign_up() as client:
        yield run(client, list(GOOD.values()), concepts=BLUE, protect=[])


@pytest.fixture(scope="module")
def mixed(classical: SystemUnderTest) -> Iterator[Ended]:
    """Every hostile file between two good ones."""
    with classical.sign_up() as client:
        good = encoded(ball())
        yield run(client, [good, *HOSTILE.values(), good], concepts=BLUE, protect=[])


@pytest.mark.parametrize("idx", range(len(GOOD)), ids=list(GOOD))
def test_every_form_of_a_photo_is_done(forms: Ended, idx: int) -> None:
    item = forms.item(idx)
    assert (item["status"], item.get("error")) == ("done", None)
    output = forms.output(idx)
    assert output.size == UPRIGHT
    assert output.mode in ("RGB", "RGBA"), "8 bits a channel"
    preview = forms.preview(idx)
    assert max(preview.size) <= 512
    assert preview.width / preview.height == pytest.approx(UPRIGHT[0] / UPRIGHT[1], rel=0.02)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "RGBA PNG", "palette PNG", "PNG with a profile", "turned JPEG"])
def test_the_product_is_blue_and_the_rest_is_untouched(forms: Ended, form: str) -> None:
    idx = list(GOOD).index(form)
    before, after = decoded(GOOD[form]).astype(int), np.asarray(forms.output(idx).convert("RGB")).astype(int)
    assert np.array_equal(before[:20], after[:20])
    centre = after[140:180, 220:260].reshape(-1, 3).mean(axis=0)
    assert centre[2] > centre[0] + 40, centre


def test_every_orientation_comes_out_upright(owner: httpx.Client) -> None:
    photos = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        photos.append(encoded(ball(), "JPEG", exif=exif, quality=95))
    ended = run(owner, photos, concepts=BLUE, protect=[])
    for idx, photo in enumerate(photos):
        before, after = decoded(photo), np.asarray(ended.output(idx).convert("RGB"))
        assert before.shape == after.shape
        assert np.array_equal(before[:20, :20], after[:20, :20])
        assert not np.array_equal(before, after)


def test_a_saved_rule_is_what_is_applied(owner: httpx.Client) -> None:
    """rule_id wins over what stands beside it, and a rule changed later changes nothing any more."""
    body = {"name": "파랑", "preset_id": "seller", "concepts": BLUE, "protect": []}
    rule_id = data_of(owner.post("/rules", json=body), 201)["rule"]["id"]
    inline = {"Background": {"action": "recolor", "value": "#203040"}}
    ended = run(owner, [encoded(ball())], rule_id=rule_id, concepts=inline)
    assert set(ended.item(0)["masks"]) == {"Product"}
    data_of(owner.delete(f"/rules/{rule_id}"))
    centre = np.asarray(ended.output(0))[140:180, 220:260, :3].reshape(-1, 3).mean(axis=0)
    assert centre[2] > centre[0] + 40


def test_alpha_is_kept(forms: Ended) -> None:
    idx = list(GOOD).index("RGBA PNG")
    sent = Image.open(io.BytesIO(GOOD["RGBA PNG"]))
    assert np.array_equal(np.asarray(forms.output(idx))[..., 3], np.asarray(sent)[..., 3])


@pytest.mark.parametrize("idx", range(len(HOSTILE)), ids=list(HOSTILE))
def test_a_hostile_file_fails_alone_with_a_reason(mixed: Ended, idx: int) -> None:
    item = mixed.item(idx + 1)
    assert item["status"] == "failed"
    assert len(item["error"]) > 10
    for word in ("Traceback", "Error(", "/", "cv2", "PIL"):
        assert word not in item["error"]
    assert idx + 1 not in [link["idx"] for link in mixed.job["download_urls"]]


def test_the_good_ones_among_them_are_delivered_and_the_bad_ones_refunded(mixed: Ended) -> None:
    job = mixed.job
    assert (job["status"], job["done_items"], job["failed_items"]) == ("done", 2, len(HOSTILE))
    assert [link["idx"] for link in job["download_urls"]] == [0, len(HOSTILE) + 1]
    for idx in (0, len(HOSTILE) + 1):
        assert mixed.output(idx).size == UPRIGHT
    assert credits_and_jobs(mixed.owner) == (8, 0)


def test_nothing_but_damaged_files_costs_nothing(owner: httpx.Client) -> None:
    damaged = damaged_files()
    ended = run(owner, list(damaged.values()), concepts=BLUE)
    assert ended.job["status"] == "failed"
    assert ended.job["download_urls"] == []
    for name, item in zip(damaged, ended.job["items"], strict=True):
        assert item["status"] == "failed", name
        assert len(item["error"]) > 10, name
    assert credits_and_jobs(owner) == (10, 0)


def test_a_create_right_after_the_engine_ends(owner: httpx.Client) -> None:
    """Who sees a job ended has its slot and its credits back; ten times over, with files that cost nothing."""
    for _ in range(10):
        assert run(owner, [HOSTILE["words"]] * 10, concepts=BLUE).job["status"] == "failed"
    assert credits_and_jobs(owner) == (10, 0)


def test_a_cancel_while_the_engine_works(owner: httpx.Client) -> None:
    """What was delivered stays paid, the rest comes back, and nothing moves afterwards."""
    album = Album.create(owner, 10, "seller")
    for idx in range(10):
        album.put(idx, encoded(ball(idx)))
    data_of(album.confirm())
    data_of(album.execute(concepts=BLUE, protect=[]), 202)
    until = time.monotonic() + 60
    while album.view()["done_items"] == 0:
        assert time.monotonic() < until
    answer = album.cancel()
    job = album.view()
    if answer.is_success:
        assert job["status"] == "canceled"
    else:
        refusal(answer, 409, "INVALID_TRANSITION")
        assert (job["status"], job["done_items"]) == ("done", 10)
    assert credits_and_jobs(owner) == (10 - job["done_items"], 0)
    delivered = [item["idx"] for item in job["items"] if item["status"] == "done"]
    assert [link["idx"] for link in job["download_urls"]] == delivered
    assert len(delivered) == job["done_items"]
    time.sleep(1.5)
    assert {**album.view(), "download_urls": 0, "items": 0} == {**job, "download_urls": 0, "items": 0}
    assert credits_and_jobs(owner) == (10 - job["done_items"], 0)


def test_photos_at_the_edges_of_what_is_taken(owner: httpx.Client) -> None:
    """One pixel; 50 megapixels; 65, which is one too many; a moving picture, which may be taken or not."""
    moving = encoded(np.zeros((8, 8, 3), np.uint8), "GIF", save_all=True)
    one = encoded(np.zeros((1, 1, 3), np.uint8))
    ended = run(owner, [one, flat(10_000, 5_000), flat(10_000, 6_500), moving], concepts=BLUE)
    states = [item["status"] for item in ended.job["items"]]
    assert states[:3] == ["done", "done", "failed"]
    assert states[3] in ("done", "failed")
    assert "64" in ended.item(2)["error"]
    assert ended.output(0).size == (1, 1)
    assert ended.output(1).size == (10_000, 5_000)
    assert max(ended.preview(1).size) == 512


@pytest.mark.parametrize(
    "action",
    [
        {"action": "remove", "value": None},
        {"action": "texture", "value": "linen_natural"},
        {"action": "recolor", "value": "#112233", "instances": {"1": {"action": "recolor", "value": "#332211"}}},
    ],
    ids=["remove", "texture", "instances"],
)
def test_an_action_ends_in_a_photo_or_in_one_sentence(owner: httpx.Client, action: dict[str, object]) -> None:
    ended = run(owner, [encoded(ball())], concepts={"Product": action})
    item = ended.item(0)
    if item["status"] == "failed":
        assert item["error"].endswith(".")
        assert "Product" in item["error"]
        assert credits_and_jobs(owner) == (10, 0)
    else:
        assert not np.array_equal(np.asarray(ended.output(0)), ball())


def test_a_concept_only_a_model_finds_is_a_warning_beside_one_that_is_found(owner: httpx.Client) -> None:
    oak = {"action": "recolor", "value": "#2E6FB7"}
    ended = run(owner, [encoded(ball())], concepts={**BLUE, "Accessories": oak}, protect=[])
    assert ended.item(0)["status"] == "done"
    assert any("Accessories" in warning for warning in ended.item(0)["warnings"])
    assert set(ended.item(0)["masks"]) == {"Product"}


def test_only_concepts_that_need_a_model_fail_the_photo_and_say_so(owner: httpx.Client) -> None:
    ended = run(
        owner, [encoded(room("living"))], "interior", concepts={"Window": {"action": "recolor", "value": "black_matte"}}
    )
    assert ended.job["status"] == "failed"
    assert "Window" in ended.item(0)["error"]
    assert "model" in ended.item(0)["error"].lower() or "SAM" in ended.item(0)["error"]
    assert credits_and_jobs(owner) == (10, 0)


def test_an_absent_concept_changes_nothing_and_is_a_warning(owner: httpx.Client) -> None:
    plain = np.full((200, 300, 3), 128, np.uint8)
    ended = run(owner, [encoded(plain)], concepts={"Label_Text": {"action": "recolor", "value": "#112233"}}, protect=[])
    assert ended.item(0)["status"] == "done"
    assert any("Label_Text" in warning for warning in ended.item(0)["warnings"])
    assert np.array_equal(np.asarray(ended.output(0).convert("RGB")), plain)
    assert credits_and_jobs(owner) == (9, 0)


def test_the_instances_of_a_photo_are_json(forms: Ended) -> None:
    for idx in range(len(GOOD)):
        answer = unsigned(forms.owner, "GET", forms.item(idx)["instances_url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        (product,) = [found["instances"] for name, found in answer.json()["concepts"].items() if name == "Product"]
        assert {"box", "score"} <= set(product[0])


def test_results_are_their_owners_alone(forms: Ended, owner: httpx.Client) -> None:
    """An address is good for its key only, and the job tells it to nobody else."""
    address = forms.job["download_urls"][0]["output_url"]
    for changed in (
        address.replace("0_result", "1_result"),
        address.partition("?")[0],
        address.replace("sig=", "sig=0"),
    ):
        assert 400 <= unsigned(owner, "GET", changed).status_code < 500
    assert unsigned(owner, "PUT", address, content=b"x").status_code in (403, 404, 405, 409)
    assert owner.get(f"/jobs/{forms.job['job_id']}").status_code == 403


def test_a_browser_may_get_a_result(forms: Ended) -> None:
    origin = "http://localhost:5173"
    for address in forms.job["download_urls"][0]["output_url"], forms.item(0)["masks"]["Product"]:
        answer = unsigned(forms.owner, "GET", address, headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] in (origin, "*")
