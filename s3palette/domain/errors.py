"""The error tree: one class a code of the HTTP contract.

    PaletteError
    ├── ValidationFailed        400 VALIDATION_ERROR
    ├── AuthRequired            401 AUTH_REQUIRED
    ├── TokenExpired            401 TOKEN_EXPIRED
    ├── TokenInvalid            401 TOKEN_INVALID
    ├── CreditsExhausted        402 CREDITS_EXHAUSTED
    ├── RuleSlotFull            403 RULE_SLOT_FULL
    ├── ItemLimit               403 ITEM_LIMIT
    ├── PlanRequired            403 PLAN_REQUIRED
    ├── Forbidden               403 FORBIDDEN
    ├── CallbackUnauthorized    403 CALLBACK_UNAUTHORIZED
    ├── NotFound                404 NOT_FOUND
    ├── JobNotFound             404 JOB_NOT_FOUND
    ├── RuleNotFound            404 RULE_NOT_FOUND
    ├── MethodNotAllowed        405 METHOD_NOT_ALLOWED
    ├── InvalidTransition       409 INVALID_TRANSITION
    ├── AlreadyCanceled         409 ALREADY_CANCELED
    ├── UploadIncomplete        409 UPLOAD_INCOMPLETE
    ├── TooLarge                413 TOO_LARGE
    ├── UnsupportedMedia        415 UNSUPPORTED_MEDIA
    ├── ConcurrencyLimit        429 CONCURRENCY_LIMIT
    ├── RateLimited             429 RATE_LIMITED
    ├── InternalError           500 INTERNAL_ERROR
    └── Overloaded              503 OVERLOADED

Every error is one sentence for the caller. Errors survive pickling, so they travel through Ray as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AlreadyCanceled",
    "AuthRequired",
    "CallbackUnauthorized",
    "ConcurrencyLimit",
    "CreditsExhausted",
    "Forbidden",
    "InternalError",
    "InvalidTransition",
    "ItemLimit",
    "JobNotFound",
    "MethodNotAllowed",
    "NotFound",
    "Overloaded",
    "PaletteError",
    "PlanRequired",
    "RateLimited",
    "RuleNotFound",
    "RuleSlotFull",
    "TokenExpired",
    "TokenInvalid",
    "TooLarge",
    "UnsupportedMedia",
    "UploadIncomplete",
    "ValidationFailed",
]


class PaletteError(Exception):
    """Root of every error a caller can be told about.

    `retryable` says whether the same request may succeed later without being changed; `retry_after` (seconds) goes
    into the Retry-After header where it is set.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.retry_after)


def _rebuild(cls: type[PaletteError], message: str, retry_after: int | None) -> PaletteError:
    return cls(message, retry_after=retry_after)


class ValidationFailed(PaletteError):
    """`message` says which field and why."""

    code, status = "VALIDATION_ERROR", 400


class AuthRequired(PaletteError):
    code, status = "AUTH_REQUIRED", 401


class TokenExpired(PaletteError):
    code, status = "TOKEN_EXPIRED", 401


class TokenInvalid(PaletteError):
    code, status = "TOKEN_INVALID", 401


class CreditsExhausted(PaletteError):
    code, status = "CREDITS_EXHAUSTED", 402


class RuleSlotFull(PaletteError):
    code, status = "RULE_SLOT_FULL", 403


class ItemLimit(PaletteError):
    code, status = "ITEM_LIMIT", 403


class PlanRequired(PaletteError):
    code, status = "PLAN_REQUIRED", 403


class Forbidden(PaletteError):
    code, status = "FORBIDDEN", 403


class CallbackUnauthorized(PaletteError):
    code, status = "CALLBACK_UNAUTHORIZED", 403


class NotFound(PaletteError):
    code, status = "NOT_FOUND", 404


class JobNotFound(PaletteError):
    code, status = "JOB_NOT_FOUND", 404


class RuleNotFound(PaletteError):
    code, status = "RULE_NOT_FOUND", 404


class MethodNotAllowed(PaletteError):
    code, status = "METHOD_NOT_ALLOWED", 405


class InvalidTransition(PaletteError):
    """`message` names the state the job is in."""

    code, status = "INVALID_TRANSITION", 409


class AlreadyCanceled(PaletteError):
    code, status = "ALREADY_CANCELED", 409


class UploadIncomplete(PaletteError):
    """`message` lists the indexes that are missing or empty."""

    code, status = "UPLOAD_INCOMPLETE", 409


class TooLarge(PaletteError):
    code, status = "TOO_LARGE", 413


class UnsupportedMedia(PaletteError):
    code, status = "UNSUPPORTED_MEDIA", 415


class ConcurrencyLimit(PaletteError):
    code, status, retryable = "CONCURRENCY_LIMIT", 429, True


class RateLimited(PaletteError):
    code, status, retryable = "RATE_LIMITED", 429, True


class InternalError(PaletteError):
    code, status = "INTERNAL_ERROR", 500


class Overloaded(PaletteError):
    code, status, retryable = "OVERLOADED", 503, True
