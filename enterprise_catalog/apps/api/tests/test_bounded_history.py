"""
Repeated changes of a catalog leave a history of few rows and filters, which still says who changed what (COM-16).
"""

import json
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db.models import Count, F, Q
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.history import hold_filters, thin
from enterprise_catalog.apps.refresh.scheduling.pruning import prune
from enterprise_catalog.apps.services.catalogs import save_catalog
from enterprise_catalog.testing.callers import OPERATOR, admin, client_for, complete_values, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of

pytestmark = pytest.mark.django_db

QUERIES, VERSIONS = CatalogQuery.history, EnterpriseCatalog.history
CHANGES = 100


def large_filter(name: str, size: int = 1_000_000) -> dict[str, str]:
    return {"key": name * (size // len(name))}


def history_bytes() -> int:
    """Of the filters in the history, as JSON."""
    held = QUERIES.exclude(content_filter=None).values_list("content_filter", flat=True)
    return sum(len(json.dumps(content_filter)) for content_filter in held)


def change(client: APIClient, catalog: EnterpriseCatalog, **values: object) -> None:
    response = client.patch(path_of(catalog), values)
    assert response.status_code == 200, response.content


@pytest.fixture
def catalog():
    saved = save_catalog(catalog=None, values=complete_values(content_filter=large_filter("a")), grants=OPERATOR)
    return saved.catalog


def test_a_query_that_is_renamed_again_and_again_has_its_filter_once_in_its_history(catalog, settings):  # COM-16
    for number in range(CHANGES):
        change(operator(), catalog, query_title=f"Title {number}")
    assert history_bytes() < 1_000_100
    assert QUERIES.count() <= settings.HISTORY_ROWS_KEPT + 1
    assert QUERIES.first().title == f"Title {CHANGES - 1}"
    assert QUERIES.first().history_user.username == "olivia"


def test_alternating_filters_are_stored_twice(catalog):
    query = catalog.catalog_query
    for number in range(CHANGES):
        asked = {"content_filter": large_filter("ab"[number % 2]), "catalog_query_uuid": str(query.uuid)}
        change(operator(), catalog, **asked, query_title=f"Title {number}")
    assert history_bytes() < 2_000_100


def test_a_filter_that_is_always_another_fills_only_the_rows_that_are_kept(catalog, settings):  # COM-16
    settings.HISTORY_ROWS_KEPT = 5
    query = catalog.catalog_query
    for number in range(CHANGES):
        asked = {"content_filter": large_filter(f"{number}.", 10_000), "catalog_query_uuid": str(query.uuid)}
        change(operator(), catalog, **asked)
    assert CatalogQuery.objects.count() == 1
    # The first is another person's.
    assert QUERIES.count() == settings.HISTORY_ROWS_KEPT + 1
    assert history_bytes() < 1_000_000 + 5 * 10_100


def test_repeated_changes_of_a_catalog_leave_few_rows(catalog, settings):  # COM-16
    for number in range(CHANGES):
        change(operator(), catalog, title=f"Title {number}")
    assert VERSIONS.count() <= settings.HISTORY_ROWS_KEPT + 1


def test_a_change_that_changes_nothing_leaves_no_row(catalog):
    before = VERSIONS.count(), QUERIES.count()
    body = {"title": catalog.title, "content_filter": large_filter("a"), "enabled_course_modes": ["verified"]}
    for _ in range(3):
        change(operator(), catalog, **body)
    assert (VERSIONS.count(), QUERIES.count()) == before


def test_moving_catalogs_leaves_as_few_rows(settings):
    """The query of many catalogs is replaced by one that has its new filter, again and again (QRY-3)."""
    settings.HISTORY_ROWS_KEPT = 3
    moved = [make_catalog("edX+A")]
    moved += [make_catalog(query=moved[0].catalog_query) for _ in range(4)]
    for number in range(8):
        other = {"content_filter": {"key": [f"other {number}"]}}
        values = complete_values(moved[0].enterprise_uuid, uuid=uuid4(), **other)
        save_catalog(catalog=None, values=values, grants=OPERATOR)
        uuid = EnterpriseCatalog.objects.get(pk=moved[0].pk).catalog_query.uuid
        change(admin(), moved[0], **other, catalog_query_uuid=str(uuid))
    counted = VERSIONS.values("uuid").annotate(rows=Count("history_id"))
    assert {row["rows"] for row in counted.filter(uuid__in=[catalog.pk for catalog in moved])} <= {3, 4}
    assert len({EnterpriseCatalog.objects.get(pk=catalog.pk).catalog_query_id for catalog in moved}) == 1


def test_old_versions_are_read_with_their_filters(settings):
    """Also when the row that held a filter for others went."""
    settings.HISTORY_ROWS_KEPT = 4
    first, second = {"key": ["a"]}, {"key": ["b"]}
    saved = save_catalog(catalog=None, values=complete_values(content_filter=first), grants=OPERATOR)
    query = saved.catalog.catalog_query
    for number, content_filter in enumerate([first, second, first, first, second, first]):
        asked = {"content_filter": content_filter, "catalog_query_uuid": str(query.uuid)}
        change(operator(), saved.catalog, **asked, query_title=f"Title {number}")
    kept = list(QUERIES.filter(id=query.pk))
    assert sum(row.content_filter is not None for row in kept) == 2
    hold_filters(kept)
    shown = [(row.title, row.content_filter) for row in kept]
    expected = [("Title 5", first), ("Title 4", second), ("Title 3", first), ("Title 2", first)]
    assert shown[:4] == expected
    assert all(row.content_filter in (first, second) for row in kept)


def test_many_changes_do_not_hide_another(catalog, settings):
    """Of what is older, the last row of each person and day stays."""
    settings.HISTORY_ROWS_KEPT = 5
    change(client_for("mallory", "enterprise_openedx_operator:*"), catalog, title="Mine")
    for number in range(10):
        change(operator(), catalog, title=f"Title {number}")
    assert "mallory" in VERSIONS.values_list("history_user__username", flat=True)
    assert VERSIONS.get(history_user__username="mallory").title == "Mine"


def test_one_row_of_each_day_stays(settings):
    settings.HISTORY_ROWS_KEPT = 2
    catalog = make_catalog()
    start = timezone.now().replace(hour=1)
    row = VERSIONS.get()
    for number in range(12):
        row.pk, row.title, row.history_date = None, f"Title {number}", start - timedelta(hours=8 * number)
        row.save()
    thin(EnterpriseCatalog, [catalog.pk])
    kept = list(VERSIONS.order_by("-history_date", "-history_id").values_list("history_date", flat=True))
    assert len({moment.date() for moment in kept[2:]}) == len(kept[2:])
    assert all(later >= earlier for later, earlier in pairwise(kept))
    assert {moment.date() for moment in kept} == {(start - timedelta(hours=8 * number)).date() for number in range(12)}


def test_the_history_of_a_deleted_row_is_kept_for_a_year(catalog, settings):
    """Catalogs that are made and deleted again and again leave nothing for ever."""
    other = make_catalog("edX+A")
    assert operator().delete(path_of(catalog)).status_code == 204
    CatalogQuery.objects.filter(pk=catalog.catalog_query_id).delete()
    gone = Q(uuid=catalog.pk)
    prune()
    assert VERSIONS.filter(gone).count() == 2
    age = timedelta(days=settings.HISTORY_OF_DELETED_DAYS, minutes=1)
    for rows in (VERSIONS, QUERIES):
        rows.update(history_date=F("history_date") - age)
    prune()
    assert not VERSIONS.filter(gone).exists()
    assert not QUERIES.filter(id=catalog.catalog_query_id).exists()
    assert VERSIONS.filter(uuid=other.pk).exists()
    assert QUERIES.filter(id=other.catalog_query_id).exists()


def test_making_a_catalog_writes_its_filter_twice(settings):
    """The query, and the first row of its history."""
    body = {
        "title": "New",
        "enterprise_customer": str(uuid4()),
        "enterprise_customer_name": "Acme",
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": False,
        "content_filter": large_filter("a"),
    }
    for _ in range(3):
        assert operator().post(CATALOGS, body).status_code == 201
    assert history_bytes() < 1_000_100
    assert CatalogQuery.objects.count() == 1
