"""What a line of the log says, in both formats, and what it must never say."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3palette import logs
from s3palette.settings import Settings

log = logging.getLogger("s3palette.test")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzEifQ.c2lnbmF0dXJl-_x"


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Logging as it was, after the test."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in logs._OURS]
    before = list(root.handlers), root.level, [each.level for each in ours]
    logs.begin()
    yield
    for handler in set(root.handlers) - set(before[0]):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(before[1])
    for logger, level in zip(ours, before[2], strict=True):
        logger.setLevel(level)


def configured(folder: Path, **settings: Any) -> Path:
    """The file that this process logs to from now on."""
    logs.configure(Settings(data_dir=folder, **({"log_format": "json"} | settings)), "host-0")
    return folder / "logs" / "host-0.log"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_json_line_says_when_who_what_and_about_what(tmp_path: Path) -> None:
    path = configured(tmp_path)
    logs.begin(request_id="r-1", user="u_1", job="")
    logs.add(stream="job-j_1")
    log.info("%d Fenster\nneu", 3, extra={"version": 4, "photo": 0})
    (line,) = lines(path)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "process": "host-0",
        "logger": "s3palette.test",
        "message": "3 Fenster\nneu",
        "request_id": "r-1",
        "user": "u_1",
        "stream": "job-j_1",
        "version": 4,
        "photo": 0,
    }


def test_an_exception_is_part_of_its_line(tmp_path: Path) -> None:
    path = configured(tmp_path)
    try:
        raise ValueError(f"GET /x?sig=abc123&op=get with {JWT}")
    except ValueError:
        log.exception("it failed")
    (line,) = lines(path)
    assert "ValueError: GET /x?sig=***&op=get with ***" in line["exception"]
    assert line["level"] == "error"


@pytest.mark.parametrize("evil", ["\n", "\r", "\x1b[2K", "\x7f", "\x85", "\x9b", "\u2028", "\u2029"])
def test_a_text_line_cannot_be_forged(tmp_path: Path, evil: str) -> None:
    path = configured(tmp_path, log_format="text")
    logs.begin(request_id="r-1", job=f"j{evil}2026-01-01T00:00:00Z ERROR host-0 x: forged user=u_2")
    log.warning("PUT /a%s2026-01-01T00:00:00Z ERROR host-0 x: forged", evil)
    (line,) = path.read_text("utf-8").splitlines()
    assert evil not in line
    message, _, about = line.partition("forged  ")
    assert "host-0 s3palette.test: PUT /a\\" in message
    assert about.startswith('request_id=r-1 job="j\\')
    assert about.endswith('forged user=u_2"')


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (f"Authorization: Bearer {JWT}", "Authorization: Bearer ***"),
        ("bearer opaque-token/1=", "bearer ***"),
        (f"token {JWT}.", "token ***."),
        ("http://h/storage/a?op=put&expires=9&sig=0af3", "http://h/storage/a?op=put&expires=9&sig=***"),
        (
            "https://s3/b/k?X-Amz-Credential=AK%2F1&X-Amz-Date=2&X-Amz-Signature=ff'",
            "https://s3/b/k?X-Amz-Credential=***&X-Amz-Date=2&X-Amz-Signature=***'",
        ),
        ("design=oak, signal lost, a bearer of news", "design=oak, signal lost, a bearer *** news"),
        ("the key eyJ is harmless", "the key eyJ is harmless"),
    ],
)
def test_tokens_and_signatures_are_not_written(said: str, written: str) -> None:
    assert logs.redacted(said) == written


async def test_a_task_keeps_what_it_is_about_to_itself(tmp_path: Path) -> None:
    path = configured(tmp_path)

    async def work(job: str) -> None:
        logs.add(job=job)
        await asyncio.sleep(0)
        log.info("working")

    logs.begin(request_id="r-1")
    await asyncio.gather(work("j_1"), work("j_2"))
    log.info("after")
    assert [(line["request_id"], line.get("job")) for line in lines(path)] == [
        ("r-1", "j_1"),
        ("r-1", "j_2"),
        ("r-1", None),
    ]


@pytest.mark.parametrize(("level", "written"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 0)])
def test_the_level_is_that_of_our_own_modules(tmp_path: Path, level: str, written: int) -> None:
    path = configured(tmp_path, log_level=level)
    for name in ("actors.x", "aiosqlite"):
        for each in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(each, "said")
    assert len(lines(path)) == written


def test_a_full_file_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 500)
    path = configured(tmp_path)
    for _ in range(40):
        log.info("x" * 100)
    assert sorted(each.name for each in path.parent.iterdir()) == ["host-0.log"] + [
        f"host-0.log.{n}" for n in range(1, logs.OLD_FILES + 1)
    ]
    assert all(each.stat().st_size < 900 for each in path.parent.iterdir())


def test_another_name_is_another_file_and_no_line_is_written_twice(tmp_path: Path) -> None:
    first = configured(tmp_path)
    logs.configure(Settings(data_dir=tmp_path, log_format="json"), "edge-0")
    log.info("moved")
    assert first.read_text() == ""
    assert [line["process"] for line in lines(tmp_path / "logs" / "edge-0.log")] == ["edge-0"]


def test_where_the_folder_cannot_be_used_lines_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file is in the way")
    configured(tmp_path)
    log.info("ready")
    warned, ready = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert str(tmp_path / "logs") in warned["message"]
    assert (warned["level"], ready["message"]) == ("warning", "ready")


def test_a_supervised_process_writes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.to_stderr(Settings(data_dir=tmp_path, log_format="json"), "worker")
    log.info("ready")
    assert json.loads(capsys.readouterr().err)["message"] == "ready"
    assert not (tmp_path / "logs").exists()
