"""Every `S3P_*` setting, typed, in one place. Nothing else reads the environment.

    settings = load_settings()                       # from the environment
    settings = load_settings(data_dir=tmp, engine="classical")   # arguments win over the environment

An empty variable counts as unset. Secrets that are not set are made once and kept in `data_dir/secrets/`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from s3palette._secrets import SecretsError, load_or_make
from s3palette._setting_forms import BareUrl, BucketName, DataDir, Endpoint, HeaderName, Origins, PathOrName, Url

__all__ = [
    "MIN_SECRET_CHARS",
    "Settings",
    "SettingsError",
    "check_device_key",
    "load_settings",
    "read_settings",
    "unknown_variables",
]

MIN_SECRET_CHARS = 32
"""HS256 wants a key of 256 bits at least (RFC 7518, 3.2)."""

_BUCKET_SETTINGS = ("s3_endpoint", "s3_access_key", "s3_secret_key", "s3_bucket")
_YEAR_S = 366 * 86_400
_UNSET = SecretStr("")
_SECRETS = ("jwt_secret", "callback_secret", "device_key", "storage_secret")


class SettingsError(Exception):
    """The settings cannot be used. One sentence a problem, each naming its variable and what to do, a line each."""


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "s3palette"


class Settings(BaseSettings):
    """All settings. Made by `load_settings`, which also fills in the secrets; frozen, picklable, prints no secret."""

    model_config = SettingsConfigDict(
        env_prefix="S3P_", env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: DataDir = Field(default_factory=_default_data_dir)
    """Event log, objects, secrets and the cluster's address file. Default `$XDG_DATA_HOME/s3palette`, where
    XDG_DATA_HOME is `~/.local/share` unless set."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(8000, ge=1, le=65535)
    public_url: Url | None = None
    """Where clients reach us, "https://api.example.com". None: the scheme and Host of each request."""
    cors_origins: Annotated[Origins, NoDecode] = ()
    """Allowed besides http://localhost:* and http://127.0.0.1:*; separated by commas in the environment; "*" is any."""

    engine: Literal["auto", "classical", "sam3", "external"] = "auto"
    """auto: sam3 where `sam3_weights` is set, else classical. external: GPU workers outside the cluster answer by
    callback."""
    external_url: Endpoint | None = None
    """Where engine=external POSTs each job's photos, "https://gpu.example.com/jobs". None: workers outside find their
    work by themselves."""
    external_concurrency: int = Field(4, ge=1, le=1024)
    """Photos of one job that the engine outside may work on at the same time."""
    engine_replicas: int = Field(1, ge=1, le=1024)
    """Replicas of the engine at most; they follow the queue."""
    engine_min_replicas: int = Field(1, ge=0, le=1024)
    """Replicas at least. 0: none while there is nothing to do, so that a cluster gives its GPU machines back; the next
    photo waits for a machine and the model."""
    engine_inflight: int = Field(2, ge=1, le=1024)
    """Photos one replica works on at the same time. With sam3 unset means two batches and four more, so that the next
    batch is ready when one ends."""
    edge_replicas: int = Field(1, ge=1, le=64)
    """Replicas of the HTTP entrance."""
    edge_requests: int = Field(500, ge=1, le=4000)
    """Requests one replica of the entrance works on at once; one more is answered 503 with Retry-After."""
    edge_uploads: int = Field(128, ge=1, le=4000)
    """Uploads one replica takes in at once, in the same way; some MB of memory each. Only the folder store has them."""
    queued_photos: int = Field(10_000, ge=1, le=1_000_000)
    """Photos that may wait for the engine in a host. While as many wait, execute is answered 503 with Retry-After."""
    hosts: int = Field(1, ge=1, le=256)
    """Host actors of the brain. One is right with the SQLite log."""
    stop_within_s: float = Field(30, ge=0, le=86_400)
    """How long photos under way may take to end when the system is stopped; the next start takes up the rest."""
    store: Literal["folder", "s3"] = "folder"
    """folder: in the data dir, for one machine. s3: a bucket, see docs/storage.md."""
    s3_endpoint: BareUrl | None = None
    """Where we reach the S3 service, "https://s3.eu-central-1.amazonaws.com" or "http://10.0.0.5:9000"."""
    s3_public_endpoint: BareUrl | None = None
    """Where clients reach it; None: as we do."""
    s3_access_key: str | None = None
    s3_secret_key: SecretStr = _UNSET
    s3_bucket: BucketName | None = None
    """Made at the start if it is not there."""
    s3_region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,64}$")
    """Goes into every signature. Most services take any, AWS wants the bucket's own."""

    sam3_weights: PathOrName | None = None
    """File (sam3.pt), folder (safetensors) or hub id (HF_TOKEN lets it in). Where engine workers run, not here."""
    sam3_bpe: PathOrName | None = None
    """Vocabulary file of the official package."""
    sam3_backend: Literal["auto", "transformers", "official"] = "auto"
    """auto: what the weights are made for."""
    sam3_gpus: float = Field(1.0, ge=0, le=1)
    """Share of a GPU that one replica reserves; 0: it runs on the CPU."""
    sam3_batch: int = Field(8, ge=1, le=64)
    """Photos in one pass at most; less where the GPU's memory is short."""
    sam3_compile: Literal["auto", "off", "default", "reduce-overhead"] = "auto"
    """torch.compile of the vision encoder; auto: on CUDA with triton and a C compiler."""
    sam3_threshold: float = Field(0.5, gt=0, lt=1)
    """Least score of an instance."""

    jwt_secret: SecretStr = _UNSET
    callback_secret: SecretStr = _UNSET
    external_secret: SecretStr = _UNSET
    """Signs what is sent to external_url. Unset: the callback secret does."""
    device_key: SecretStr = _UNSET
    """Key of the hash that turns a device_hash into a user id: never change it, or known devices become new users."""
    storage_secret: SecretStr = _UNSET
    """Signs the folder store's addresses."""
    token_ttl_days: float = Field(30, gt=0, le=3650)

    signup_limit: int = Field(0, ge=0)
    """Sign-ups a minute from one address; 0 is off."""
    client_address_header: HeaderName | None = None
    """Header in which a trusted proxy puts the client's address, e.g. X-Forwarded-For; its last entry counts."""

    max_photo_bytes: int = Field(60_000_000, ge=1)
    max_pixels: int = Field(64_000_000, ge=1)
    url_ttl: int = Field(3600, ge=1, le=604_800)
    """Seconds a signed address lives."""

    upload_within_s: float = Field(86_400, gt=0, le=_YEAR_S)
    execute_within_s: float = Field(604_800, gt=0, le=_YEAR_S)
    photo_within_s: float = Field(900, gt=0, le=_YEAR_S)
    photo_within_external_s: float = Field(3600, gt=0, le=_YEAR_S)
    command_answers_days: float = Field(7, gt=0, le=3650)
    """How long a repeated command still gets its first answer."""

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of our own modules; other people's say warnings and errors."""
    metrics_port: int | None = Field(None, ge=1, le=65535)
    """Where Prometheus finds the metrics of the cluster that `up` starts. None: a free port, told in `run.json`."""

    @property
    def segmenter(self) -> Literal["classical", "sam3"] | None:
        """Who segments; None: nobody here (external)."""
        if self.engine == "auto":
            return "sam3" if self.sam3_weights else "classical"
        return None if self.engine == "external" else self.engine

    @property
    def local_url(self) -> str:
        """Where this machine reaches the system."""
        here = "127.0.0.1" if self.http_host in ("0.0.0.0", "::") else self.http_host
        return f"http://{f'[{here}]' if ':' in here else here}:{self.http_port}"

    @property
    def outside_secret(self) -> SecretStr:
        """Signs what is sent to the engine outside."""
        return self.external_secret if self.external_secret.get_secret_value() else self.callback_secret

    @property
    def log_path(self) -> Path:
        """The SQLite event log."""
        return self.data_dir / "log.sqlite3"

    @property
    def objects_dir(self) -> Path:
        """Root of the folder store."""
        return self.data_dir / "objects"

    @property
    def logs_dir(self) -> Path:
        """A log file a process."""
        return self.data_dir / "logs"

    @property
    def short_secrets(self) -> tuple[str, ...]:
        """Variables whose secret has fewer than MIN_SECRET_CHARS characters: they work, and should be longer."""
        names = (*_SECRETS, "external_secret") if self.external_secret.get_secret_value() else _SECRETS
        return tuple(
            f"S3P_{name.upper()}" for name in names if len(getattr(self, name).get_secret_value()) < MIN_SECRET_CHARS
        )

    @property
    def ray_token_path(self) -> Path:
        """Token that guards the Ray cluster; made with the other secrets."""
        return self.secrets_dir / "ray_token"

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"

    @model_validator(mode="after")
    def _sam3_needs_weights(self) -> Self:
        if self.engine == "sam3" and self.sam3_weights is None:
            raise ValueError(
                "S3P_ENGINE=sam3 needs S3P_SAM3_WEIGHTS: the weights are gated, so ask for them at "
                "https://huggingface.co/facebook/sam3 and set it to the folder or sam3.pt, or to facebook/sam3 with "
                "HF_TOKEN."
            )
        return self

    @model_validator(mode="after")
    def _replicas_fit(self) -> Self:
        if self.engine_min_replicas > self.engine_replicas:
            raise ValueError(
                f"S3P_ENGINE_MIN_REPLICAS={self.engine_min_replicas} is more than S3P_ENGINE_REPLICAS="
                f"{self.engine_replicas}: lower the first or raise the second."
            )
        return self

    @model_validator(mode="after")
    def _store_is_whole(self) -> Self:
        needed = {f"S3P_{name.upper()}": getattr(self, name) for name in _BUCKET_SETTINGS}
        missing = [variable for variable, value in needed.items() if value in (None, _UNSET)]
        if self.store == "s3" and missing:
            raise ValueError(f"S3P_STORE=s3 needs {', '.join(missing)}: set what is missing, or S3P_STORE=folder.")
        given = [variable for variable in needed if variable not in missing]
        if given and "store" not in self.model_fields_set:
            raise ValueError(
                f"{given[0]} is set, but S3P_STORE is not: set that to s3 to use the bucket, or to folder."
            )
        return self

    @model_validator(mode="after")
    def _limit_needs_an_address(self) -> Self:
        if self.signup_limit and self.client_address_header is None:
            raise ValueError(
                "S3P_SIGNUP_LIMIT needs S3P_CLIENT_ADDRESS_HEADER: name the header in which your proxy puts the "
                "client's address, or set the limit to 0."
            )
        return self


def read_settings(**overrides: Any) -> Settings:
    """Settings from `overrides`, else the environment, else the defaults; secrets may be empty, nothing is written.

    Raises SettingsError.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None
    if settings.segmenter == "sam3" and "engine_inflight" not in settings.model_fields_set:
        return settings.model_copy(update={"engine_inflight": 2 * settings.sam3_batch + 4})
    return settings


def unknown_variables() -> list[str]:
    """S3P_* variables of the environment that are no settings: most likely misspelled."""
    known = {f"S3P_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("S3P_") and name not in known)


def check_device_key(settings: Settings) -> None:
    """Raises SettingsError where the key of a data dir that has users is gone."""
    key = settings.secrets_dir / "device_key"
    if settings.log_path.exists() and not settings.device_key.get_secret_value() and not key.exists():
        raise SettingsError(
            f"{settings.data_dir} has an event log but no {key.relative_to(settings.data_dir)}, and with a new one "
            "known devices would become new users; put the secrets folder back, or set S3P_DEVICE_KEY."
        )


def load_settings(**overrides: Any) -> Settings:
    """As `read_settings`, with what a system needs: missing secrets are made and kept in the data dir.

    Raises SettingsError.
    """
    settings = read_settings(**overrides)
    check_device_key(settings)
    try:
        made = {
            name: SecretStr(load_or_make(settings.secrets_dir / name, min_chars=MIN_SECRET_CHARS))
            for name in _SECRETS
            if not getattr(settings, name).get_secret_value()
        }
        load_or_make(settings.ray_token_path, min_chars=MIN_SECRET_CHARS)
    except SecretsError as error:
        raise SettingsError(f"S3P_DATA_DIR: {error}") from error
    return settings.model_copy(update=made)


def _sentence(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    variable = f"S3P_{str(problem['loc'][0]).upper()}"
    if problem["type"] == "extra_forbidden":
        return f"{variable} is not a setting; check its spelling."
    if problem["type"] == "value_error":
        return f"{variable} {message}."
    return f"{variable} cannot be used: {message[:1].lower()}{message[1:]}; correct it or leave it unset."
