"""Hashes of content filters, filters that share a fetch, validation and warnings."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash, equivalence_key
from enterprise_catalog.apps.catalog.content_filters.validation import check_content_filter
from enterprise_catalog.apps.catalog.content_filters.warnings import (
    FilterWarning,
    filter_warnings,
    has_ignored_fields,
    warning_header,
)
from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.discovery.search_request import DIRECTIVE_KEYS, RESERVED_KEYS, canonical_request

DEFAULT_2019 = {
    "content_type": "course",
    "partner": "edx",
    "level_type": ["Introductory", "Intermediate", "Advanced"],
    "availability": ["Current", "Starting Soon", "Upcoming"],
}

# HASH-1, the published table.
PUBLISHED_HASHES = [
    ({}, "99914b932bd37a50b983c5e7c90ae93b"),
    ({"content_type": "course"}, "030f6213522a24bfdc11eb0988adee2c"),
    ({"content_type": "courserun"}, "58652973bc814f1a8df3942010c57c84"),
    ({"content_type": ["course"]}, "b6a49ea2d6e344653bdac72f63f584e2"),
    ({"content_type": ["course", "program"]}, "fcbabe3dc8a1647ae9efbcc316945633"),
    ({"content_type": ["program", "course"]}, "364b8bd808b73d44798977f33baa5717"),
    ({"partner": "edx", "content_type": "course"}, "6a612a7fececa5f9209cf73551613d9a"),
    ({"content_type": "course", "partner": "edx"}, "6a612a7fececa5f9209cf73551613d9a"),
    ({"first_enrollable_paid_seat_price__lte": "50"}, "9bce985c32b72bc7b9b55d32de72ec16"),
    ({"first_enrollable_paid_seat_price__lte": 50}, "603d947c03b775506b8f37b079723754"),
    (
        {"content_type": "course", "restricted_runs_allowed": {"course:edX+DemoX": ["course-v1:edX+DemoX+3T2026"]}},
        "b21d8fe298fd14be7649ddcb84acb40c",
    ),
    ({"b": {"y": [1, 2], "x": None}, "a": "1"}, "68721d729da105ef031d710ee3a3f4f8"),
    ({"organizations": "UniversitéX: Université", "content_type": "course"}, "1d9009e1ce6342ea39387f6f9a0ace34"),
    ({"organizations": "数学"}, "0c6cb941733e329fd3fdb861657b3b5d"),
    ({"subjects": 'Math "&" Logic'}, "03c855825aa2085a8f7b49478ddbf4aa"),
    (DEFAULT_2019, "af926b55f7a2468484a7d207f4502778"),
    (DEFAULT_2019 | {"status": "published"}, "13f6ce14cd7879ef535e777c61e06f08"),
]

# Few and similar, so that different filters often ask the same.
scalars = st.sampled_from([None, True, "True", 1, "1", "a", " a", "b", "", "数"])
names = st.sampled_from(["key", "partner", "status", "page", "force_unique"])
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(names, scalars, max_size=3)
filters = st.dictionaries(names, values, max_size=2)


@pytest.mark.parametrize(("content_filter", "digest"), PUBLISHED_HASHES)
def test_published_hash(content_filter, digest):  # HASH-1
    assert content_filter_hash(content_filter) == digest


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return value


@given(filters)
def test_the_hash_is_independent_of_key_order(content_filter):  # HASH-1
    assert content_filter_hash(reordered(content_filter)) == content_filter_hash(content_filter)


@given(filters, filters)
def test_equal_equivalence_keys_mean_equal_requests(one, other):
    """Equal keys mean equal requests, and equal requests mean equal keys (HASH-2)."""
    assert (equivalence_key(one) == equivalence_key(other)) == (canonical_request(one) == canonical_request(other))


def test_order_repetition_and_lists_of_one_do_not_cost_another_fetch():
    one = {"key": ["b", "a", "a"], "content_type": "course"}
    other = {"content_type": ["course"], "key": ["a", "b"], "restricted_runs_allowed": {"a": ["b"]}}
    assert equivalence_key(one) == equivalence_key(other)
    assert content_filter_hash(one) != content_filter_hash(other)


@pytest.mark.parametrize("value", [None, 1, True, [], [{}], "", "text", "[]", "null", "{", "[" * 100_000])
def test_only_json_objects_are_filters(value):  # CRUD-2
    with pytest.raises(UnusableFilter, match=r"^Must be a JSON object\.$"):
        check_content_filter(value)


@pytest.mark.parametrize("value", ['{"a": NaN}', {"a": float("inf")}, {"a": "\ud800"}, {"\ud800": "a"}])
def test_values_that_json_does_not_have_are_refused(value):
    with pytest.raises(UnusableFilter, match=r"^Must be a JSON object\.$"):
        check_content_filter(value)


def test_text_that_holds_an_object_is_decoded():
    assert check_content_filter('{"content_type": "course"}') == {"content_type": "course"}


def nested(levels: int) -> Any:
    """Objects and lists in each other, an object outermost."""
    value: Any = {} if levels % 2 else []
    for level in range(levels - 1, 0, -1):
        value = {"a": value} if level % 2 else [value]
    return value


def test_ten_levels_are_the_limit():  # COM-16
    assert check_content_filter(nested(10)) == nested(10)
    with pytest.raises(UnusableFilter, match="10 levels"):
        check_content_filter(nested(11))


def test_a_mebibyte_is_the_limit():  # COM-16
    empty = len(json.dumps({"key": [""]}))
    largest = {"key": ["x" * (1024 * 1024 - empty)]}
    assert check_content_filter(largest) is largest
    with pytest.raises(UnusableFilter, match="1048576 bytes"):
        check_content_filter({"key": ["x" * (1024 * 1024 - empty + 1)]})


@pytest.mark.parametrize(
    "content_filter",
    [
        {},
        DEFAULT_2019 | {"status": "published"},
        {"partner": "edx", "include_learner_pathways": "True", "course_type__exclude": "executive-education-2u"},
        {"first_enrollable_paid_seat_price__range": "10__50", "start__gte": "2026-01-01", "key.raw__exclude": ["a"]},
        {"restricted_runs_allowed": {"course:edX+DemoX": []}, "enterprise_force_include_aggregation_keys": ["a"]},
    ],
)
def test_effective_filters_are_not_warned_about(content_filter):
    assert filter_warnings(content_filter) == []


@pytest.mark.parametrize(
    ("content_filter", "codes"),
    [
        ({"aggregation__key": "a"}, ["unknown-key"]),
        ({"uuid": "a"}, ["unknown-key"]),
        ({"org__exempt": "a"}, ["unsupported-lookup"]),
        ({"level_type__exclude": "a"}, ["unsupported-lookup"]),
        ({"partner__exact": "a"}, ["unsupported-lookup"]),
        ({"key__in": ["a"]}, ["unsupported-lookup"]),
        ({"partner": {"a": "b"}}, ["nested-value"]),
        ({"partner": ["a", {"b": "c"}]}, ["nested-value"]),
        ({"partner": None}, ["null-value"]),
        ({"partner": []}, ["empty-value"]),
        ({"partner": ""}, ["empty-value"]),
        ({"partner": [" ", "\t"]}, ["empty-value"]),
        ({"partner": ["", None]}, ["null-value", "empty-value"]),
        ({"partner": ["", "edx"]}, []),
        ({"partner": [0]}, []),
        ({"nonsense": ""}, ["unknown-key", "empty-value"]),
        ({"key": []}, ["empty-value", "key-phrase"]),
        ({"enterprise_force_include_aggregation_keys": "edX+DemoX"}, ["forced-not-list"]),
        ({"enterprise_force_include_aggregation_keys": None}, ["forced-not-list"]),
        ({"enterprise_force_include_aggregation_keys": []}, []),
        ({"page_size": 1}, ["reserved-key"]),
        ({"first_enrollable_paid_seat_price__lte": 50}, ["price-not-string"]),
        ({"key": ["edX+DemoX"]}, ["key-phrase"]),
        ({"key": "edX+DemoX"}, ["key-not-list", "key-phrase"]),
        ({"restricted_runs_allowed": ["edX+DemoX"]}, ["nested-value"]),
        ({"restricted_runs_allowed": {"edX+DemoX": "a"}}, ["nested-value"]),
    ],
)
def test_the_warnings_about_a_filter(content_filter, codes):  # QRY-8, DISC-6, DISC-10, DISC-11
    (key,) = content_filter
    assert filter_warnings(content_filter) == [FilterWarning(code, key) for code in codes]


@given(filters)
def test_an_empty_value_is_a_key_that_discovery_ignores(content_filter):
    """Whether the guard checks a filter agrees with the warnings, and with what is sent (QRY-8, REFR-9)."""
    codes = {warning.code for warning in filter_warnings(content_filter)}
    sent = canonical_request(content_filter)
    ignored = [key for key in content_filter if key not in DIRECTIVE_KEYS | RESERVED_KEYS and key not in sent]
    assert has_ignored_fields(content_filter) == bool(ignored)
    assert ("empty-value" in codes) <= bool(ignored)
    assert bool(ignored) <= bool(codes & {"empty-value", "null-value", "nested-value"})


def test_warning_header():  # QRY-8, ADD-3
    warnings = filter_warnings({"key__exclude": "a", "aggregation__key": "b"})
    assert warning_header(warnings) == "unknown-key:aggregation__key, unsupported-lookup:key__exclude"


def test_no_warnings_make_no_header():
    assert warning_header([]) is None


def test_a_header_stays_a_header_whatever_the_keys_are():  # QRY-8
    hostile = {f"\r\nSet-Cookie: {number}, 数{'x' * 100_000}": 1 for number in range(50)}
    header = warning_header(filter_warnings(hostile)) or ""
    assert header.count("unknown-key:") == 10
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 8000
