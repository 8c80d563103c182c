"""
Build the search request of a content filter, and find out which filters send equal ones (DISC-6, HASH-2).
"""

from typing import Any

# Keys for this service. Discovery ignores them today, but may not in a later version.
DIRECTIVE_KEYS = frozenset({"restricted_runs_allowed", "enterprise_force_include_aggregation_keys", "force_unique"})
# Discovery lets values of the body override the URL, which would break paging.
RESERVED_KEYS = frozenset({"page", "page_size", "ordering", "search_after", "limit", "offset", "format"})

_NEVER_SENT = DIRECTIVE_KEYS | RESERVED_KEYS


def search_request_body(content_filter: dict[str, Any]) -> dict[str, Any]:
    """Return the request body of a search: without directives, reserved keys, nulls and nested objects."""
    return {
        key: [element for element in value if _is_sent(element)] if isinstance(value, list) else value
        for key, value in content_filter.items()
        if key not in _NEVER_SENT and _is_sent(value)
    }


def _is_sent(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def canonical_request(content_filter: dict[str, Any]) -> dict[str, list[str]]:
    """Return the canonical form of the request, equal for all filters that find the same."""
    canonical = {key: _canonical_values(value) for key, value in sorted(search_request_body(content_filter).items())}
    return {key: values for key, values in canonical.items() if values}


def _canonical_values(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value]
    texts = {str(element).strip() for element in elements}
    return sorted(texts - {""})
