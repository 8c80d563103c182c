"""Read-only pages of the admin: content, runs, changes, customers, reviews; and what long lists cost."""

import socket
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.apps.access.models import EnterpriseCatalogFeatureRole, EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogQuery,
    ContentMetadata,
    CourseReview,
    EnterpriseCatalog,
)
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.admin_clients import listed, page, signed_in, texts
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    ContentMetadataFactory,
    EnterpriseCatalogFactory,
    EnterpriseCustomerFactory,
    publish_members,
)
from enterprise_catalog.testing.runs import store_keys

pytestmark = pytest.mark.django_db

CONFIRMED = {"confirmed": "yes"}
ALL_MODELS = [
    *(EnterpriseCatalog, CatalogQuery, ContentMetadata, CatalogContentChange, CourseReview),
    *(RefreshRun, EnterpriseCustomer, EnterpriseCatalogRoleAssignment, User),
]


@pytest.fixture
def refreshed(sandbox) -> EnterpriseCatalog:
    """A catalog of courses, runs and programs, fetched and published."""
    everything = {"content_type": ["course", "courserun", "program"]}
    catalog = EnterpriseCatalogFactory.create(catalog_query__content_filter=everything)
    EnterpriseCustomerFactory.create(uuid=catalog.enterprise_uuid)
    call_command("refresh_catalogs", "--here", stdout=StringIO())
    return catalog


@pytest.fixture
def held() -> RefreshRun:
    """A run that would leave one of twelve members."""
    query = CatalogQueryFactory.create()
    keys = [f"edX+{number:02d}" for number in range(12)]
    store_keys(keys)
    publish_members(query, *ContentMetadata.objects.all())
    run = request_refresh(query=query, trigger=RefreshRun.Trigger.SCHEDULE)
    RefreshRun.objects.filter(pk=run.pk).update(
        state="held",
        queued_for=None,
        held_keys=pack(keys[:1]),
        held_since=database_now(),
        finished_at=database_now(),
        filter_hash=query.content_filter_hash,
        reason_code="guard_shrink",
    )
    run.refresh_from_db()
    return run


def test_a_content_shows_its_documents_and_who_holds_it(admin, refreshed):
    course = ContentMetadata.objects.filter(content_type="course")[0]
    content = admin.get(page(ContentMetadata, "change", course.pk)).content.decode()
    assert "&quot;aggregation_key&quot;: &quot;course:" in content
    assert page(CatalogQuery, "change", refreshed.catalog_query_id) in content


@pytest.mark.parametrize("content_type", ["course", "courserun", "program"])
def test_contents_of_every_type_have_a_page(admin, refreshed, content_type):
    content = ContentMetadata.objects.filter(content_type=content_type)[0]
    listing = admin.get(page(ContentMetadata, "changelist"), {"q": content.pk})
    link = next(text for text in listing.content.decode().split('"') if "/change/?" in text)
    assert admin.get(link).context["original"] == content


def test_contents_are_found_by_key_prefix_course_and_uuid(admin):
    course = ContentMetadataFactory.create(content_key="edX+DemoX", content_uuid="5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0001")
    run = ContentMetadataFactory.create(
        content_key="course-v1:edX+DemoX+1T", content_type="courserun", parent_content_key="edX+DemoX"
    )
    ContentMetadataFactory.create(content_key="edx+demox")
    assert listed(admin, ContentMetadata, q="edX+DemoX") == {course, run}
    assert listed(admin, ContentMetadata, q="edX+De") == {course}
    assert listed(admin, ContentMetadata, q="5F3C1C1E0A514F0F9A530D5A1B6E0001") == {course}


def test_a_run_shows_what_was_quarantined(admin):  # P7
    run = request_refresh(query=CatalogQueryFactory.create(), trigger=RefreshRun.Trigger.OPERATOR)
    QuarantinedDocument.objects.create(refresh_run=run, content_key="edX+Poison", reason="no id")
    content = admin.get(page(RefreshRun, "change", run.pk)).content.decode()
    assert "edX+Poison" in content
    assert "no id" in content


def test_a_run_survives_its_query(admin):  # RUN-5
    run = request_refresh(query=CatalogQueryFactory.create(), trigger=RefreshRun.Trigger.OPERATOR)
    CatalogQuery.objects.all().delete()
    assert f"{run.catalog_query_uuid} (deleted)" in admin.get(page(RefreshRun, "change", run.pk)).content.decode()


def test_runs_are_found_by_their_uuid_and_their_querys(admin):
    runs = [request_refresh(query=query, trigger="operator") for query in CatalogQueryFactory.create_batch(2)]
    for term in (runs[0].pk.hex, str(runs[0].catalog_query_uuid)):
        assert listed(admin, RefreshRun, q=term) == {runs[0]}
    assert listed(admin, RefreshRun, q="elephant") == set()


def test_a_held_run_says_what_it_would_change_and_offers_the_decision(admin, held):
    content = admin.get(page(RefreshRun, "change", held.pk)).content.decode()
    assert "would leave" in content
    assert page(RefreshRun, "approve", held.pk) in content


def test_a_held_run_is_approved_on_the_record(admin, held):  # RUN-6
    asked = admin.post(page(RefreshRun, "approve", held.pk))
    held.refresh_from_db()
    assert ("would leave" in asked.content.decode(), held.state) == (True, "held")
    response = admin.post(page(RefreshRun, "approve", held.pk), CONFIRMED, follow=True)
    assert texts(response) == ["Approved: the held set is published."]
    held.refresh_from_db()
    assert (held.state, held.catalog_query.member_count) == ("published", 1)
    assert "Approved" in admin.get(page(RefreshRun, "history", held.pk)).content.decode()


def test_a_held_run_is_rejected(admin, held):  # RUN-6
    admin.post(page(RefreshRun, "reject", held.pk))
    held.refresh_from_db()
    assert (held.state, held.reason_code, held.catalog_query.member_count) == ("failed", "rejected", 12)


def test_a_run_is_decided_once(admin, held):
    admin.post(page(RefreshRun, "reject", held.pk), follow=True)
    response = admin.post(page(RefreshRun, "approve", held.pk), follow=True)
    assert texts(response) == ["Only a held run can be approved or rejected."]


def test_who_may_only_look_decides_nothing(held):
    looker = signed_in("lena", "refresh.view_refreshrun")
    assert page(RefreshRun, "approve", held.pk) not in looker.get(page(RefreshRun, "change", held.pk)).content.decode()
    assert looker.post(page(RefreshRun, "approve", held.pk)).status_code == 403
    held.refresh_from_db()
    assert held.state == "held"


def test_who_may_change_runs_decides_but_edits_nothing(held):
    decider = signed_in("dora", "refresh.view_refreshrun", "refresh.change_refreshrun")
    assert decider.post(page(RefreshRun, "change", held.pk), {"state": "published"}).status_code == 403
    assert decider.post(page(RefreshRun, "approve", held.pk), CONFIRMED).status_code == 302


@pytest.mark.parametrize("model", [ContentMetadata, CatalogContentChange, CourseReview, RefreshRun, EnterpriseCustomer])
def test_what_the_service_writes_is_added_by_nobody(admin, model):
    assert admin.get(page(model, "add")).status_code == 403


def test_a_role_is_given_to_a_user(admin):  # ROLE-2
    user = User.objects.create(username="ada")
    role = EnterpriseCatalogFeatureRole.objects.get(name="enterprise_catalog_admin")
    customer = "5F3C1C1E0A514F0F9A530D5A1B6E0001"
    data = {"user": str(user.pk), "role": str(role.pk), "enterprise_id": customer}
    admin.post(page(EnterpriseCatalogRoleAssignment, "add"), data)
    assert EnterpriseCatalogRoleAssignment.objects.get(user=user).enterprise_id.hex == customer.lower()
    assert len(listed(admin, EnterpriseCatalogRoleAssignment, q=customer)) == 1


@pytest.mark.parametrize("model", ALL_MODELS)
def test_every_list_and_page_opens_without_another_service(admin, refreshed, monkeypatch, model):  # P6
    rows = list(model.objects.all()[:1])

    def refuse(*args):
        raise AssertionError("an admin page called another service")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert admin.get(page(model, "changelist")).status_code == 200
    for row in rows:
        assert admin.get(page(model, "change", row.pk)).status_code == 200


def queries_of_list(client, model) -> int:
    client.get(page(model, "changelist"))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(page(model, "changelist")).status_code == 200
    return len(captured)


def make_runs() -> None:
    for query in CatalogQueryFactory.create_batch(5):
        request_refresh(query=query, trigger=RefreshRun.Trigger.OPERATOR)


def make_changes() -> None:
    for catalog in EnterpriseCatalogFactory.create_batch(5):
        CatalogContentChange.objects.create(
            catalog_query=catalog.catalog_query,
            enterprise_catalog=catalog,
            content_key="edX+DemoX",
            content_type="course",
            change="added",
            changed_at=database_now(),
        )


@pytest.mark.parametrize(
    ("model", "make", "expected"),
    [
        (EnterpriseCatalog, lambda: EnterpriseCatalogFactory.create_batch(5), 4),
        (CatalogQuery, lambda: EnterpriseCatalogFactory.create_batch(5), 4),
        (ContentMetadata, lambda: ContentMetadataFactory.create_batch(5), 4),
        (EnterpriseCustomer, lambda: EnterpriseCustomerFactory.create_batch(5), 4),
        (RefreshRun, make_runs, 4),
        (CatalogContentChange, make_changes, 4),
    ],
)
def test_a_list_costs_the_same_for_any_number_of_rows(admin, model, make: Callable[[], object], expected):  # P9
    make()
    few = queries_of_list(admin, model)
    make(), make()
    # Session and user, then the count and the rows.
    assert (few, queries_of_list(admin, model)) == (expected, expected)


def test_a_list_counts_up_to_a_bound(admin, monkeypatch):
    monkeypatch.setattr("enterprise_catalog.apps.console.admin.changelists._COUNTED_ROWS", 3)
    ContentMetadataFactory.create_batch(5)
    assert admin.get(page(ContentMetadata, "changelist")).context["cl"].result_count == 3
