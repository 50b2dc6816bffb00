"""Examples for the OpenAPI document, put together from the examples of the fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from s3palette.domain.errors import PaletteError

__all__ = ["example_of", "failure_example", "success_example"]

_META = {"request_id": "4f1f0a2b9c5d4e7f8a6b1c2d3e4f5a6b", "timestamp": "2026-11-23T14:00:00.000000Z"}


def example_of(kind: Any) -> Any:
    """An example value of a model, a list or a field's type. Raises TypeError where a field gives none."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {
            name: field.examples[0] if field.examples else example_of(field.annotation)
            for name, field in kind.model_fields.items()
        }
    origin, parts = get_origin(kind), get_args(kind)
    if origin is list:
        return [example_of(parts[0])]
    if origin is Literal:
        return parts[0]
    if origin in (Union, UnionType):
        return example_of(next(part for part in parts if part is not NoneType))
    raise TypeError(f"{kind} needs an example")


def success_example(kind: Any, meta: Mapping[str, Any]) -> dict[str, Any]:
    """An envelope around an example of `kind`."""
    return {"success": True, "data": example_of(kind), "error": None, "meta": {**_META, **meta}}


def failure_example(errors: Iterable[type[PaletteError]]) -> dict[str, Any]:
    """Named OpenAPI examples, one a code."""
    return {
        error.code: {
            "value": {
                "success": False,
                "data": None,
                "error": {"code": error.code, "message": "One sentence that says what is wrong."},
                "meta": _META,
            }
        }
        for error in errors
    }
