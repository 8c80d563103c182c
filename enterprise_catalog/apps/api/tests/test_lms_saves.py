"""The calls that the LMS makes when a catalog or a query is saved there (SYNC-1 to SYNC-5)."""

from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, operator
from enterprise_catalog.testing.catalogs import CATALOGS

pytestmark = pytest.mark.django_db

QUERY = {"catalog_query_uuid": str(uuid4()), "query_title": "All courses", "content_filter": {"content_type": "course"}}
NO_QUERY = {"catalog_query_uuid": None, "query_title": None, "include_exec_ed_2u_courses": False}


def values(**changes):
    """Everything that the LMS sends except the uuid."""
    return {
        "title": "All Content",
        "enterprise_customer": str(CUSTOMER_UUID),
        "enterprise_customer_name": "Acme, Inc.",
        "enabled_course_modes": ["verified"],
        "publish_audit_enrollment_urls": "false",
        **QUERY,
        **changes,
    }


def save(uuid, sent, *, seen=True):
    """Save as the client does: read, then create or replace, then request a refresh. Not `seen`: the read failed."""
    path = f"{CATALOGS}{uuid}/"
    client = operator()
    if seen and client.get(path).status_code == 200:
        written = client.put(path, sent)
    else:
        written = client.post(CATALOGS, {"uuid": str(uuid), **sent})
    return written, client.post(f"{path}refresh_metadata/")


def test_a_catalog_is_created_then_replaced():  # SYNC-1, CLI-1
    uuid = uuid4()
    created, refreshed = save(uuid, values())
    replaced, refreshed_again = save(uuid, values(title="New", publish_audit_enrollment_urls=True))
    assert [created.status_code, replaced.status_code] == [201, 200]
    assert (replaced.json()["title"], EnterpriseCatalog.objects.get().publish_audit_enrollment_urls) == ("New", True)
    run = RefreshRun.objects.get()
    assert refreshed.json() == refreshed_again.json() == {"async_task_id": str(run.pk)}


def test_a_failed_read_before_a_save_does_no_harm():  # SYNC-1, SYNC-5, CRUD-5
    uuid = uuid4()
    created, _ = save(uuid, values())
    again, refreshed = save(uuid, values(), seen=False)
    assert (again.status_code, again.json(), refreshed.status_code) == (200, created.json(), 200)


def test_a_conflict_is_repaired_by_the_next_save():  # SYNC-1, SYNC-5
    uuid = uuid4()
    save(uuid, values())
    conflict, refreshed = save(uuid, values(title="New"), seen=False)
    assert (conflict.status_code, refreshed.status_code) == (409, 200)
    repaired, _ = save(uuid, values(title="New"))
    assert (repaired.status_code, repaired.json()["title"]) == (200, "New")


def test_a_catalog_with_a_filter_of_its_own():  # SYNC-2
    first, _ = save(uuid4(), values(**NO_QUERY))
    second, _ = save(uuid4(), values(**NO_QUERY))
    assert first.json()["catalog_query_uuid"] == second.json()["catalog_query_uuid"]
    assert first.json()["query_title"] is None


def test_a_catalog_of_a_linked_query():  # SYNC-2
    created, _ = save(uuid4(), values(include_exec_ed_2u_courses=True))
    assert {name: created.json()[name] for name in ("catalog_query_uuid", "query_title")} == {
        "catalog_query_uuid": QUERY["catalog_query_uuid"],
        "query_title": "All courses",
    }


def test_a_query_is_saved_with_all_its_catalogs():  # SYNC-3
    uuids = [uuid4() for _ in range(4)]
    for uuid in uuids:
        save(uuid, values())
    RefreshRun.objects.update(state="published", queued_for=None)
    programs = values(content_filter={"content_type": "program"})
    refreshes = [save(uuid, programs)[1].json() for uuid in uuids]
    assert CatalogQuery.objects.get().content_filter == {"content_type": "program"}
    waiting = RefreshRun.objects.get(state="queued")
    assert refreshes == [{"async_task_id": str(waiting.pk)}] * 4


def test_a_catalog_is_deleted_twice():  # SYNC-4, CLI-2
    uuid = uuid4()
    save(uuid, values())
    assert [operator().delete(f"{CATALOGS}{uuid}/").status_code for _ in range(2)] == [204, 404]


def test_clients_that_know_no_queries():  # SYNC-5
    sent = {name: value for name, value in values().items() if name not in ("catalog_query_uuid", "query_title")}
    uuid = uuid4()
    created, _ = save(uuid, sent)
    replaced, _ = save(uuid, sent)
    assert (created.status_code, replaced.status_code) == (201, 200)
    assert created.json() == replaced.json()
