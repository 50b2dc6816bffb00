"""The storage package's own errors (`ObjectMissing` and `ObjectChanged` belong to the port).

StorageError
├── BadKey            the key has a shape no object has
├── AddressRefused    a signed address is forged, expired, or meant for something else
├── ObjectTooLarge    more bytes than an object may have
├── StoreUnavailable  the store is down, slow or overloaded: the same call may succeed later
└── StoreRefused      the store answers, and does not let us: only an operator can help
"""

from __future__ import annotations

__all__ = ["AddressRefused", "BadKey", "ObjectTooLarge", "StorageError", "StoreRefused", "StoreUnavailable"]


class StorageError(Exception):
    """Root of the storage errors; the message is one sentence."""


class BadKey(StorageError):
    """Not a key: unknown top folder, a strange character, too long, too deep."""


class AddressRefused(StorageError):
    """The signature does not fit method, key and expiry, or the time is over."""


class ObjectTooLarge(StorageError):
    """The upload went past its limit; nothing of it was kept."""


class StoreUnavailable(StorageError):
    """No usable answer within the store's patience; says where and why."""


class StoreRefused(StorageError):
    """Wrong keys, region or bucket; says what to check."""
