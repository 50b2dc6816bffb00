"""One place where everything that can go wrong becomes an error of the contract."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from s3palette.domain.errors import (
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    PaletteError,
    TooLarge,
    ValidationFailed,
)
from s3palette.storage import AddressRefused, BadKey, ObjectMissing, ObjectTooLarge, StoreUnavailable

__all__ = ["as_palette_error"]


def as_palette_error(error: Exception) -> PaletteError:
    """The error a caller is told about. What nobody foresaw becomes an InternalError that gives nothing away."""
    match error:
        case PaletteError():
            return error
        case HTTPException(status_code=404):
            return NotFound("There is no such route.")
        case HTTPException(status_code=405):
            return MethodNotAllowed("This route does not know that method; see the Allow header.")
        case HTTPException(status_code=400):
            return ValidationFailed(error.detail)
        case AddressRefused():
            return Forbidden(_sentence(error))
        case ObjectMissing() | BadKey():
            return NotFound("There is no such object.")
        case StoreUnavailable():
            return Overloaded("The object store does not answer; try again in a moment.")
        case ObjectTooLarge():
            return TooLarge(_sentence(error))
        case TimeoutError():
            return Overloaded("The system did not answer in time; try again in a moment.")
        case _:
            return InternalError("Something went wrong on our side; give the request_id when you report it.")


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
