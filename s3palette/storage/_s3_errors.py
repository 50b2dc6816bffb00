"""What minio and urllib3 raise, as errors of the storage package."""

from __future__ import annotations

import re
from typing import Final

import urllib3
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from s3palette.storage.errors import StoreRefused, StoreUnavailable

__all__ = ["code_of", "translated"]

_LATER: Final = frozenset({"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_CREDENTIALS: Final = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"}
)
"""Codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""


def code_of(error: MinioException) -> str | None:
    """The service's own word for what went wrong, "NoSuchKey"; None: it used none."""
    if isinstance(error, S3Error):
        return str(error.code)
    # rclone and others call their XML text/xml, and minio reads only application/xml.
    found = re.search(r"<Code>(\w+)</Code>", str(error)) if isinstance(error, InvalidResponseError) else None
    return found and found[1]


def translated(error: MinioException | urllib3.exceptions.HTTPError, where: str) -> StoreUnavailable | StoreRefused:
    """The storage package's error for `error`; `where` is the bucket's address, for the sentence."""
    store = f"the object store {where}"
    if isinstance(error, ServerError):
        return StoreUnavailable(f"{store} answered HTTP {error.status_code}")
    if not isinstance(error, MinioException):
        reason = str(getattr(error, "reason", None) or error).rpartition(": ")[2]
        return StoreUnavailable(f"{store} does not answer: {reason}")
    code = code_of(error)
    if code in _LATER:
        return StoreUnavailable(f"{store} is overloaded ({code})")
    if code in _CREDENTIALS:
        return StoreRefused(
            f"{store} refuses us ({code}): check S3P_S3_ACCESS_KEY, S3P_S3_SECRET_KEY and S3P_S3_REGION, and what that "
            "key may do"
        )
    if code is None:  # no S3 wrote this page: a proxy did, or the address is wrong
        told = str(error).partition(", Body:")[0]
        return StoreRefused(f"{store} does not answer as S3 does ({told}): check S3P_S3_ENDPOINT")
    return StoreRefused(f"{store} refuses us ({code}): {getattr(error, 'message', error)}")
