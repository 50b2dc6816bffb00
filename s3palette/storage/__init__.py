"""Photos, results, masks and sets by key, behind the ObjectStore port."""

from s3palette.settings import Settings
from s3palette.storage.errors import AddressRefused, BadKey, ObjectTooLarge, StorageError
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
    "open_store",
]


def open_store(settings: Settings) -> FolderStore:
    """The store the settings name, ready for use; what a crash left half written long ago is swept away."""
    store = FolderStore(settings.objects_dir, settings.storage_secret.get_secret_value(), settings.url_ttl)
    store.sweep()
    return store
