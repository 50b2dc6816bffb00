"""The OpenAPI document is valid, complete, has examples, and tells the truth."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from s3palette.domain import errors

CODES = {error.code: error.status for error in errors.PaletteError.__subclasses__()}
RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}


@pytest.fixture
async def document(api: Any) -> Any:
    answer = await api.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def check(document: Any, schema: Any, value: Any) -> None:
    """Raises jsonschema.ValidationError where the value does not fit the schema."""
    jsonschema.Draft202012Validator(schema | {"components": document["components"]}).validate(value)


def test_the_schemas_are_valid(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_route_of_the_contract_is_there(document: Any) -> None:
    assert {(method, path) for method, path, _ in operations(document)} == {
        ("GET", "/health"),
        ("GET", "/ready"),
        ("POST", "/auth/anon"),
        ("GET", "/me"),
        ("GET", "/presets"),
        ("GET", "/presets/{preset_id}"),
        ("GET", "/materials"),
        ("POST", "/rules"),
        ("GET", "/rules"),
        ("GET", "/rules/{rule_id}"),
        ("PUT", "/rules/{rule_id}"),
        ("DELETE", "/rules/{rule_id}"),
        ("POST", "/jobs"),
        ("GET", "/jobs"),
        ("GET", "/jobs/{job_id}"),
        ("POST", "/jobs/{job_id}/confirm-upload"),
        ("POST", "/jobs/{job_id}/execute"),
        ("POST", "/jobs/{job_id}/callback"),
        ("POST", "/jobs/{job_id}/cancel"),
        ("PUT", "/storage/{key}"),
        ("GET", "/storage/{key}"),
    }


def test_every_answer_and_every_body_has_a_schema_and_a_fitting_example(document: Any) -> None:
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["description"], where
        contents = [("request", operation["requestBody"]["content"])] if "requestBody" in operation else []
        contents += [(status, answer["content"]) for status, answer in operation["responses"].items()]
        for part, content in contents:
            media = content.get("application/json")
            if path == "/storage/{key}" and (media is None or (part in ("200", "206", "request") and method == "GET")):
                continue
            assert media["schema"], f"{where} {part}"
            examples = [media["example"]] if "example" in media else []
            examples += [example["value"] for example in media.get("examples", {}).values()]
            assert examples, f"{where} {part}"
            for example in examples:
                check(document, media["schema"], example)


def test_every_code_stands_under_its_own_status(document: Any) -> None:
    told = {
        (code, int(status))
        for _, _, operation in operations(document)
        for status, answer in operation["responses"].items()
        for code in answer["content"].get("application/json", {}).get("examples", {})
    }
    assert told == set(CODES.items()) - {("METHOD_NOT_ALLOWED", 405)}
    assert not any("422" in operation["responses"] for _, _, operation in operations(document))


def test_operations_have_ids_of_their_own(document: Any) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert "create_job" in ids


def test_every_parameter_is_described(document: Any) -> None:
    named = {
        (method, path): {each["name"] for each in operation.get("parameters", [])}
        for method, path, operation in operations(document)
    }
    assert named["GET", "/jobs"] == {"limit", "cursor", "status"}
    assert named["GET", "/materials"] == {"preset"}
    assert named["PUT", "/storage/{key}"] == {"key", "op", "expires", "sig"}
    assert named["GET", "/storage/{key}"] == {"key", "op", "expires", "sig", "Range"}
    for (method, path), names in named.items():
        assert {part[1:-1] for part in path.split("/") if part.startswith("{")} <= names, f"{method} {path}"


def test_who_needs_a_token_is_told(document: Any) -> None:
    open_routes = {"/health", "/ready", "/auth/anon", "/storage/{key}"}
    for _, path, operation in operations(document):
        schemes = {name for each in operation["security"] for name in each}
        if path in open_routes:
            assert schemes == set()
        elif path.endswith("/callback"):
            assert schemes == {"callback_bearer", "callback_header"}
        else:
            assert schemes == {"bearer"}
            assert "401" in operation["responses"]


def test_the_documents_references_lead_somewhere(document: Any) -> None:
    names = set(document["components"]["schemas"])
    text = json.dumps(document)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names


async def test_real_answers_fit_the_schemas(api: Any, document: Any) -> None:
    user = await api.user("abc")
    job_id = await api.job(user, "running")
    rule = {"name": "Oak", "preset_id": "interior", "concepts": RULE}
    rule_id = (await user.post("/rules", json=rule)).json()["data"]["rule"]["id"]
    asked = [
        ("GET", "/health", "/health", None),
        ("GET", "/ready", "/ready", None),
        ("POST", "/auth/anon", "/auth/anon", {}),
        ("POST", "/auth/anon", "/auth/anon", {"device_hash": 1}),
        ("GET", "/me", "/me", None),
        ("GET", "/presets", "/presets", None),
        ("GET", "/presets/{preset_id}", "/presets/seller", None),
        ("GET", "/presets/{preset_id}", "/presets/x", None),
        ("GET", "/materials", "/materials", None),
        ("POST", "/rules", "/rules", rule),
        ("POST", "/rules", "/rules", rule),
        ("GET", "/rules", "/rules", None),
        ("GET", "/rules/{rule_id}", f"/rules/{rule_id}", None),
        ("PUT", "/rules/{rule_id}", f"/rules/{rule_id}", {"name": "Ash"}),
        ("DELETE", "/rules/{rule_id}", f"/rules/{rule_id}", None),
        ("GET", "/jobs", "/jobs", None),
        ("GET", "/jobs/{job_id}", f"/jobs/{job_id}", None),
        ("POST", "/jobs", "/jobs", {"preset": "seller", "item_count": 1}),
        ("POST", "/jobs/{job_id}/execute", f"/jobs/{job_id}/execute", {"concepts": RULE}),
        ("POST", "/jobs/{job_id}/cancel", f"/jobs/{job_id}/cancel", None),
        ("POST", "/jobs/{job_id}/confirm-upload", f"/jobs/{job_id}/confirm-upload", None),
        ("POST", "/jobs", "/jobs", {"preset": "seller", "item_count": 1}),
        ("POST", "/jobs/{job_id}/callback", f"/jobs/{job_id}/callback", {}),
    ]
    for method, path, address, body in asked:
        answer = await user.request(method, address, json=body)
        told = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]
        check(document, told["content"]["application/json"]["schema"], answer.json())
        if answer.status_code >= 400:
            assert answer.json()["error"]["code"] in told["content"]["application/json"]["examples"]


async def test_not_ready_tells_which_part(api: Any, document: Any) -> None:
    api.checks["engine"] = False
    answer = await api.client.get("/ready")
    told = document["paths"]["/ready"]["get"]["responses"]["503"]
    assert answer.status_code == 503
    assert answer.json()["data"]["checks"]["engine"] is False
    check(document, told["content"]["application/json"]["schema"], answer.json())
    assert told["headers"]["Retry-After"]["required"]


def test_the_presets_are_told(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for model, field in (("CreateJobBody", "preset"), ("CreateRuleBody", "preset_id")):
        assert schemas[model]["properties"][field]["enum"] == ["interior", "seller", "profile", "ootd"]
