"""
Pack JSON values into compressed bytes for storage (orjson, then zstd), unpack them, and compute digests.

Packing is deterministic for equal values with equal key order. `digest` ignores key order, so that only real changes
change it.
"""

import hashlib
import threading
from typing import Any

import orjson
import zstandard

# zstd's default level. Course records shrink to a fifth of their size in some tens of microseconds each.
_LEVEL = 3


class _OfThread(threading.local):
    """A decompressor per thread: threads cannot share one, and creating it takes longer than using it."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()


_of_thread = _OfThread()


def pack_bytes(raw: bytes) -> bytes:
    """Compress bytes that are stored whole."""
    # A copy, because the library's result keeps as much memory as the uncompressed bytes.
    return bytes(memoryview(zstandard.compress(raw, _LEVEL)))


def unpack_bytes(packed: bytes | memoryview) -> bytes:
    """Undo `pack_bytes`."""
    return _of_thread.decompressor.decompress(packed)


def pack(value: Any) -> bytes:
    """Serialise and compress a JSON value. Raises `orjson.JSONEncodeError` for what JSON cannot hold."""
    return pack_bytes(orjson.dumps(value))


def unpack(packed: bytes | memoryview) -> Any:
    """Undo `pack`."""
    return orjson.loads(unpack_bytes(packed))


def digest(value: Any) -> str:
    """Return 32 hex digits that are equal for equal JSON values, whatever their key order."""
    return digest_bytes(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def digest_bytes(raw: bytes) -> str:
    """Return 32 hex digits that are equal for equal bytes."""
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
