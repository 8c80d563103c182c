"""
Warn of keys in a content filter that do not do what they seem to (QRY-8).

Pure functions over JSON values. Such a filter is never refused or changed: discovery ignores what it does not know, and
clients rely on that result. `validation` refuses only what cannot be stored or sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from enterprise_catalog.apps.catalog.content_filters.directives import FORCED_COURSES_KEY, RESTRICTED_RUNS_KEY
from enterprise_catalog.apps.discovery.search_request import DIRECTIVE_KEYS, RESERVED_KEYS, canonical_request

_PRICE = "first_enrollable_paid_seat_price"
_ORDER_LOOKUPS = frozenset({"lt", "lte", "gt", "gte"})
_TERM_LOOKUPS = frozenset({"", "term", "terms"})
_EXCLUDABLE = _TERM_LOOKUPS | {"exclude"}
_COMPARABLE = _TERM_LOOKUPS | _ORDER_LOOKUPS

# The lookups that search/all supports, by field (DISC-10). The empty lookup is the field by itself.
_SUPPORTED_LOOKUPS: dict[str, frozenset[str]] = (
    dict.fromkeys(["aggregation_key", "authoring_organizations", "course_type", "key.raw", "org"], _EXCLUDABLE)
    | dict.fromkeys(["active", "start", "end", "end_date"], _COMPARABLE)
    | {_PRICE: _COMPARABLE | {"in", "range"}}
    | dict.fromkeys(
        [
            "authoring_organization_uuids",
            "availability",
            "content_type",
            "course_ends",
            "enrollment_mode",
            "enterprise_subscription_inclusion",
            "external_course_marketing_type",
            "has_enrollable_seats",
            "hidden",
            "languages",
            "level_type",
            "number",
            "pacing_type",
            "partner",
            "product_source",
            "published",
            "skill_names",
            "skills",
            "status",
            "subject_uuids",
            "type",
        ],
        _TERM_LOOKUPS,
    )
    | dict.fromkeys(
        [
            # Phrases.
            "key",
            "short_description",
            # Flags of the request.
            "detail_fields",
            "exclude_expired_course_run",
            "include_learner_pathways",
            "include_restricted",
            "q",
        ],
        frozenset({""}),
    )
)


@dataclass(frozen=True)
class FilterWarning:
    """A key of a filter that does not do what it seems to."""

    code: str
    key: str


def filter_warnings(content_filter: dict[str, Any]) -> list[FilterWarning]:
    """The warnings about this filter, in the order of its keys (QRY-8)."""
    return [
        FilterWarning(code, key) for key in sorted(content_filter) for code in _warning_codes(key, content_filter[key])
    ]


def has_ignored_fields(content_filter: dict[str, Any]) -> bool:
    """
    Return whether discovery would ignore a key of this filter because of its value, and so find far more (REFR-9).

    These are the keys warned about with `empty-value`, and those whose only values are nulls and objects, which are not
    sent.
    """
    meant_for_discovery = content_filter.keys() - DIRECTIVE_KEYS - RESERVED_KEYS
    return not meant_for_discovery <= canonical_request(content_filter).keys()


def warning_header(warnings: Sequence[FilterWarning]) -> str | None:
    """The value of `X-Catalog-Filter-Warning`, or None without warnings."""
    shown = [
        f"{warning.code}:{quote(warning.key[: settings.FILTER_WARNING_KEY_CHARACTERS], safe='')}"
        for warning in warnings[: settings.FILTER_WARNINGS_SHOWN]
    ]
    return ", ".join(shown) or None


def _warning_codes(key: str, value: Any) -> Iterator[str]:
    if key in RESERVED_KEYS:
        yield "reserved-key"
    elif key == RESTRICTED_RUNS_KEY:
        if not _is_run_mapping(value):
            yield "nested-value"
    elif key == FORCED_COURSES_KEY:
        if not isinstance(value, list):
            yield "forced-not-list"
    elif key not in DIRECTIVE_KEYS:
        yield from _name_codes(key)
        yield from _value_codes(key, value)


def _name_codes(key: str) -> Iterator[str]:
    field, _, lookup = key.partition("__")
    if field not in _SUPPORTED_LOOKUPS:
        yield "unknown-key"
    elif lookup not in _SUPPORTED_LOOKUPS[field]:
        yield "unsupported-lookup"


def _value_codes(key: str, value: Any) -> Iterator[str]:
    elements = value if isinstance(value, list) else [value]
    if any(element is None for element in elements):
        yield "null-value"
    if any(isinstance(element, dict | list) for element in elements):
        yield "nested-value"
    texts = [element for element in elements if element is not None]
    if (texts or value == []) and all(isinstance(text, str) and not text.strip() for text in texts):
        yield "empty-value"
    if key.partition("__")[0] == _PRICE and any(not isinstance(element, str | None) for element in elements):
        yield "price-not-string"
    if key == "key":
        if not isinstance(value, list):
            yield "key-not-list"
        # It matches consecutive words, so it also finds runs and longer keys (DISC-11).
        yield "key-phrase"


def _is_run_mapping(value: Any) -> bool:
    """True for a mapping from course keys to lists of run keys; anything else allows nothing (V2-1)."""
    return isinstance(value, dict) and all(isinstance(runs, list) for runs in value.values())
