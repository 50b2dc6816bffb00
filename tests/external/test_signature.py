"""Signed messages: what a receiver lets in."""

from __future__ import annotations

import hashlib
import hmac

import httpx
import pytest

from s3palette.external import Forged, sign, verify
from s3palette.external.signature import WINDOW_S

SECRET, BODY, NOON = "s" * 40, b'{"job":"j_1"}', 1_767_225_600.0


def test_how_a_message_is_signed() -> None:
    """Workers of other makers compute this: the shape is a promise."""
    expected = hmac.new(SECRET.encode(), b"1767225600." + BODY, hashlib.sha256).hexdigest()
    assert sign(SECRET, BODY, NOON + 0.9) == {"X-S3P-Timestamp": "1767225600", "X-S3P-Signature": f"v1={expected}"}


@pytest.mark.parametrize("late", [-WINDOW_S, 0, WINDOW_S])
def test_a_genuine_message_is_let_in(late: float) -> None:
    verify(SECRET, httpx.Headers({k.lower(): v for k, v in sign(SECRET, BODY, NOON).items()}), BODY, NOON + late)


@pytest.mark.parametrize("late", [-WINDOW_S - 1, WINDOW_S + 1, 86_400])
def test_a_recorded_message_is_not_let_in_later(late: float) -> None:
    with pytest.raises(Forged, match="clocks"):
        verify(SECRET, sign(SECRET, BODY, NOON), BODY, NOON + late)


GENUINE = sign(SECRET, BODY, NOON)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (GENUINE, BODY + b" "),
        (GENUINE, b""),
        ({**GENUINE, "X-S3P-Timestamp": str(int(NOON) + 1)}, BODY),
        ({**GENUINE, "X-S3P-Signature": GENUINE["X-S3P-Signature"].removeprefix("v1=")}, BODY),
        ({**GENUINE, "X-S3P-Signature": GENUINE["X-S3P-Signature"].upper()}, BODY),
        ({**GENUINE, "X-S3P-Signature": "v1=é"}, BODY),
        ({"X-S3P-Timestamp": GENUINE["X-S3P-Timestamp"]}, BODY),
        ({"X-S3P-Signature": GENUINE["X-S3P-Signature"]}, BODY),
        ({}, BODY),
        (sign("t" * 40, BODY, NOON), BODY),
    ],
)
def test_a_forged_message_is_not_let_in(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Forged, match="signature"):
        verify(SECRET, headers, body, NOON)


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "1e9", "²"])
def test_a_time_that_is_none_is_not_let_in(stamp: str) -> None:
    keyed = hmac.new(SECRET.encode(), stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    with pytest.raises(Forged):
        verify(SECRET, {"X-S3P-Timestamp": stamp, "X-S3P-Signature": f"v1={keyed}"}, BODY, NOON)
