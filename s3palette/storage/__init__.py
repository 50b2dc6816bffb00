"""Photos, results, masks and sets by key, behind the ObjectStore port."""

from s3palette.settings import Settings
from s3palette.storage.errors import (
    AddressRefused,
    BadKey,
    ObjectTooLarge,
    StorageError,
    StoreRefused,
    StoreUnavailable,
)
from s3palette.storage.folder import FolderStore
from s3palette.storage.port import ObjectChanged, ObjectInfo, ObjectMissing, ObjectStore

__all__ = [
    "AddressRefused",
    "BadKey",
    "FolderStore",
    "ObjectChanged",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "ObjectTooLarge",
    "StorageError",
    "StoreRefused",
    "StoreUnavailable",
    "open_store",
]


def open_store(settings: Settings) -> ObjectStore:
    """The store the settings name. Opening one asks nobody: see `prepare` and `check`."""
    if settings.store == "folder":
        return FolderStore(settings.objects_dir, settings.storage_secret.get_secret_value(), settings.url_ttl)
    from s3palette.storage.s3 import S3Store  # minio and its certificates take 0.2 s to import

    return S3Store(
        endpoint=settings.s3_endpoint or "",
        public_endpoint=settings.s3_public_endpoint,
        access_key=settings.s3_access_key or "",
        secret_key=settings.s3_secret_key.get_secret_value(),
        bucket=settings.s3_bucket or "",
        region=settings.s3_region,
        ttl=settings.url_ttl,
    )
