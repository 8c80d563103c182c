"""Hash a content filter: the published hash, and the key by which equal filters are found (HASH-1)."""

import hashlib
import json
from typing import Any

from enterprise_catalog.apps.core.packed_json import digest
from enterprise_catalog.apps.discovery.search_request import canonical_request


def content_filter_hash(content_filter: dict[str, Any]) -> str:
    """The published hash, which clients compute, too (HASH-1)."""
    serialised = json.dumps(content_filter, sort_keys=True)
    return hashlib.md5(serialised.encode(), usedforsecurity=False).hexdigest()


def equivalence_key(content_filter: dict[str, Any]) -> str:
    """A key that is equal for filters which one fetch can serve (HASH-2)."""
    return digest(canonical_request(content_filter))
