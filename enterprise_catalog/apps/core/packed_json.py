"""
Stored documents: JSON values as opaque bytes, written and read whole (orjson, then zstd).

Packing is deterministic for equal values with equal key order; `digest` ignores key order, so that it tells real
changes only.
"""

import hashlib
import threading
from typing import Any

import orjson
import zstandard

# Level 3 is zstd's default: a fifth of the size of course records at a few tens of microseconds each.
_LEVEL = 3


class _OfThread(threading.local):
    """What no two threads may use at once, and what takes longer to make than to use."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()


_of_thread = _OfThread()


def pack_bytes(raw: bytes) -> bytes:
    """Compress bytes that are stored whole."""
    # A copy: what the library returns holds on to the room it would have needed had nothing become smaller.
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
    """32 hex digits that are equal for equal JSON values, whatever their key order."""
    return digest_bytes(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def digest_bytes(raw: bytes) -> str:
    """32 hex digits that are equal for equal bytes."""
    return hashlib.blake2b(raw, digest_size=16).hexdigest()
