"""The request body of a filter (DISC-6), and which filters send the same request (HASH-2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.discovery.search_request import canonical_request, search_request_body

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
FILTERS = st.dictionaries(
    st.text(max_size=5) | st.sampled_from(["page", "force_unique", "content_type"]),
    SCALARS | st.lists(SCALARS, max_size=4) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2),
    max_size=5,
)


@pytest.mark.parametrize(
    "key",
    [
        *("restricted_runs_allowed", "enterprise_force_include_aggregation_keys", "force_unique"),
        *("page", "page_size", "ordering", "search_after", "limit", "offset", "format"),
    ],
)
def test_directives_and_paging_keys_are_never_sent(key: str):  # DISC-6
    assert search_request_body({key: "x", "content_type": "course"}) == {"content_type": "course"}


@pytest.mark.parametrize("value", [None, {}, {"a": 1}])
def test_nulls_and_nested_objects_are_never_sent(value: Any):  # DISC-6
    assert search_request_body({"partner": value, "content_type": "course"}) == {"content_type": "course"}


def test_nulls_and_objects_inside_a_list_are_never_sent():  # DISC-6
    assert search_request_body({"content_type": [None, "course", {"a": 1}]}) == {"content_type": ["course"]}


def test_other_values_are_sent_as_they_are():
    content_filter = {"content_type": ["course", "program"], "active": True, "start__gte": 10**30, "status": ""}

    assert search_request_body(content_filter) == content_filter


def test_the_filter_is_not_changed():
    content_filter = {"page": 1, "content_type": ["course", None]}

    search_request_body(content_filter)

    assert content_filter == {"page": 1, "content_type": ["course", None]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"key": ["b", "a", "a"], "content_type": "course"}, {"content_type": ["course"], "key": ["a", "b"]}),
        ({"active": True}, {"active": ["True"]}),
        ({"start__gte": 5}, {"start__gte": "5"}),
        ({"partner": " edx "}, {"partner": "edx"}),
        ({"partner": ["", " ", None]}, {}),
        ({"partner": []}, {}),
        ({"partner": "edx", "page": 3}, {"partner": "edx"}),
        ({"partner": "edx", "restricted_runs_allowed": {"a": ["b"]}}, {"partner": "edx"}),
    ],
)
def test_filters_with_the_same_request_have_one_canonical_form(
    one: dict[str, Any], other: dict[str, Any]
):  # HASH-2, DISC-12
    assert canonical_request(one) == canonical_request(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"partner": "edx"}, {"partner": "edX"}),
        ({"org": "edx"}, {"org__exclude": "edx"}),
        ({"active": True}, {"active": 1}),
        ({"key": ["a", "b"]}, {"key": ["a b"]}),
        ({"partner": "edx"}, {}),
    ],
)
def test_filters_with_other_requests_have_other_canonical_forms(one: dict[str, Any], other: dict[str, Any]):  # HASH-2
    assert canonical_request(one) != canonical_request(other)


@given(FILTERS)
def test_a_canonical_request_is_sorted_text_and_its_own_canonical_form(content_filter: dict[str, Any]):
    canonical = canonical_request(content_filter)

    assert list(canonical) == sorted(canonical)
    assert all(values == sorted(set(values)) and "" not in values for values in canonical.values())
    assert canonical_request(canonical) == canonical
