"""Check that a value can be stored as a content filter (QRY-1)."""

import json
from typing import Any

from django.conf import settings

from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.core.json_depth import is_deeper_than


def check_content_filter(value: object) -> dict[str, Any]:
    """The filter, decoded if it is the text of a JSON object (CRUD-2). Raises UnusableFilter."""
    content_filter = _decoded(value) if isinstance(value, str) else value
    if not isinstance(content_filter, dict):
        raise UnusableFilter("Must be a JSON object.")
    if is_deeper_than(content_filter, settings.CONTENT_FILTER_MAX_LEVELS):
        raise UnusableFilter(f"Ensure this filter has no more than {settings.CONTENT_FILTER_MAX_LEVELS} levels.")
    try:
        serialised = json.dumps(content_filter, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        # Python reads NaN, infinity and lone surrogates; JSON does not have them.
        raise UnusableFilter("Must be a JSON object.") from error
    if len(serialised) > settings.CONTENT_FILTER_MAX_BYTES:
        raise UnusableFilter(f"Ensure this filter has no more than {settings.CONTENT_FILTER_MAX_BYTES} bytes.")
    return content_filter


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
