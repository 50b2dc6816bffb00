"""The worker command: what must be said before it serves. Its serving is in tests/e2e/test_external_worker.py."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from s3palette.cli import app

SECRET = {"S3P_CALLBACK_SECRET": "c" * 40}


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        ([], SECRET, "--external"),
        (["--external"], {"S3P_CALLBACK_SECRET": ""}, "S3P_CALLBACK_SECRET"),
        (["--external"], {**SECRET, "S3P_ENGINE": "sam3"}, "S3P_SAM3_WEIGHTS"),
        (["--external", "--engine", "sam3"], SECRET, "S3P_SAM3_WEIGHTS"),
    ],
)
def test_what_is_missing_is_one_sentence(arguments: list[str], environment: dict[str, str], says: str) -> None:
    result = CliRunner().invoke(app, ["worker", *arguments], env=environment)
    assert result.exit_code == 1
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["worker", "--external", "--port", str(port)], env=SECRET)
    assert (result.exit_code, result.stderr.strip()) == (
        1,
        f"Port {port} on 127.0.0.1 is taken; choose another with --port.",
    )
