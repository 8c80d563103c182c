"""
Select documents by a search body: the filter semantics of discovery, with its pitfalls (DISC-10 to DISC-13).

What discovery ignores is silently ignored here, too: a filter that asks for too much must get too much.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

WORD = re.compile(r"\w+(?:\.\w+)*")
Values = tuple[str, ...]
Params = Mapping[str, Values]
Attributes = Mapping[str, tuple[Any, ...]]
Test = Callable[[Attributes], bool]

PRICE = "first_enrollable_paid_seat_price"
TERM_FIELDS = frozenset(
    {
        "aggregation_key",
        "authoring_organizations",
        "authoring_organization_uuids",
        "availability",
        "content_type",
        "course_type",
        "course_ends",
        "enterprise_subscription_inclusion",
        "external_course_marketing_type",
        "product_source",
        "active",
        "start",
        "end",
        "end_date",
        "enrollment_mode",
        "has_enrollable_seats",
        "hidden",
        "key.raw",
        "languages",
        "level_type",
        "number",
        "org",
        "pacing_type",
        "partner",
        "published",
        "skill_names",
        "skills",
        "status",
        "subject_uuids",
        "type",
        PRICE,
    }
)
EXCLUDABLE_FIELDS = frozenset({"aggregation_key", "authoring_organizations", "course_type", "key.raw", "org"})
PHRASE_FIELDS = frozenset({"key", "short_description"})
DATE_FIELDS = frozenset({"start", "end", "end_date"})
COMPARABLE_FIELDS = DATE_FIELDS | {"active", PRICE}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
}
# Identifiers compare as they are; the index lower-cases the rest.
EXACT_FIELDS = frozenset({"aggregation_key", "content_type", "key.raw"})


class BadSearch(Exception):
    """A value the index cannot compare with, such as a price that is no number."""


def read_params(*sources: Mapping[str, Any]) -> dict[str, Values]:
    """Values of every parameter, as text, stripped, without blanks (DISC-12); later sources override earlier ones."""
    params: dict[str, Values] = {}
    for source in sources:
        for name, value in source.items():
            elements = value if isinstance(value, list | tuple) else [value]
            texts = (str(element).strip() for element in elements if element is not None)
            params[name] = tuple(text for text in texts if text)
    return params


def flag(params: Params, name: str) -> bool:
    return bool(params.get(name)) and params[name][-1].lower() in ("true", "1", "yes")


def compile_filter(params: Params) -> Test:
    """One predicate for all parameters: fields are ANDed, the values of a field ORed."""
    tests = [test for name, values in params.items() if values and (test := _compile_field(name, values)) is not None]
    return lambda attributes: all(test(attributes) for test in tests)


def _compile_field(name: str, values: Values) -> Test | None:
    field, lookup = split_lookup(name)
    if field in PHRASE_FIELDS and lookup is None:
        return _phrase(field, values)
    if field == "q" and lookup is None:
        return _phrase("text", values)
    if field in TERM_FIELDS and lookup in (None, "term", "terms"):
        if lookup == "terms":
            values = tuple(part.strip() for value in values for part in value.split("__") if part.strip())
        return _term(field, values)
    if field in EXCLUDABLE_FIELDS and lookup == "exclude":
        wanted = _term(field, values)
        return lambda attributes: not wanted(attributes)
    if field in COMPARABLE_FIELDS and lookup is not None and lookup in COMPARISONS:
        return _comparison(field, lookup, values)
    if field == PRICE and lookup == "in":
        return _term(field, tuple(part for value in values for part in value.split("__") if part))
    if field == PRICE and lookup == "range":
        return _price_range(values)
    return None


def split_lookup(name: str) -> tuple[str, str | None]:
    field, separator, lookup = name.partition("__")
    return field, lookup if separator else None


def _term(field: str, values: Values) -> Test:
    if field in DATE_FIELDS:
        moments = {_moment(value) for value in values}
        return lambda attributes: any(value in moments for value in attributes.get(field, ()))
    if field == PRICE:
        numbers = {_number(value) for value in values}
        return lambda attributes: any(value in numbers for value in attributes.get(field, ()))
    wanted = frozenset(values if field in EXACT_FIELDS else (value.lower() for value in values))
    return lambda attributes: not wanted.isdisjoint(attributes.get(field, ()))


def _comparison(field: str, lookup: str, values: Values) -> Test:
    compare = COMPARISONS[lookup]
    if field == "active":
        limits: list[Any] = [value.lower() for value in values]
    else:
        limits = [_moment(value) if field in DATE_FIELDS else _number(value) for value in values]
    return lambda attributes: any(compare(value, limit) for value in attributes.get(field, ()) for limit in limits)


def _price_range(values: Values) -> Test:
    bounds = [[_number(part) for part in value.split("__") if part] for value in values]
    pairs = [(bound[0], bound[1] if len(bound) > 1 else float("inf")) for bound in bounds if bound]

    def test(attributes: Attributes) -> bool:
        prices = attributes.get(PRICE, ())
        return any(low <= price <= high for price in prices for low, high in pairs)

    return test


def _phrase(field: str, values: Values) -> Test:
    """Match the words of the value in a row, anywhere in the field (DISC-11)."""
    phrases = [words(value) for value in values]
    return lambda attributes: any(phrase in words(text) for text in attributes.get(field, ()) for phrase in phrases)


# Room for the keys of a large data set, which every `key` filter reads again.
@lru_cache(maxsize=40_000)
def words(text: str) -> str:
    """The text as the index's standard analyser splits it: a dot inside a word does not end it, `+`, `:`, `-` do."""
    return f" {' '.join(WORD.findall(text.lower()))} "


def attributes_of(document: Mapping[str, Any], hidden: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """What the index holds of a document: only fields that can be asked for, in the form they are compared in."""
    sources = {**document, **hidden, "key.raw": document.get("key")}
    attributes: dict[str, tuple[Any, ...]] = {}
    for field in TERM_FIELDS & sources.keys():
        indexed = [_indexed(field, element) for element in _elements(sources[field])]
        if values := tuple(value for value in indexed if value is not None):
            attributes[field] = values
    attributes["key"] = _texts(document.get("key"))
    attributes["short_description"] = _texts(document.get("short_description"))
    attributes["text"] = _texts(document.get("key"), document.get("title"))
    return attributes


def _elements(value: Any) -> list[Any]:
    elements = value if isinstance(value, list) else [value]
    # An object, such as a skill or a product source, is found by its slug or name.
    return [
        (element.get("slug") or element.get("name")) if isinstance(element, dict) else element for element in elements
    ]


def _indexed(field: str, value: Any) -> Any:
    """Return the value as the index holds it; nothing if it cannot."""
    if value is None:
        return None
    if field in DATE_FIELDS or field == PRICE:
        try:
            return _moment(str(value)) if field in DATE_FIELDS else _number(str(value))
        except BadSearch:
            return None
    return str(value) if field in EXACT_FIELDS else str(value).lower()


def _texts(*values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values if value)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadSearch(f"failed to parse a number: {text!r}") from None


def _moment(text: str) -> float:
    if text.lower() == "now":
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadSearch(f"failed to parse a date: {text!r}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
