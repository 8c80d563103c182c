"""
Stored documents: JSON values as opaque bytes, written and read whole (orjson, then zstd).

Packing is deterministic for equal values with equal key order; `digest` ignores key order, so that it tells real
changes only.
"""

import hashlib
from typing import Any

import orjson
import zstandard

# Level 3 is zstd's default: a fifth of the size of course records at a few tens of microseconds each.
_LEVEL = 3


def pack_bytes(raw: bytes) -> bytes:
    """Compress bytes that are stored whole."""
    # A copy: what the library returns holds on to the room it would have needed had nothing become smaller.
    return bytes(memoryview(zstandard.compress(raw, _LEVEL)))


def unpack_bytes(packed: bytes | memoryview) -> bytes:
    """Undo `pack_bytes`."""
    return zstandard.decompress(packed)


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
