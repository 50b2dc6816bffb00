"""The reference worker for engine=external: takes signed messages over HTTP, runs the engine, calls back. No Ray."""

from s3palette.worker.app import create_worker
from s3palette.worker.inbox import Inbox

__all__ = ["Inbox", "create_worker"]
