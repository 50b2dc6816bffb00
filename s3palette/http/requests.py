"""What clients send. Unknown fields are let through unread; null is an absent field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from s3palette.domain.plans import MAX_ITEMS
from s3palette.domain.presets import load_presets

__all__ = [
    "CreateJobBody",
    "CreateRuleBody",
    "ExecuteBody",
    "JobsQuery",
    "MaterialsQuery",
    "ResultBody",
    "SignInBody",
    "UpdateRuleBody",
]

JobStatus = Literal["created", "uploaded", "queued", "running", "done", "failed", "canceled"]
Short = Annotated[str, StringConstraints(max_length=256)]
Concepts = dict[str, Any]
# Told in the document; the entities decide, and say it in their own words.
PresetId = Annotated[Short, WithJsonSchema({"type": "string", "enum": list(load_presets())})]
RuleName = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 80})]
_Key = Annotated[str, StringConstraints(max_length=512)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
_MAX_NAMES = 64

_CONCEPTS = {
    "Floor": {"action": "recolor", "value": "oak_a"},
    "Wall": {"action": "recolor", "value": "#F4F1EA"},
    "Window": {
        "action": "recolor",
        "value": "black_matte",
        "instances": {"2": {"action": "recolor", "value": "walnut_a"}},
    },
}
_PHOTOS = {
    "0": {
        "exclude": {"Window": [2]},
        "lock": {"Window": [1]},
        "boxes": {"Wall": {"positive": [[0.1, 0.2, 0.6, 0.9]], "negative": []}},
        "planes": {"Floor": {"quad": [[0.1, 0.9], [0.9, 0.9], [0.7, 0.6], [0.3, 0.6]], "metres": [3.0, 2.0]}},
    }
}


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)


class SignInBody(_Body):
    device_hash: Short | None = Field(None, examples=["9f86d081884c7d65"])
    """The same hash gives the same user; absent or empty: a new one."""


class CreateRuleBody(_Body):
    name: RuleName = Field(examples=["Oak and off-white"])
    preset_id: PresetId = Field(examples=["interior"])
    concepts: Concepts = Field(examples=[_CONCEPTS])
    protect: list[str] | None = Field(None, examples=[["Grout", "Frame_Molding"]])


class UpdateRuleBody(_Body):
    name: RuleName | None = Field(None, examples=["Oak and ivory"])
    concepts: Concepts | None = Field(None, examples=[_CONCEPTS])
    protect: list[str] | None = Field(None, examples=[["Grout"]])


class CreateJobBody(_Body):
    preset: PresetId = Field(examples=["interior"])
    item_count: int = Field(ge=1, le=MAX_ITEMS, examples=[3])


class ExecuteBody(_Body):
    concepts: Concepts | None = Field(None, examples=[_CONCEPTS])
    protect: list[str] | None = Field(None, examples=[["Grout"]])
    rule_id: Short | None = Field(None, examples=["r_019aabcd00000123456789abcdef"])
    output_template: Short | None = Field(None, examples=["proposals_3"])
    photos: dict[str, Any] | None = Field(None, examples=[_PHOTOS])
    """Photo index -> what holds for that photo only: instances to exclude and to lock, boxes that show a
    concept, a rectangle on a surface that is to get a pattern."""
    references: dict[str, Any] | None = Field(None, examples=[{"Floor": 2}])
    """Concept -> index of the photo that sets its colour: there it stays as it is, in all others it is recolored to
    what it looks like there, whatever value the rule has for it. One photo sets all colours of a job."""


class ResultBody(_Body):
    idx: int = Field(ge=0, examples=[0])
    status: Literal["done", "failed"]
    output_key: _Key | None = Field(None, examples=["outputs/u_1/j_1/0_result.png"])
    preview_key: _Key | None = Field(None, examples=["previews/u_1/j_1/0_thumb.jpg"])
    mask_keys: dict[_Name, _Key] | None = Field(
        None, max_length=_MAX_NAMES, examples=[{"Wall": "masks/u_1/j_1/0_Wall.png"}]
    )
    """Label maps of the concepts that were found."""
    instances_key: _Key | None = Field(None, examples=["masks/u_1/j_1/0_instances.json"])
    warnings: list[str] | None = Field(None, examples=[["Window: not in this photo"]])
    """However many and long: the job keeps the first ones."""
    colors: dict[_Name, _Color] | None = Field(None, max_length=_MAX_NAMES, examples=[{"Floor": "#8FA78F"}])
    """The colours of the concepts that the photo was to be measured for."""
    timings_ms: dict[_Name, float] | None = Field(None, max_length=_MAX_NAMES, examples=[{"segment": 31.5}])
    """Milliseconds a stage took."""
    error: str | None = Field(None, examples=[None])
    """However long: the job keeps its beginning. A refused result would leave the photo waiting."""
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(examples=["worker-7-0-1"])


class JobsQuery(BaseModel):
    limit: int = Field(20, ge=1, le=100, examples=[20])
    cursor: Annotated[str, StringConstraints(max_length=512)] | None = Field(None, examples=["MTIz"])
    status: JobStatus | None = Field(None, examples=["done"])


class MaterialsQuery(BaseModel):
    preset: Short | None = Field(None, examples=["interior"])
