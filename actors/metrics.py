"""Every metric of the system, by name: what Prometheus reads of it through Ray's metrics agent.

Ray puts `ray_` before each name and adds the labels of the process (WorkerId, NodeAddress, …). Processes export every
10 s (RAY_metrics_report_interval_ms), so a scrape is that old at most. One record costs 2 to 3 µs. Ray rebuilds
a histogram's `_sum` from the middles of its buckets: quantiles hold, means come from counters of seconds instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "ALL",
    "ENGINE_CALL_SECONDS",
    "ENGINE_STAGE_SECONDS",
    "ENTITIES_AWAKE",
    "JOBS",
    "LOG_TRANSACTION_WRITES",
    "LOG_WRITES",
    "LOG_WRITE_SECONDS",
    "LOOP_LAG_SECONDS",
    "OUTBOX_DEAD_ROWS",
    "OUTBOX_LATE_SECONDS",
    "OUTBOX_ROWS",
    "PHOTOS",
    "PHOTOS_AT_ENGINE",
    "PHOTOS_WAITING",
    "PHOTO_RETRIES",
    "REQUESTS",
    "REQUEST_SECONDS",
    "STAGES",
    "Counter",
    "Gauge",
    "Histogram",
    "Metric",
]


class Metric:
    """A name with its meaning and labels. Ray's own object is made by the first record, in the process that records."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        self._made: Any = None
        self._tags: dict[tuple[str, ...], dict[str, str]] = {}

    @property
    def exported(self) -> tuple[str, ...]:
        """Names that a scrape shows."""
        return (f"ray_{self.name}",)

    def _ray(self) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> Any:
        raise NotImplementedError

    def _tagged(self, values: tuple[str, ...]) -> dict[str, str]:
        tags = self._tags.get(values)
        if tags is None:
            tags = self._tags[values] = dict(zip(self.labels, values, strict=True))
        return tags


class Counter(Metric):
    """Only rises; its name ends in `_total`."""

    def add(self, amount: float, *labels: str) -> None:
        """Nothing is recorded for 0."""
        if amount > 0:
            self._ray().inc(amount, self._tagged(labels))

    def _make(self) -> Any:
        from ray.util import metrics

        return metrics.Counter(self.name, self.meaning, self.labels)


class Gauge(Metric):
    """A value that holds now; one that is not set again for two exports disappears."""

    def set(self, value: float, *labels: str) -> None:
        self._ray().set(value, self._tagged(labels))

    def _make(self) -> Any:
        from ray.util import metrics

        return metrics.Gauge(self.name, self.meaning, self.labels)


class Histogram(Metric):
    """How values spread over buckets, whose upper bounds rise."""

    def __init__(self, name: str, meaning: str, *labels: str, buckets: Sequence[float]) -> None:
        super().__init__(name, meaning, *labels)
        self.buckets = list(buckets)

    @property
    def exported(self) -> tuple[str, ...]:
        return tuple(f"ray_{self.name}{part}" for part in ("_bucket", "_count", "_sum"))

    def observe(self, value: float, *labels: str) -> None:
        self._ray().observe(value, self._tagged(labels))

    def _make(self) -> Any:
        from ray.util import metrics

        return metrics.Histogram(self.name, self.meaning, self.buckets, self.labels)


REQUESTS = Counter("s3palette_requests_total", "HTTP requests answered, 499 is hung up.", "method", "route", "status")
REQUEST_SECONDS = Histogram(
    "s3palette_request_seconds",
    "From a request's head to its answer's last byte.",
    "method",
    "route",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)

JOBS = Counter("s3palette_jobs_total", "Jobs that reached a status.", "status")
PHOTOS = Counter("s3palette_photos_total", "Photos that ended, done or failed.", "status")
PHOTO_RETRIES = Counter("s3palette_photo_retries_total", "Photos dispatched again after a fault or a timeout.", "cause")

STAGES = frozenset({"download", "decode", "segment", "matte", "apply", "encode", "upload"})
"""Of a photo; a worker outside may name others, which are counted together."""
ENGINE_STAGE_SECONDS = Counter(
    "s3palette_engine_stage_seconds_total", "Time of delivered photos by stage, else other.", "stage"
)
ENGINE_CALL_SECONDS = Histogram(
    "s3palette_engine_call_seconds",
    "One photo at the engine as its job sees it, the replica's queue included; done, failed or fault.",
    "status",
    buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 180, 600, 1800),
)
PHOTOS_AT_ENGINE = Gauge("s3palette_photos_at_engine", "Photos that the engine's workers have.", "host")
PHOTOS_WAITING = Gauge("s3palette_photos_waiting", "Photos that wait for a place at the engine.", "host")

OUTBOX_ROWS = Gauge("s3palette_outbox_rows", "Outbox rows owed.", "host", "kind")
OUTBOX_LATE_SECONDS = Gauge(
    "s3palette_outbox_late_seconds", "For how long the oldest row that is due has been.", "host", "kind"
)
OUTBOX_DEAD_ROWS = Gauge("s3palette_outbox_dead_rows", "Outbox rows given up, see `s3palette dead list`.")
LOG_WRITES = Counter("s3palette_log_writes_total", "Writes to the event log: appends, settled and changed outbox rows.")
LOG_WRITE_SECONDS = Histogram(
    "s3palette_log_write_seconds",
    "A transaction of the event log, from its first writer's wait to durable.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
LOG_TRANSACTION_WRITES = Histogram(
    "s3palette_log_transaction_writes",
    "Writes that shared a transaction, and so its fsync.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)

ENTITIES_AWAKE = Gauge("s3palette_entities_awake", "Users and jobs resident in a host.", "host")
LOOP_LAG_SECONDS = Gauge("s3palette_loop_lag_seconds", "How late a host's event loop was at its last sample.", "host")

ALL: tuple[Metric, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
