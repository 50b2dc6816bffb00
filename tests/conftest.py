"""Fixtures of every suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._s3_server import S3Server, kind_of_server, s3_server

USED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def s3(pytestconfig: pytest.Config) -> Iterator[S3Server]:
    """A real S3 server, started by the first test that needs it."""
    with s3_server() as server:
        pytestconfig.stash[USED] = server.kind
        yield server


def pytest_report_header() -> str:
    return f"S3 server: {kind_of_server() or 'none'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    kind = terminalreporter.config.stash.get(USED, None)
    if kind is not None:
        terminalreporter.write_line(f"The S3 store was tested against {kind}.")
