"""
Schemas that say how much callers may send and get back (COM-16). Requests are held to them by `common.params`, the
serializers and the functions they call.
"""

from typing import Any

from django.conf import settings

from enterprise_catalog.apps.api.common.params import LARGEST_ID
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.fields import CONTENT_KEY_MAX_LENGTH
from enterprise_catalog.apps.core.text import CUT

# The bound of every text in a body; the titles of queries have the same.
TITLE_MAX_LENGTH = EnterpriseCatalog._meta.get_field("title").max_length


def beyond(schema: dict[str, Any], outcome: str) -> dict[str, Any]:
    """
    Return a schema whose bound may be exceeded without an error; `x-beyond` says what happens then. Ids that are too
    long for any row match nothing (COM-16), and page sizes that are too large are reduced (COM-8).
    """
    return schema | {"x-beyond": outcome}


ROW_ID = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
# The uuid or the id of a query.
QUERY_NAME = beyond({"type": "string", "maxLength": 36}, "names nothing")
# A text that is cut ends with three dots (COM-16).
NAMING_HEADER = {"type": "string", "maxLength": settings.HEADER_MAX_CHARACTERS + len(CUT)}
# JSON Schema has no keywords for the bytes of the filter's JSON in UTF-8, nor for how deeply lists and objects nest.
CONTENT_FILTER = {
    "type": "object",
    "x-max-bytes": settings.CONTENT_FILTER_MAX_BYTES,
    "x-max-levels": settings.CONTENT_FILTER_MAX_LEVELS,
}
KEY = beyond({"type": "string", "maxLength": CONTENT_KEY_MAX_LENGTH}, "matches nothing")
# The hash of a filter (HASH-1).
FILTER_HASH = {"type": "string", "pattern": "^[0-9a-f]{32}$"}


def keys_of_body(limit: int) -> dict[str, Any]:
    return {"type": "array", "items": KEY, "maxItems": limit}
