"""What there is to choose from: domains and materials. Data of the package, the same for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from s3palette.domain.errors import NotFound, ValidationFailed
from s3palette.domain.materials import load_materials
from s3palette.domain.palette import Preset
from s3palette.domain.presets import load_presets
from s3palette.http.answers import MaterialObject, PresetObject, PresetSummary, answers
from s3palette.http.call import Call
from s3palette.http.requests import MaterialsQuery
from s3palette.http.route import UserRoute

__all__ = ["router"]

router = APIRouter(route_class=UserRoute, tags=["presets"])


@router.get("/presets", **answers(list[PresetSummary]))
async def list_presets(call: Call) -> Response:
    """The domains."""
    return call.answer([_summary(preset) for preset in load_presets().values()])


@router.get("/presets/{preset_id}", **answers(PresetObject, NotFound))
async def get_preset(call: Call, preset_id: str) -> Response:
    """One domain: its concepts in the order of the client's buttons, what it protects, what it makes."""
    preset = load_presets().get(preset_id)
    if preset is None:
        raise NotFound("There is no such preset.")
    return call.answer(_detail(preset))


@router.get("/materials", **answers(list[MaterialObject], ValidationFailed))
async def list_materials(call: Call, query: Annotated[MaterialsQuery, Query()]) -> Response:
    """The catalogue, or what of it suits one domain."""
    if query.preset is not None and query.preset not in load_presets():
        raise ValidationFailed(f"preset: {query.preset!r} is none of {', '.join(load_presets())}")
    return call.answer(
        [
            {
                "id": material.id,
                "name": material.name,
                "name_en": material.name_en,
                "hex": material.hex,
                "texture": material.texture,
                "presets": material.presets,
            }
            for material in load_materials().materials.values()
            if query.preset is None or query.preset in material.presets
        ]
    )


def _summary(preset: Preset) -> dict[str, Any]:
    return {
        "id": preset.id,
        "name": preset.name,
        "name_en": preset.name_en,
        "concept_count": len(preset.concepts),
        "description": preset.description,
        "description_en": preset.description_en,
    }


def _detail(preset: Preset) -> dict[str, Any]:
    return {
        **_summary(preset),
        "concepts": preset.concept_names,
        "protect_defaults": preset.protect_defaults,
        "output_templates": [
            {
                "id": template.id,
                "name": template.name,
                "name_en": template.name_en,
                "description": template.description,
                "description_en": template.description_en,
            }
            for template in preset.output_templates
        ],
        "rule_sets": [
            {
                "id": rules.id,
                "name": rules.name,
                "name_en": rules.name_en,
                "description": rules.description,
                "concepts": rules.concepts,
                "protect": rules.protect,
            }
            for rules in preset.rule_sets
        ],
    }
