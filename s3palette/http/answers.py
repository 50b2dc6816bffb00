"""What we answer, for the OpenAPI document and for tests; no answer is put through these models at run time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from s3palette.domain.errors import PaletteError
from s3palette.http._examples import failure_example, success_example

__all__ = [
    "CanceledData",
    "ConfirmedData",
    "DeletedData",
    "Envelope",
    "Failure",
    "HealthData",
    "JobCreatedData",
    "JobData",
    "JobSummary",
    "MaterialObject",
    "MeData",
    "NotReady",
    "PresetObject",
    "PresetSummary",
    "ProcessedData",
    "QueuedData",
    "ReadyData",
    "RuleData",
    "RuleObject",
    "RulesData",
    "SignInData",
    "StoredData",
    "answers",
    "error_answers",
]

T = TypeVar("T")

_TIME = "2026-11-23T14:00:00.000000Z"
_URL = "https://api.example.com/storage/outputs/u_1/j_1/0_result.png?op=get&expires=1795442400&sig=9f86d0"
_RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}


class Meta(BaseModel):
    request_id: str
    timestamp: str
    """ISO-8601 UTC."""


class PageMeta(Meta):
    next_cursor: str | None
    """Give it back as `cursor`; null on the last page."""


class Problem(BaseModel):
    code: str
    message: str


class Envelope(BaseModel, Generic[T]):
    success: Literal[True]
    data: T
    error: None
    meta: Meta


class Page(BaseModel, Generic[T]):
    success: Literal[True]
    data: T
    error: None
    meta: PageMeta


class Failure(BaseModel):
    success: Literal[False]
    data: None
    error: Problem
    meta: Meta


class Checks(BaseModel):
    checks: dict[str, bool] = Field(examples=[{"hosts": True, "log": True, "store": True, "engine": False}])


class NotReady(BaseModel):
    success: Literal[False]
    data: Checks | None
    """Which parts answer; null where nobody could say."""
    error: Problem
    meta: Meta


class HealthData(BaseModel):
    status: Literal["healthy"]
    timestamp: str = Field(examples=[_TIME])


class ReadyData(BaseModel):
    status: Literal["ready"]
    checks: dict[str, bool] = Field(examples=[{"hosts": True, "log": True, "store": True, "engine": True}])


class SignInData(BaseModel):
    user_id: str = Field(examples=["u_5c3a9f0e1b2d4c6f8a7e9d0b1c2f3a4e"])
    token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1XzEifQ.c2lnbmF0dXJl"])
    plan: Literal["free", "pro"]
    is_new: bool = Field(examples=[True])


class MeData(BaseModel):
    user_id: str = Field(examples=["u_5c3a9f0e1b2d4c6f8a7e9d0b1c2f3a4e"])
    plan: Literal["free", "pro"]
    credits: int = Field(examples=[7])
    rule_slots: int = Field(examples=[1])
    """In use."""
    max_rule_slots: int = Field(examples=[2])
    concurrent_jobs: int = Field(examples=[1])
    max_concurrent_jobs: int = Field(examples=[1])


class PresetSummary(BaseModel):
    id: str = Field(examples=["interior"])
    name: str = Field(examples=["건축/인테리어"])
    name_en: str = Field(examples=["Interior"])
    concept_count: int = Field(examples=[14])
    description: str = Field(examples=["벽, 바닥, 천장을 한 번의 규칙으로 바꿉니다."])


class TemplateObject(BaseModel):
    id: str = Field(examples=["proposals_3"])
    name: str = Field(examples=["시안3안팩"])
    description: str = Field(examples=["세 가지 규칙을 적용한 시안 세 벌"])


class RuleSetObject(BaseModel):
    id: str = Field(examples=["modern"])
    name: str = Field(examples=["모던"])
    name_en: str = Field(examples=["Modern"])
    concepts: dict[str, Any] = Field(examples=[_RULE])
    protect: list[str] = Field(examples=[["Glass_highlight"]])


class PresetObject(BaseModel):
    id: str = Field(examples=["interior"])
    name: str = Field(examples=["건축/인테리어"])
    name_en: str = Field(examples=["Interior"])
    description: str = Field(examples=["벽, 바닥, 천장을 한 번의 규칙으로 바꿉니다."])
    concepts: list[str] = Field(examples=[["Wall", "Floor", "Ceiling"]])
    protect_defaults: list[str] = Field(examples=[["Grout", "Frame_Molding", "Glass_highlight"]])
    output_templates: list[TemplateObject]
    rule_sets: list[RuleSetObject]


class MaterialObject(BaseModel):
    id: str = Field(examples=["oak_a"])
    name: str = Field(examples=["오크 A"])
    name_en: str = Field(examples=["Oak A"])
    hex: str = Field(examples=["#C8A27A"])
    texture: bool = Field(examples=[True])
    presets: list[str] = Field(examples=[["interior"]])


class RuleObject(BaseModel):
    id: str = Field(examples=["r_019aabcd00000123456789abcdef"])
    user_id: str = Field(examples=["u_1"])
    name: str = Field(examples=["Oak"])
    preset_id: str = Field(examples=["interior"])
    concepts: dict[str, Any] = Field(examples=[_RULE])
    protect: list[str] = Field(examples=[["Grout"]])
    concepts_json: str = Field(examples=['{"Floor":{"action":"recolor","value":"oak_a"}}'])
    protect_json: str = Field(examples=['["Grout"]'])
    created_at: str = Field(examples=[_TIME])
    updated_at: str = Field(examples=[_TIME])


class RuleData(BaseModel):
    rule: RuleObject


class RulesData(BaseModel):
    rules: list[RuleObject]
    """Newest first."""


class DeletedData(BaseModel):
    id: str = Field(examples=["r_019aabcd00000123456789abcdef"])
    deleted: Literal[True]


class UploadAddress(BaseModel):
    idx: int = Field(examples=[0])
    url: str = Field(
        examples=[_URL.replace("outputs", "inputs").replace("0_result.png", "0.jpg").replace("get", "put")]
    )
    key: str = Field(examples=["inputs/u_1/j_1/0.jpg"])


class JobCreatedData(BaseModel):
    job_id: str = Field(examples=["j_019aabcd00000123456789abcdef"])
    presigned_urls: list[UploadAddress]
    """PUT raw bytes to each; they live one hour, GET /jobs/{id} gives fresh ones."""
    confirm_url: str = Field(examples=["https://api.example.com/jobs/j_1/confirm-upload"])


class ConfirmedData(BaseModel):
    confirmed: Literal[True]


class QueuedData(BaseModel):
    queued: Literal[True]


class CanceledData(BaseModel):
    canceled: Literal[True]


class ProcessedData(BaseModel):
    processed: bool = Field(examples=[True])
    """False for a repeat, a finished photo, a job that has ended."""


class StoredData(BaseModel):
    key: str = Field(examples=["inputs/u_1/j_1/0.jpg"])
    size: int = Field(examples=[4_201_337])
    """Bytes."""


class Progress(BaseModel):
    done: int = Field(examples=[1])
    failed: int = Field(examples=[0])
    total: int = Field(examples=[3])


class JobSummary(BaseModel):
    job_id: str = Field(examples=["j_019aabcd00000123456789abcdef"])
    status: str = Field(examples=["running"])
    preset: str = Field(examples=["interior"])
    created_at: str = Field(examples=[_TIME])
    progress: Progress


class ItemObject(BaseModel):
    idx: int = Field(examples=[0])
    status: Literal["pending", "running", "done", "failed"]
    error: str | None = Field(examples=[None])
    warnings: list[str] = Field(examples=[["Wall: not in this photo"]])
    masks: dict[str, str] = Field(examples=[{"Floor": _URL}])
    """Concept -> address of its label map."""
    instances_url: str | None = Field(examples=[_URL])


class Download(BaseModel):
    idx: int = Field(examples=[0])
    output_url: str = Field(examples=[_URL])
    preview_url: str = Field(examples=[_URL])
    """The output's own address where there is no preview."""


class JobObject(JobSummary):
    user_id: str = Field(examples=["u_1"])
    total_items: int = Field(examples=[3])
    done_items: int = Field(examples=[1])
    failed_items: int = Field(examples=[0])
    items: list[ItemObject]
    download_urls: list[Download]
    presigned_urls: list[UploadAddress]
    """Fresh ones while the job is `created`, else none."""
    photos: dict[str, Any] = Field(examples=[{"0": {"lock": {"Window": [1]}}}])
    """What execute was told of single photos."""
    concepts: dict[str, Any] | None = Field(examples=[_RULE])
    """The rule it runs with; null before execute."""
    protect: list[str] | None = Field(examples=[["Grout"]])
    references: dict[str, int] = Field(examples=[{"Floor": 2}])
    """Concept -> the photo that sets its colour: its value in `concepts` is null until that photo is delivered."""


class JobData(BaseModel):
    job: JobObject


def answers(data: Any, *errors: type[PaletteError], status: int = 200, paged: bool = False) -> dict[str, Any]:
    """Arguments of a route decorator: the answer's shape and an example of it, and the errors of the route itself."""
    example = success_example(data, {"next_cursor": None} if paged else {})
    return {
        "status_code": status,
        "response_model": Page[data] if paged else Envelope[data],
        "responses": {status: {"content": {"application/json": {"example": example}}}, **error_answers(*errors)},
    }


def error_answers(*errors: type[PaletteError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` entries of these errors, an example a code."""
    by_status: dict[int, list[type[PaletteError]]] = defaultdict(list)
    for error in errors:
        by_status[error.status].append(error)
    return {
        status: {
            "model": Failure,
            "description": " · ".join(error.code for error in same),
            "content": {"application/json": {"examples": failure_example(same)}},
        }
        for status, same in by_status.items()
    }
