"""Doctor's look at the engine outside."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from actors.ports import free_port
from s3palette.cli._checks import CHECKS
from s3palette.settings import read_settings


def outside(**settings: Any) -> tuple[str, str]:
    finding = CHECKS["outside"](read_settings(**settings))
    assert finding.sentence.endswith(".")
    return finding.level, finding.sentence


@pytest.mark.parametrize(
    ("settings", "level", "says"),
    [
        ({}, "ok", "No photo is sent"),
        ({"external_url": "http://127.0.0.1:1/jobs"}, "warn", "S3P_ENGINE=external"),
        ({"engine": "external"}, "ok", "by themselves"),
        ({"engine": "external", "external_url": "https://gpu.example.com/jobs"}, "warn", "S3P_PUBLIC_URL"),
    ],
)
def test_what_the_settings_alone_say(settings: dict[str, Any], level: str, says: str) -> None:
    told = outside(**settings)
    assert told[0] == level
    assert says in told[1]


def test_an_address_that_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/jobs?key=hush"
        level, sentence = outside(engine="external", external_url=url)
    assert (level, "hush" in sentence) == ("ok", False)
    assert "answers" in sentence


def test_an_address_where_nothing_is() -> None:
    url = f"http://user:hush@127.0.0.1:{free_port()}/jobs"
    level, sentence = outside(engine="external", external_url=url, public_url="http://127.0.0.1:1")
    assert (level, "hush" in sentence) == ("warn", False)
    assert "Nothing answers" in sentence
