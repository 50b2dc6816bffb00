"""The OpenAPI document, taken at its word: schemathesis makes requests from it and holds every answer against it.

The same requests each time; the user, jobs, rules and addresses they speak of exist (`_world.py`), so that good answers
are reached too. Not asked: that whatever fits a schema is accepted, for a rule must also make sense.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from s3palette.domain.model import Address
from s3palette.domain.user import GrantCredits, SetPlan
from s3palette.http.openapi import document
from s3palette.http.routers import auth, callback, health, jobs, me, presets, rules, storage

from ..client._server import FaultyServer, serve
from ._world import World

load_all_checks()
SUBJECTS = (me, jobs, rules, presets, auth, callback, health, storage)
SCHEMA = schemathesis.openapi.from_dict(document([route for each in SUBJECTS for route in each.router.routes]))
REACHED: set[tuple[str, int]] = set()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyServer]:
    with serve(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


@pytest.fixture(scope="module")
def world(server: FaultyServer) -> Iterator[World]:
    api = server.api
    made = World.sign_up(server.url, api.settings.callback_secret.get_secret_value())
    for command in (SetPlan(at=api.clock(), plan="pro"), GrantCredits(at=api.clock(), amount=100_000, reason="fuzz")):
        server.ask(Address("user", made.user_id), command)
    yield made
    made.close()


@SCHEMA.parametrize()
@settings(max_examples=10, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_document(case: Any, server: FaultyServer, world: World) -> None:
    world.prepare(case)
    answer = case.call_and_validate(server.url, headers=world.headers(case), excluded_checks=[positive_data_acceptance])
    REACHED.add((case.operation.label, answer.status_code))


def test_good_answers_were_reached() -> None:
    if not REACHED:
        pytest.skip("no request was made: this test looks back at the ones above")
    good = {operation for operation, status in REACHED if status < 300}
    assert good == {operation.ok().label for operation in SCHEMA.get_all_operations()}
