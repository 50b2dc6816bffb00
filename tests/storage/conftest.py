"""Stores in buckets of the session's S3 server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from s3palette.storage.s3 import S3Store


@pytest.fixture
def make_s3(s3: Any) -> Callable[..., S3Store]:
    """Makes stores in one new bucket, which is not there before `prepare`."""
    bucket = f"album-{uuid.uuid4().hex[:12]}"

    def make(**changes: Any) -> S3Store:
        usual = {"endpoint": s3.endpoint, "access_key": s3.access_key, "secret_key": s3.secret_key}
        return S3Store(**{**usual, "bucket": bucket, "region": "us-east-1", "ttl": 60, **changes})

    return make
