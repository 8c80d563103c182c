"""
What of a content filter is sent to discovery, and when two filters ask it the same (DISC-6, HASH-2).

Pure functions over JSON values.
"""

from typing import Any

# Meant for this service; discovery would ignore them, or worse, one day not.
DIRECTIVE_KEYS = frozenset({"restricted_runs_allowed", "enterprise_force_include_aggregation_keys", "force_unique"})
# Discovery lets body values override the URL, which would wreck paging.
RESERVED_KEYS = frozenset({"page", "page_size", "ordering", "search_after", "limit", "offset", "format"})

_NEVER_SENT = DIRECTIVE_KEYS | RESERVED_KEYS


def search_request_body(content_filter: dict[str, Any]) -> dict[str, Any]:
    """The request body of a search: without keys of our own, reserved keys, nulls and nested objects."""
    return {
        key: [element for element in value if _is_sent(element)] if isinstance(value, list) else value
        for key, value in content_filter.items()
        if key not in _NEVER_SENT and _is_sent(value)
    }


def _is_sent(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def canonical_request(content_filter: dict[str, Any]) -> dict[str, list[str]]:
    """What is sent, in the one form that all filters share which make discovery do the same work."""
    canonical = {key: _canonical_values(value) for key, value in sorted(search_request_body(content_filter).items())}
    return {key: values for key, values in canonical.items() if values}


def _canonical_values(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value]
    texts = {str(element).strip() for element in elements}
    return sorted(texts - {""})
