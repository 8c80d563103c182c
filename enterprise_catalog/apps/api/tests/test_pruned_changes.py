"""The feed after pruning: everything younger is told, and what is older is refused, never left out (CHG-3, CHG-4)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from enterprise_catalog.apps.api.tests.test_catalog_changes import added, ask, hold, move, pass_time, removed, told
from enterprise_catalog.apps.api.v1.catalog_changes import cursor_of, position_of
from enterprise_catalog.apps.catalog.models import CatalogAttachment, CatalogContentChange
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.scheduling.pruning import prune
from enterprise_catalog.apps.services.consistency import violations
from enterprise_catalog.testing.catalogs import make_catalog
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog():
    return make_catalog()


@pytest.fixture
def query(catalog):
    return catalog.catalog_query


def test_everything_younger_is_still_told(catalog, query):  # CHG-3
    hold(query, "edX+A")
    pass_time(days=95)
    hold(query, "edX+A", "edX+B")
    assert prune().changes == 1
    assert told(ask(catalog)) == added("edX+B")


def test_a_cursor_that_is_served_misses_nothing(catalog, query):  # CHG-3
    """Read to the first of three changes, of which the next was dated before it and the last after."""
    hold(query, "edX+A", "edX+B", "edX+C")
    cursor = ask(catalog, query="page_size=1").json()["cursor"]
    (old,) = pass_time(cursor, days=91, minutes=-1)
    CatalogContentChange.objects.filter(content_key="edX+B").update(changed_at=F("changed_at") - timedelta(minutes=59))
    assert prune().changes == 0
    response = ask(catalog, old)
    assert (response.status_code, told(response)) == (200, added("edX+B", "edX+C"))


def test_a_cursor_of_what_was_pruned_is_refused(catalog, query):  # CHG-4
    hold(query, "edX+A", "edX+B")
    cursor = ask(catalog, query="page_size=1").json()["cursor"]
    (old,) = pass_time(cursor, days=92)
    assert prune().changes == 2
    assert ask(catalog, old).status_code == 410
    assert ask(catalog, (timezone.now() - timedelta(days=91)).isoformat()).status_code == 410


def test_a_cursor_from_when_all_was_pruned_leads_on(catalog, query):  # CHG-3
    hold(query, "edX+A")
    pass_time(days=95)
    prune()
    assert not CatalogContentChange.objects.exists()
    cursors = [ask(catalog, since).json()["cursor"] for since in (None, timezone.now().isoformat())]
    hold(query, "edX+A", "edX+B")
    assert [told(ask(catalog, cursor)) for cursor in cursors] == [added("edX+B")] * 2


def test_a_recent_cursor_survives_that_all_it_has_read_goes(catalog, query):  # CHG-3
    hold(query, "edX+A")
    cursor = ask(catalog).json()["cursor"]
    pass_time(days=95)
    prune()
    hold(query, "edX+A", "edX+B")
    assert told(ask(catalog, cursor)) == added("edX+B")


def test_periods_tell_the_right_changes_when_older_ones_are_gone(catalog, query):  # CHG-2
    other = make_query({"key": ["other"]})
    hold(other, "edX+A", "edX+X")
    hold(query, "edX+A")
    pass_time(days=95)
    prune()
    move(catalog, other)
    hold(query, "edX+A", "edX+Unseen")
    move(catalog, query)
    hold(query, "edX+A")
    assert told(ask(catalog)) == [
        *added("edX+X"),
        *(*removed("edX+X"), *added("edX+Unseen")),
        *removed("edX+Unseen"),
    ]


def test_the_tables_agree_afterwards(catalog, query):  # CHG-2, RUN-5
    EnterpriseCustomer.objects.get_or_create(uuid=catalog.enterprise_uuid)
    hold(query, "edX+A")
    hold(query, "edX+A", "edX+B")
    move(catalog, make_query({"key": ["other"]}))
    pass_time(days=95)
    long_ago = timedelta(days=95)
    RefreshRun.objects.filter(state="published").update(
        requested_at=F("requested_at") - long_ago, finished_at=F("finished_at") - long_ago
    )
    pruned = prune()
    assert (pruned.runs, pruned.changes) == (1, 4)
    assert CatalogAttachment.objects.count() == 2
    assert list(violations(deep=True)) == []


def test_a_cursor_is_refused_as_long_as_it_was_before(catalog, query):  # CHG-4
    """Between the grace and the hour that is kept beyond it: refused, though the change is there."""
    hold(query, "edX+A")
    position = position_of(ask(catalog).json()["cursor"])
    pass_time(days=91, minutes=30)
    old = cursor_of(replace(position, change_id=0, read_until=position.read_until - timedelta(days=91, minutes=30)))
    assert prune().changes == 0
    assert ask(catalog, old).status_code == 410
