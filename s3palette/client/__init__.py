"""Clients in Python: over HTTP (here), and through Ray for programs on the cluster (`s3palette.client.ray`).

Refusals are raised as the classes of `s3palette.domain.errors`, `errors` here: `errors.CreditsExhausted`.
"""

from s3palette.client._album import AlbumResult, PhotoResult, Progress, ResultFile
from s3palette.client._answers import UnknownAnswer
from s3palette.client._results import Download, Job, JobItem, Me, NewJob, Rule, SignIn, Upload
from s3palette.client.aio import AsyncClient
from s3palette.client.http import Client
from s3palette.domain import errors
from s3palette.domain.errors import PaletteError

__all__ = [
    "AlbumResult",
    "AsyncClient",
    "Client",
    "Download",
    "Job",
    "JobItem",
    "Me",
    "NewJob",
    "PaletteError",
    "PhotoResult",
    "Progress",
    "ResultFile",
    "Rule",
    "SignIn",
    "UnknownAnswer",
    "Upload",
    "errors",
]
