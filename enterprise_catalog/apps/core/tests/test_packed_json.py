import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.core.packed_json import digest, pack, pack_bytes, unpack, unpack_bytes

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_unpack_returns_what_was_packed(value: object):
    assert unpack(pack(value)) == value


@given(st.binary())
def test_unpack_returns_the_same_bytes(raw: bytes):
    assert unpack_bytes(pack_bytes(raw)) == raw


def test_packed_bytes_take_no_more_memory_than_their_length():
    """A worker holds the packed bytes of 20,000 documents at once."""
    raw = bytes(50_000)
    pack_bytes(raw)
    tracemalloc.start()
    try:
        packed = [pack_bytes(raw) for _ in range(100)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 100 * (len(packed[0]) + 200)


def test_a_digest_ignores_the_order_of_keys_only():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"b": [1, 2]}) != digest({"b": [2, 1]})
