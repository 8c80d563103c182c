"""Saving and deleting queries, apart from any catalog."""

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.reports.consistency import violations
from enterprise_catalog.apps.services.catalog_queries import delete_query, save_query
from enterprise_catalog.apps.services.errors import Conflict, Gone, InvalidValues, NotAllowed
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.callers import ACME, ACME_ADMIN, COURSES, GLOBEX, OPERATOR
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db


def test_a_known_filter_is_not_a_new_query():
    known = CatalogQueryFactory.create(content_filter=COURSES)
    with pytest.raises(InvalidValues) as refusal:
        save_query(query=None, content_filter=COURSES, title="Courses", grants=OPERATOR)
    assert str(known.uuid) in refusal.value.errors["content_filter"][0]
    assert CatalogQuery.objects.get().title is None


def test_a_query_shared_with_another_customer_is_not_edited():  # QRY-7
    query = EnterpriseCatalogFactory.create(enterprise_uuid=ACME).catalog_query
    EnterpriseCatalogFactory.create(enterprise_uuid=GLOBEX, catalog_query=query)
    with pytest.raises(NotAllowed):
        save_query(query=query, content_filter=COURSES, title=None, grants=ACME_ADMIN)


def test_an_edited_query_that_nobody_uses_is_not_refreshed():  # CRUD-9
    saved = save_query(query=CatalogQueryFactory.create(), content_filter=COURSES, title=None, grants=OPERATOR)
    assert saved.refresh_run is None
    assert saved.query.content_filter == COURSES


def test_a_query_that_went_away_is_gone():
    query = CatalogQueryFactory.create()
    CatalogQuery.objects.all().delete()
    with pytest.raises(Gone):
        save_query(query=query, content_filter=COURSES, title=None, grants=OPERATOR)
    with pytest.raises(Gone):
        delete_query(query=query)


def test_a_query_in_use_is_not_deleted():
    query = EnterpriseCatalogFactory.create().catalog_query
    with pytest.raises(Conflict) as refusal:
        delete_query(query=query)
    assert refusal.value.errors == {"catalogs": ["This catalog query is used by 1 catalog."]}


@pytest.mark.parametrize("state", ["queued", "held"])
def test_what_waits_or_is_held_for_a_deleted_query_ends(state):  # RUN-5
    query = CatalogQueryFactory.create()
    run = request_refresh(query=query, trigger=RefreshRun.Trigger.OPERATOR)
    if state == "held":
        kept = {"held_keys": pack(["edX+DemoX"]), "held_since": database_now(), "finished_at": database_now()}
        RefreshRun.objects.filter(pk=run.pk).update(state="held", queued_for=None, **kept)
    delete_query(query=query)
    run.refresh_from_db()
    assert (run.state, run.reason_code, run.catalog_query_uuid) == ("failed", "superseded", query.uuid)
    assert list(violations()) == []
