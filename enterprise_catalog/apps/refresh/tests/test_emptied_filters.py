"""No filter with an empty value empties or floods a catalog without being held (QRY-8, REFR-9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.content_filters.warnings import filter_warnings
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.properties import examples
from enterprise_catalog.testing.runs import claimed, keys, make_query, members, requested, store_keys

pytestmark = pytest.mark.django_db

BLANK = st.sampled_from(["", " ", "\t\n", "\u3000"])
EMPTY: st.SearchStrategy[Any] = (
    BLANK | st.lists(BLANK | st.none(), max_size=3) | st.none() | st.just([{}]) | st.just({})
)
VALUE = st.sampled_from(["edx", "2u", ["a", ""], [0], False, ["b"]])
FIELDS = st.sampled_from(["key", "partner", "level_type", "subject_uuids", "start__gte", "q", "nonsense"])
FILTERS = st.builds(
    lambda content_filter, field, empty: content_filter | {field: empty},
    st.dictionaries(FIELDS, VALUE, max_size=4),
    FIELDS,
    EMPTY,
)
MOST_AT_FIRST = 20


def change_filter(query: CatalogQuery, content_filter: dict[str, Any]) -> None:
    """Give a query another filter, as a rewrite does."""
    values = {"content_filter": content_filter, "content_filter_hash": content_filter_hash(content_filter)}
    CatalogQuery.objects.filter(pk=query.pk).update(**values)
    query.refresh_from_db()


def test_no_emptied_filter_empties_or_floods_a_catalog_unheld(settings):  # REFR-9
    settings.GUARD_MAX_FIRST_ITEMS = MOST_AT_FIRST
    store_keys(keys(70))

    @given(FILTERS, st.integers(0, 15), st.integers(0, 70), st.booleans())
    @examples(60)
    def every(content_filter: dict[str, Any], before: int, after: int, is_first: bool) -> None:
        CatalogQuery.objects.all().delete()
        query = make_query(content_filter if is_first else {"key": ["before"]})
        old, new = [] if is_first else keys(before), keys(70)[70 - after :]
        if not is_first:
            publish_or_hold(claim=claimed(query), content_keys=old, counts={})
            change_filter(query, content_filter)
        state = publish_or_hold(claim=claimed(query), content_keys=new, counts={})
        lost = len(set(old) - set(new))
        empties = len(old) >= settings.GUARD_MIN_ITEMS and lost / len(old) > settings.GUARD_MAX_REMOVED
        floods = after > (settings.GUARD_MAX_GROWTH * len(old) if old else MOST_AT_FIRST)
        assert (state == RefreshRun.State.HELD) == (empties or floods)
        assert members(query) == (old if empties or floods else new)

    every()


@pytest.mark.parametrize("empty", [[], "", ["", " "], None, [None]])
def test_a_list_that_somebody_empties_is_held(sandbox, empty):  # QRY-8, REFR-9
    """Discovery ignores the field, and answers with everything that the rest of the filter finds."""
    key = next(iter(sandbox.dataset.courses))
    query = make_query({"content_type": "course", "aggregation_key": [f"course:{key}"]})
    refresh(requested(query).pk)
    assert members(query) == [key]
    change_filter(query, {"content_type": "course", "aggregation_key": empty})
    assert filter_warnings(query.content_filter)
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.counts["total"] > 5) == (RefreshRun.State.HELD, "guard_growth", True)
    assert members(query) == [key]
