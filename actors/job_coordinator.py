"""JobCoordinator: one actor a job. Its life and its photos, decided in s3palette.domain.job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actors.refs import Method
from s3palette.domain.job import CancelJob, GetJob, JobBehaviour, JobPolicy
from s3palette.domain.model import Address
from s3palette.settings import Settings

__all__ = ["JobCoordinator", "job_behaviour", "job_coordinator"]


def job_behaviour(settings: Settings) -> JobBehaviour:
    """The behaviour that hosts run for every job, with the deadlines and limits of the settings."""
    return JobBehaviour(
        JobPolicy(
            upload_within=timedelta(seconds=settings.upload_within_s),
            execute_within=timedelta(seconds=settings.execute_within_s),
            photo_within=timedelta(seconds=settings.photo_within_s),
            photo_within_external=timedelta(seconds=settings.photo_within_external_s),
            max_photo_bytes=settings.max_photo_bytes,
            offers=settings.external_url is not None,
        )
    )


class JobCoordinator:
    """Plain ref to one job's actor. Every method is called with `.remote(...)` and gives an ObjectRef."""

    def __init__(self, job_id: str) -> None:
        to = Address("job", job_id)
        self.state = Method(to, GetJob)
        """() -> the job as the API shows it, with keys instead of addresses"""
        self.cancel = Method(to, lambda user_id: CancelJob(at=datetime.now(UTC), user_id=user_id))
        """(user_id) -> {"canceled": True}"""


def job_coordinator(job_id: str) -> JobCoordinator:
    """The actor of a job, from any program on the cluster; ray.init must have been called, see s3palette.client."""
    return JobCoordinator(job_id)
