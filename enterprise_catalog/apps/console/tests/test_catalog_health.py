"""Catalog health, the admin's home: what it shows, and how many statements it takes (P3, P9, P10)."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import DiscoveryBudget, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.queue.claims import fail
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import Consumers
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.testing.admin_clients import page, signed_in
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import claimed, requested

pytestmark = pytest.mark.django_db


@pytest.fixture
def query():
    """In use, fresh."""
    return published(title="Advanced courses", hours_ago=0)


def published(*, hours_ago, **fields):
    moment = database_now() - timedelta(hours=hours_ago)
    query = EnterpriseCatalogFactory.create().catalog_query
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=moment, **fields)
    query.refresh_from_db()
    return query


def home(client: Client) -> str:
    return client.get("/admin/").content.decode()


def verdicts(client: Client) -> dict[str, bool]:
    """What the lines at the top say, and whether it is good."""
    return {str(verdict.text): verdict.good for verdict in client.get("/admin/").context["health"]["verdicts"]}


def ended(run, state, **fields):
    row = RefreshRun.objects.filter(pk=run.pk)
    row.update(state=state, queued_for=None, finished_at=database_now(), **fields)


def test_all_is_well(admin, query):
    tick()
    lines = verdicts(admin)
    assert all(lines.values())
    assert "All queries in use are fresh (1)." in lines


def test_nothing_yet_is_not_called_fresh(admin):
    assert verdicts(admin)["No catalog query is in use yet."]


def test_a_late_query_is_named_with_why(admin, query):  # P3
    late = published(hours_ago=25, title="Forgotten")
    shown = home(admin)
    assert not verdicts(admin)["1 query of 2 in use late: not published for 24 hours."]
    assert page(CatalogQuery, "change", late.pk) in shown
    assert "does beat run?" in shown
    assert page(CatalogQuery, "change", query.pk) not in shown.partition("Largest queries")[0]


def test_of_many_late_ones_the_latest_are_shown(admin):
    for number in range(22):
        published(hours_ago=25 + number)
    assert "The 20 latest of 22." in home(admin)


def test_ages_are_drawn_and_read_out(admin, query):
    published(hours_ago=25)
    published(hours_ago=5)
    shown = home(admin)
    assert (
        'aria-label="Queries in use by full hours since their last publish. 0: 1 fresh. 4: 1 fresh. 24+: 1 late."'
        in shown
    )


def test_who_does_no_work_is_missed(admin, query):  # P5
    assert not verdicts(admin)["Beat and workers never showed life. Do they run?"]
    tick()
    Sweep.objects.update(due_at=database_now() - timedelta(minutes=10))
    assert not verdicts(admin)["Beat and workers show no life for 10 minutes. Do both run?"]


def test_a_refresh_that_no_worker_takes_is_missed(admin, query):
    tick()
    run = requested(query)
    RefreshRun.objects.filter(pk=run.pk).update(requested_at=database_now() - timedelta(minutes=30))
    assert not verdicts(admin)["A refresh has waited 30 minutes for a worker. Are there enough?"]


def test_a_held_result_leads_to_its_decision(admin, query):
    run = requested(query)
    ended(
        run,
        RefreshRun.State.HELD,
        held_since=database_now(),
        reason_code="guard_shrink",
        reason_detail="11 of 12 would go.",
    )
    shown = home(admin)
    assert page(RefreshRun, "change", run.pk) in shown
    assert "guard_shrink: 11 of 12 would go." in shown
    assert any("held for a decision" in line and not good for line, good in verdicts(admin).items())


def test_a_failure_is_shown_with_its_reason_until_it_is_over(admin, query):  # P10
    fail(claimed(query), code="discovery_unavailable", detail="search v2: status 503")
    assert not verdicts(admin)["The last refresh of 1 query failed."]
    assert "discovery_unavailable: search v2: status 503" in home(admin)
    ended(requested(query), RefreshRun.State.PUBLISHED, counts={"added": 3, "removed": 1, "total": 3})
    assert verdicts(admin)["The last refresh of every query in use went well, as far as one was tried."]


def test_what_ended_and_what_changed_is_drawn(admin, query):
    ended(requested(query), RefreshRun.State.PUBLISHED, counts={"added": 3, "removed": 1, "total": 3})
    shown = home(admin)
    hour = f"{RefreshRun.objects.get().finished_at:%H}"
    assert f"{hour}: 1 published." in shown
    assert f"{hour}: 3 added, 1 removed." in shown


def test_the_largest_and_the_most_changed_are_named(admin, query):
    large = published(hours_ago=1, title="Everything", member_count=5000)
    ended(requested(query), RefreshRun.State.PUBLISHED, counts={"added": 3, "removed": 1, "total": 3})
    shown = home(admin).partition("Largest queries")[2]
    first, changed = shown.split("Most changed queries")
    assert first.index(large.title) < first.index(query.title)
    assert query.title in changed
    assert large.title not in changed


@pytest.mark.parametrize(("spent", "good"), [(0, True), (200, False)])
def test_an_exhausted_budget_is_seen(admin, query, settings, spent, good):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 200
    DiscoveryBudget.objects.create(pk=1, spent={str(int(database_now().timestamp() // 60)): spent})
    assert verdicts(admin)[f"{spent} requests to discovery in the last hour, of 200."] is good


def test_who_uses_the_budget_is_shown(admin, query, settings):  # RUN-7
    settings.DISCOVERY_REQUESTS_PER_HOUR = 200
    settings.DISCOVERY_DUE_SHARE, settings.DISCOVERY_ASKED_SHARE = 0.5, 0.1
    uuids = [str(uuid4()) for _ in range(12)]
    EnterpriseCustomer.objects.create(uuid=uuids[0], name="Acme Industries")
    for number, consumer in enumerate([*uuids, "operators", "previews"]):
        assert request_budget.count_requests(14 if number == 0 else 2, Consumers(frozenset({consumer})))
    assert request_budget.count_requests(30, Consumers(background="due"))
    assert request_budget.count_requests(1, Consumers(background="reviews"))
    shown = home(admin).partition("Requests to discovery in the last hour</h2>")[2].partition("</section>")[0]
    rows = [[re.sub("<.*?>", "", cell) for cell in row.split("</td>")[:-1]] for row in shown.split("<tr>")[2:]]
    assert rows[0] == ["Acme Industries", "14", "23"]
    assert rows[10] == ["2 more customers", "4", ""]
    assert rows[11:] == [
        ["operators", "2", "29"],
        ["previews of filters", "2", "29"],
        ["what is due", "30", "109"],
        ["first publishes, beyond the part of who asked", "0", "50"],
        ["course reviews", "1", "109"],
    ]
    assert "100 of 200 are reserved for what is due" in shown


def test_who_asks_discovery_is_shown_without_a_limit(admin, query, settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 0
    request_budget.count_requests(3, Consumers(frozenset({str(uuid4())})))
    assert verdicts(admin)["3 requests to discovery in the last hour, of any number."]
    assert "may make now" not in home(admin)


def test_what_is_under_way_is_shown_with_why_it_is_not_done(admin, query):
    requested(query)
    claimed(published(hours_ago=1))
    shown = home(admin).partition("Under way")[2].partition("Queries by hours")[0]
    assert "does a worker run?" in shown
    assert "its refresh runs since" in shown
    assert "1 queued" in shown
    assert "1 running" in shown


def test_a_held_result_of_a_query_that_nobody_uses_is_no_matter(admin):
    ended(requested(CatalogQueryFactory.create()), RefreshRun.State.HELD, held_since=database_now())
    assert verdicts(admin)["No result is held."]
    assert "Held for a decision" not in home(admin)


def test_a_catalog_is_named_where_a_query_has_one(admin, query):
    shown = home(admin).partition("Largest queries")[2]
    assert EnterpriseCatalog.objects.get().title in shown
    EnterpriseCatalogFactory.create(catalog_query=query)
    assert f"catalog_query__id__exact={query.pk}" in home(admin).partition("Largest queries")[2]


def test_who_may_see_no_queries_sees_no_health(query):
    shown = home(signed_in("ann", "catalog.view_enterprisecatalog"))
    assert "Advanced courses" not in shown
    assert "console-verdicts" not in shown


def test_it_takes_the_same_statements_however_many_queries_there_are(admin, query, django_assert_max_num_queries):
    def statements():
        with django_assert_max_num_queries(50) as captured:
            home(admin)
        return len(captured)

    fail(claimed(published(hours_ago=30)), code="discovery_unavailable", detail="down")
    few = statements()
    for number in range(20):
        late = published(hours_ago=30 + number)
        fail(claimed(late), code="discovery_unavailable", detail="down")
    assert statements() == few


def test_a_rejected_result_is_not_a_failure(admin, query):
    """Whatever failed before it: discovery answered since, and somebody decided."""
    fail(claimed(query), code="discovery_incomplete", detail="page 2")
    ended(requested(query), RefreshRun.State.FAILED, reason_code="rejected")
    assert verdicts(admin)["The last refresh of every query in use went well, as far as one was tried."]


def test_what_is_broken_is_told_by_its_catalog(admin, query):
    catalog = EnterpriseCatalog.objects.get()
    fail(claimed(query), code="discovery_incomplete", detail="page 2")
    failing = home(admin).partition("Failing")[2].partition("Under way")[0]
    assert f"{catalog.title} (" in failing
    EnterpriseCatalogFactory.create_batch(2, catalog_query=query)
    assert "and 2 others" in home(admin).partition("Failing")[2].partition("Under way")[0]


def test_a_run_that_ended_is_a_sign_of_life(admin, query):
    ended(requested(query), RefreshRun.State.PUBLISHED)
    assert any("Work goes on" in line and good for line, good in verdicts(admin).items())


def test_the_page_of_a_run_says_what_to_do(admin, query):
    fail(claimed(query), code="discovery_incomplete", detail="page 2")
    shown = admin.get(page(RefreshRun, "change", RefreshRun.objects.get().pk)).content.decode()
    assert "refresh again later" in shown
    assert EnterpriseCatalog.objects.get().title in shown
