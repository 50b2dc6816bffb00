"""`run`: the album's whole way, played against answers written down beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from s3palette.client import Progress, errors
from s3palette.client._api import Api
from s3palette.client._run import Order, run
from s3palette.client._steps import Fetch, Put, Send

from ._script import JOB, ME, Script, answer, job

RULE = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
OK = answer({})
SIGNED_IN = answer({"user_id": "u", "token": "t", "plan": "free", "is_new": True})
SETS = answer(
    {"rule_sets": [{"id": "modern", "name": "모던", "name_en": "Modern", "concepts": RULE, "protect": ["Grout"]}]}
)


def order(*photos: Path | str | bytes, **options: Any) -> Order:
    usual: dict[str, Any] = {
        "preset": "interior", "rule": RULE, "protect": None, "output_template": None, "masks": False, "save_to": None,
        "parallel": 4, "timeout_s": None, "refinements": {}, "references": {},
    }  # fmt: skip
    return Order(photos=photos, **usual | options)


def new(count: int, job_id: str = "j_1") -> Any:
    urls = [{"idx": idx, "url": f"http://x/{job_id}/{idx}", "key": "k"} for idx in range(count)]
    return answer({"job_id": job_id, "presigned_urls": urls}, status=201)


def ended(count: int, job_id: str = "j_1", broken: tuple[int, ...] = ()) -> Any:
    good = [idx for idx in range(count) if idx not in broken]
    items = [
        {"idx": idx, "status": "done", "masks": {"Wall": f"http://x/{idx}/w"}, "instances_url": f"http://x/{idx}/i",
         "warnings": ["Floor: not in this photo"]}
        if idx in good else {"idx": idx, "status": "failed", "error": "The file is not an image."}
        for idx in range(count)
    ]  # fmt: skip
    downloads = [{"idx": idx, "output_url": f"http://x/{idx}/o", "preview_url": "http://x/p"} for idx in good]
    return job(
        job_id=job_id, status="done" if good else "failed", total_items=count, done_items=len(good),
        failed_items=len(broken), items=items, download_urls=downloads,
    )  # fmt: skip


def shown(step: Any) -> str:
    match step:
        case Send():
            return f"{step.method} {step.path}"
        case Put():
            return f"put {step.url}"
        case Fetch():
            return f"get {step.url}"
    raise AssertionError(step)


def quiet(told: Progress) -> None:
    return None


def test_an_album_goes_its_whole_way_and_broken_photos_fail_alone() -> None:
    outputs = [answer(text="one"), answer(text="three")]
    script = Script(SIGNED_IN, new(3), OK, OK, OK, OK, OK, job(), ended(3, broken=(1,)), *outputs)
    seen: list[Progress] = []
    result = script.play(run(Api(None, 60), order(b"a", b"b", b"c"), seen.append))
    assert [shown(step) for step in script.steps] == [
        "POST /auth/anon", "POST /jobs", "put http://x/j_1/0", "put http://x/j_1/1", "put http://x/j_1/2",
        "POST /jobs/j_1/confirm-upload", "POST /jobs/j_1/execute", "GET /jobs/j_1", "GET /jobs/j_1",
        "get http://x/0/o", "get http://x/2/o",
    ]  # fmt: skip
    assert [photo.error for photo in result.photos] == [None, "The file is not an image.", None]
    assert [photo.output.read() for photo in result.photos if photo.output] == [b"one", b"three"]
    assert (result.ok, [photo.idx for photo in result.failed], result.job_ids) == (False, [1], ("j_1",))
    assert result.photos[0].warnings == ("Floor: not in this photo",)
    assert [(told.phase, told.done, told.failed, told.total) for told in seen] == [
        ("upload", 0, 0, 3), ("upload", 1, 0, 3), ("upload", 2, 0, 3), ("upload", 3, 0, 3),
        ("edit", 1, 0, 3), ("edit", 2, 1, 3),
        ("download", 0, 1, 3), ("download", 1, 1, 3), ("download", 2, 1, 3),
    ]  # fmt: skip


def test_masks_and_instances_come_where_they_are_asked_for(tmp_path: Path) -> None:
    photo = tmp_path / "living.jpg"
    photo.write_bytes(b"a")
    parts = [answer(text=text) for text in ("out", "wall", "instances")]
    script = Script(new(1), OK, OK, OK, ended(1), *parts)
    (result,) = script.play(run(Api("t", 60), order(str(photo), masks=True), quiet)).photos
    assert (result.name, result.masks["Wall"].read(), result.instances.read()) == ("living", b"wall", b"instances")
    saved = [file.save(tmp_path / "out") for file in (result.output, result.masks["Wall"], result.instances)]
    assert [str(path.relative_to(tmp_path / "out")) for path in saved] == [
        "living_result.png",
        "labels/living_Wall.png",
        "labels/living_instances.json",
    ]


@pytest.mark.parametrize(
    ("photos", "names"),
    [
        (["a.jpg", "b.jpg"], ["a", "b"]),
        (["a.jpg", "a.png", "b.jpg"], ["000_a", "001_a", "b"]),
        (["a.jpg", "a.png", "000_a.jpg"], ["000_a", "001_a", "002_000_a"]),
    ],
)
def test_every_photo_has_a_name_of_its_own(photos: list[str], names: list[str], tmp_path: Path) -> None:
    paths = [tmp_path / name for name in photos]
    for path in paths:
        path.write_bytes(b"x")
    count = len(paths)
    script = Script(new(count), *[OK] * (count + 2), ended(count), *[answer(text="o")] * count)
    result = script.play(run(Api("t", 60), order(*paths, save_to=tmp_path / "out"), quiet))
    assert [photo.name for photo in result.photos] == names
    assert [step.to.name for step in script.steps[-count:]] == [f"{name}_result.png" for name in names]


@pytest.mark.parametrize("name", ["modern", "모던", "Modern"])
@pytest.mark.parametrize(("protect", "sent"), [(None, ["Grout"]), ([], [])])
def test_a_rule_set_is_found_by_id_or_name(name: str, protect: list[str] | None, sent: list[str]) -> None:
    script = Script(SETS, new(1), OK, OK, OK, ended(1), answer(text="o"))
    script.play(run(Api("t", 60), order(b"a", rule=name, protect=protect), quiet))
    assert script.steps[4].body == {"concepts": RULE, "protect": sent}


def test_a_saved_rule_goes_by_its_id() -> None:
    script = Script(new(1), OK, OK, OK, ended(1), answer(text="o"))
    script.play(run(Api("t", 60), order(b"a", rule="r_1", output_template="proposals_3"), quiet))
    assert script.steps[3].body == {"rule_id": "r_1", "output_template": "proposals_3"}


@pytest.mark.parametrize(
    ("album", "answers", "raised"),
    [
        (order(), [], ValueError),
        (order(b"a", b""), [], ValueError),
        (order("/nowhere/a.jpg"), [], FileNotFoundError),
        (order(b"a", rule="baroque"), [SETS], ValueError),
        (order(b"a", references={"Wall": 1}), [], ValueError),
        (order(b"a", references={"Wall": "0"}), [], ValueError),
        (order(b"a", references={"Wall": True}), [], ValueError),
        (order(b"a", refinements={-1: {}}), [], ValueError),
        (order(b"a", refinements={"0": {}}), [], ValueError),
        (order(*[b"a"] * 201, references={"Wall": 0}), [], ValueError),
        (order(b"a"), [answer(status=402, code="CREDITS_EXHAUSTED")], errors.CreditsExhausted),
        (order(*[b"a"] * 201), [answer(ME)], errors.CreditsExhausted),
    ],
)
def test_what_cannot_begin_reserves_nothing(album: Order, answers: list[Any], raised: type[Exception]) -> None:
    script = Script(*answers)
    with pytest.raises(raised):
        script.play(run(Api("t", 60), album, quiet))
    assert not script.outcomes


def test_a_long_album_is_several_jobs_one_after_another() -> None:
    first = [new(200), *[OK] * 202, ended(200, broken=(7,)), *[answer(text="o")] * 199]
    second = [new(1, "j_2"), OK, OK, OK, ended(1, "j_2"), answer(text="last")]
    seen: list[Progress] = []
    script = Script(answer(ME | {"credits": 201}), *first, *second)
    result = script.play(run(Api("t", 60), order(*[b"a"] * 201), seen.append))
    assert result.job_ids == ("j_1", "j_2")
    assert [photo.idx for photo in result.photos] == list(range(201))
    assert [photo.idx for photo in result.failed] == [7]
    assert result.photos[200].output.read() == b"last"
    assert seen[-1] == Progress("download", 200, 1, 201)
    assert Progress("upload", 200, 1, 201) in seen


def test_what_is_said_of_single_photos_goes_to_the_job_that_has_them() -> None:
    lock, exclude = {"lock": {"Wall": [1]}}, {"exclude": {"Wall": [2]}}
    first = [new(200), *[OK] * 202, ended(200), *[answer(text="o")] * 200]
    second = [new(2, "j_2"), OK, OK, OK, OK, ended(2, "j_2"), answer(text="o"), answer(text="o")]
    script = Script(answer(ME | {"credits": 202}), *first, *second)
    script.play(run(Api("t", 60), order(*[b"a"] * 202, refinements={3: lock, 201: exclude}), quiet))
    bodies = [step.body for step in script.steps if isinstance(step, Send) and step.path.endswith("/execute")]
    assert [body["photos"] for body in bodies] == [{"3": lock}, {"1": exclude}]


def test_a_photo_of_the_album_sets_a_colour() -> None:
    script = Script(new(2), *[OK] * 4, ended(2), answer(text="o"), answer(text="o"))
    script.play(run(Api("t", 60), order(b"a", b"b", rule="r_1", references={"Wall": 1}), quiet))
    assert script.steps[4].body == {"rule_id": "r_1", "references": {"Wall": 1}}


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt(), answer(status=409, code="UPLOAD_INCOMPLETE"), OSError("disk")]
)
@pytest.mark.parametrize("canceled", [answer({}), answer(status=503, text=""), httpx.ConnectError("gone")])
def test_a_run_that_is_broken_off_cancels_its_job(failure: Any, canceled: Any) -> None:
    expected = type(failure) if isinstance(failure, BaseException) else errors.UploadIncomplete
    script = Script(new(1), OK, failure, canceled)
    with pytest.raises(expected) as raised:
        script.play(run(Api("t", 60), order(b"a"), quiet))
    assert shown(script.steps[-1]) == "POST /jobs/j_1/cancel"
    assert script.steps[-1].timeout_s is not None
    assert raised.value.__notes__[-1] == "The job was j_1."


def test_a_job_that_was_canceled_elsewhere_tells_of_the_photos_left() -> None:
    items = [JOB["items"][0], {"idx": 1, "status": "pending"}]
    script = Script(new(2), OK, OK, OK, OK, job(status="canceled", items=items), answer(text="o"))
    result = script.play(run(Api("t", 60), order(b"a", b"b"), quiet))
    assert [photo.error for photo in result.photos] == [None, "the job was canceled before this photo's turn"]
