"""Callers save at the same time, on a database that allows it (QRY-9, CRUD-5, P8)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalogs import save_catalog
from enterprise_catalog.testing.callers import (
    ACME,
    ACME_ADMIN,
    COURSES,
    GLOBEX,
    GLOBEX_ADMIN,
    OPERATOR,
    PROGRAMS,
    complete_values,
)
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]

CALLERS = 8


def at_once(*saves):
    """Run them side by side, each on a connection of its own; returns what each returned."""
    start = Barrier(len(saves))

    def run(save):
        try:
            start.wait()
            return save()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(saves)) as threads:
        return list(threads.map(run, saves))


def creating(grants=OPERATOR, **values):
    values = complete_values(**values)
    return lambda: save_catalog(catalog=None, values=values, grants=grants)


def test_creators_with_one_filter_share_one_query_and_one_run():  # QRY-9, P4
    saved = at_once(*[creating(enterprise_uuid=uuid4()) for _ in range(CALLERS)])
    assert {result.catalog.catalog_query_id for result in saved} == {CatalogQuery.objects.get().pk}
    assert {result.refresh_run for result in saved} == {RefreshRun.objects.get()}
    assert EnterpriseCatalog.objects.count() == CALLERS


def test_one_catalog_created_many_times_exists_once():  # CRUD-5
    uuid = uuid4()
    saved = at_once(*[creating(uuid=uuid) for _ in range(CALLERS)])
    assert sorted(result.created for result in saved) == [False] * (CALLERS - 1) + [True]
    assert EnterpriseCatalog.objects.get().pk == uuid


def test_one_name_for_two_filters_goes_to_one_query():
    name = uuid4()
    at_once(
        *[creating(query_uuid=name, content_filter={"partner": str(number)}) for number in range(CALLERS)],
    )
    assert EnterpriseCatalog.objects.count() == CALLERS
    # Operators edit: who comes later rewrites the query, and all its catalogs follow.
    assert CatalogQuery.objects.get().uuid == name


def test_a_query_is_not_rewritten_under_who_attaches_to_it():
    """Whoever comes first, the admin who rewrites a query or another customer: both get what they asked for."""
    for _ in range(5):
        query = CatalogQueryFactory.create(content_filter=COURSES)
        acme = EnterpriseCatalogFactory.create(enterprise_uuid=ACME, catalog_query=query)
        wants_programs = complete_values(query_uuid=query.uuid, content_filter=PROGRAMS)
        at_once(
            lambda catalog=acme, values=wants_programs: save_catalog(catalog=catalog, values=values, grants=ACME_ADMIN),
            creating(GLOBEX_ADMIN, enterprise_uuid=GLOBEX, query_uuid=query.uuid),
        )
        globex = EnterpriseCatalog.objects.get(enterprise_uuid=GLOBEX)
        acme.refresh_from_db()
        assert acme.catalog_query.content_filter == PROGRAMS
        assert globex.catalog_query.content_filter == COURSES
        EnterpriseCatalog.objects.all().delete()
        CatalogQuery.objects.all().delete()


def test_catalogs_that_change_places_both_arrive():
    """Locks are taken in one order, and a lost deadlock is repeated."""
    one, other = EnterpriseCatalogFactory.create_batch(2, enterprise_uuid=ACME)
    filters = [catalog.catalog_query.content_filter for catalog in (one, other)]

    def moving(catalog, content_filter):
        values = complete_values(content_filter=content_filter)
        return lambda: save_catalog(catalog=catalog, values=values, grants=ACME_ADMIN)

    at_once(moving(one, filters[1]), moving(other, filters[0]))
    one.refresh_from_db()
    other.refresh_from_db()
    assert [one.catalog_query.content_filter, other.catalog_query.content_filter] == filters[::-1]
