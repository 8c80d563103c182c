"""The hourly budget of requests to discovery: never exceeded, and no worker sleeps for it (DISC-16, P3, P10)."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from enterprise_catalog.apps.catalog.models import CatalogQuery, CourseReview
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.discovery.client import DiscoveryRequest
from enterprise_catalog.apps.refresh.models import DiscoveryBudget, KeptAnswer, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.queue.claims import claim_runs, postpone
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.refresh.rate_limit import fetch_session, request_budget
from enterprise_catalog.apps.refresh.rate_limit.fetch_session import BudgetedSession
from enterprise_catalog.apps.refresh.rate_limit.request_budget import DUE, FIRST, OPERATORS, PREVIEWS, Consumers
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due
from enterprise_catalog.testing.runs import claimed, let_budget_age, make_query, members, requested

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}
# The schedule has no askers.
SCHEDULE = Consumers(background=DUE)
ACME, GLOBEX = "acme", "globex"


@pytest.fixture(autouse=True)
def undivided(settings):
    """Make the whole budget one part, except in tests of shares."""
    settings.DISCOVERY_DUE_SHARE = settings.DISCOVERY_ASKED_SHARE = 0


@pytest.fixture
def shared(settings):
    """100 requests: 50 for what is due, of the others 10 are kept for people, and everybody may have 5."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    settings.DISCOVERY_DUE_SHARE, settings.DISCOVERY_ASKED_SHARE, settings.DISCOVERY_FIRST_SHARE = 0.5, 0.1, 0.1


def asked_by(*askers: str, background: str | None = None) -> Consumers:
    return Consumers(frozenset(askers), background)


def all_that(consumers: Consumers) -> int:
    """Count single requests until one is refused; return how many were counted."""
    number = 0
    while request_budget.count_requests(1, consumers):
        number += 1
    return number


@pytest.fixture
def sandbox(sandbox, settings):
    """12 courses on 6 pages and an empty one, and 12 calls for their full records."""
    settings.DISCOVERY_PAGE_SIZE = 2
    settings.DISCOVERY_KEYS_PER_CALL = 1
    return sandbox


class Clock:
    """The database's clock and this machine's, as the budget reads them."""

    def __init__(self, monkeypatch) -> None:
        self.minutes = 0
        now, monotonic = database_now(), time.monotonic()
        for module in (request_budget, fetch_session):
            monkeypatch.setattr(module, "database_now", lambda: now + timedelta(minutes=self.minutes))
        monkeypatch.setattr(time, "monotonic", lambda: monotonic + 60 * self.minutes)


def asked(sandbox) -> int:
    return sum(len(sandbox.calls(endpoint)) for endpoint in ("search", "courses", "programs"))


def an_hour_later() -> None:
    """Make all requests an hour older, and end all pauses."""
    let_budget_age(61)
    RefreshRun.objects.update(not_before=None)


def minutes_later(minutes: int) -> None:
    age = timedelta(minutes=minutes)
    let_budget_age(minutes)
    RefreshRun.objects.update(not_before=F("not_before") - age)
    KeptAnswer.objects.update(answered_at=F("answered_at") - age)


def published_after_hours(run: RefreshRun, *, at_most: int) -> int:
    for hours in range(at_most):
        refresh_next()
        run.refresh_from_db()
        if run.state == RefreshRun.State.PUBLISHED:
            return hours
        an_hour_later()
    raise AssertionError(f"{run.state} after {at_most} hours")


def test_no_more_requests_are_counted_than_the_budget_has(settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 10
    assert request_budget.count_requests(7, SCHEDULE) is not None
    assert request_budget.count_requests(4, SCHEDULE) is None
    assert request_budget.count_requests(3, SCHEDULE) is not None
    assert (request_budget.requests_last_hour(), request_budget.last_hour().background_may_begin(DUE)) == (10, False)


def test_returned_requests_can_be_counted_again(settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 10
    counted = request_budget.count_requests(10, asked_by(background=DUE))
    request_budget.return_unused(replace(counted, requests=4))
    assert request_budget.last_hour().used_by_kind()["due"] == request_budget.requests_last_hour() == 6


def test_a_request_counts_for_a_whole_hour(settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 10
    now = int(database_now().timestamp() // 60)
    DiscoveryBudget.objects.create(pk=1, spent={str(now - 60): 3, str(now - 61): 5})
    assert request_budget.requests_last_hour() == 3


def test_without_a_limit_everything_is_counted_and_nothing_refused(sandbox, settings):
    """The order of runs depends on the counts (RUN-7)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 0
    run = enqueue_run(query=make_query(COURSES), trigger="request", asked_by=ACME)
    refresh_next()
    run.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED
    assert request_budget.last_hour().used_by(ACME) == asked(sandbox) == 19


def test_reserved_requests_that_were_not_made_are_returned(sandbox, settings):
    """The count is the number of requests that discovery got, repeated ones included (DISC-16)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    sandbox.add_fault(endpoint="search", page=2, status=503, times=1)
    requested(make_query(COURSES))
    refresh_next()
    assert request_budget.requests_last_hour() == asked(sandbox) == 20


def test_a_run_without_budget_waits_as_a_row(sandbox, settings):
    """No worker sleeps for it, and no attempt is counted (RUN-2)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    request_budget.count_requests(5, SCHEDULE)
    run = requested(make_query(COURSES))
    assert refresh_next() == []
    run.refresh_from_db()
    assert (run.state, run.attempts, asked(sandbox)) == (RefreshRun.State.QUEUED, 0, 0)


def test_a_run_that_would_exceed_the_budget_stops_and_waits(sandbox, settings):  # RUN-2
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    RefreshRun.objects.update(lost_workers=settings.REFRESH_MAX_LOST_WORKERS - 1)
    refresh_next()
    run.refresh_from_db()
    assert (run.state, run.lost_workers, members(query)) == (RefreshRun.State.QUEUED, 0, [])
    assert run.not_before > database_now() + timedelta(minutes=4)
    assert asked(sandbox) == request_budget.requests_last_hour() == 5


def test_a_fetch_larger_than_the_budget_goes_on_where_it_stopped(sandbox, settings):
    """19 requests at 5 an hour, each of them made once (P3, P10)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    assert published_after_hours(run, at_most=5) == 3
    assert asked(sandbox) == 19
    assert members(query) == sorted(sandbox.dataset.course_keys())
    assert not KeptAnswer.objects.exists()


def test_a_fetch_that_fits_caches_nothing(sandbox, settings):
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    sandbox.add_fault(endpoint="courses", call=3, status=400)
    requested(make_query(COURSES))
    refresh_next()
    assert not KeptAnswer.objects.exists()


def test_an_answer_from_before_a_request_does_not_serve_it(sandbox, settings):
    """A later request is served by later answers of discovery (REFR-1, REFR-3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    run = requested(query)
    refresh_next()
    new = sandbox.dataset.course_keys()[0]
    sandbox.dataset.remove(new)
    assert requested(query).pk == run.pk
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    assert published_after_hours(run, at_most=2) == 1
    assert members(query) == sorted(sandbox.dataset.course_keys())
    assert new not in members(query)


def test_cached_answers_expire(sandbox, settings):
    """A publish must not be made of answers of the day before (P3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    run = requested(make_query(COURSES), trigger=RefreshRun.Trigger.SCHEDULE)
    refresh_next()
    long_ago = database_now() - timedelta(hours=settings.CACHED_ANSWERS_HOURS, minutes=1)
    KeptAnswer.objects.update(answered_at=long_ago)
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    assert published_after_hours(run, at_most=2) == 1
    assert asked(sandbox) == 5 + 19


def test_content_that_changed_while_a_fetch_waited_is_read_again(sandbox, settings):
    """The count of later pages contradicts the cached ones, which are then not used again (P1, DISC-8)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    refresh_next()
    sandbox.dataset.remove(sandbox.dataset.course_keys()[-1])
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    published_after_hours(run, at_most=2)
    assert members(query) == sorted(sandbox.dataset.course_keys())


def test_two_fetches_at_once_do_not_block_each_other(sandbox, settings):
    """A fetch reserves what it needs, so that one of two gets through where both do not fit."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 20
    for number in (1, 2):
        requested(make_query(COURSES | {"languages": ["English"] * number, "partner": "edx"}))
    for _ in range(4):
        refresh_next()
        an_hour_later()
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {RefreshRun.State.PUBLISHED}


def test_runs_that_people_asked_for_come_first_the_newest_of_them_before_others(settings):
    """The newest request comes first; scheduled runs come in their order."""
    queries = [make_query({"content_type": "course", "level_type": str(number)}) for number in range(4)]
    old_schedule, new_schedule = (enqueue_run(query=query, trigger="schedule") for query in queries[:2])
    asked_first, asked_last = (enqueue_run(query=query, trigger="request") for query in queries[2:])
    order = []
    settings.DISCOVERY_INTERNAL_ROOT_URL = "http://127.0.0.1:1"
    settings.SERVICE_ATTEMPTS = 1
    for _ in queries:
        refresh_next()
        order.append(RefreshRun.objects.filter(state=RefreshRun.State.FAILED).latest("started_at").pk)
    assert order == [asked_last.pk, asked_first.pk, old_schedule.pk, new_schedule.pk]


def test_a_scheduled_run_that_somebody_asks_for_comes_first(settings):
    one, other = make_query({"a": "1"}), make_query({"a": "2"})
    enqueue_run(query=one, trigger="schedule")
    joined = enqueue_run(query=other, trigger="schedule")
    enqueue_run(query=other, trigger="request")
    settings.DISCOVERY_INTERNAL_ROOT_URL = "http://127.0.0.1:1"
    settings.SERVICE_ATTEMPTS = 1
    refresh_next()
    joined.refresh_from_db()
    assert joined.state == RefreshRun.State.FAILED


def test_a_discovery_that_refuses_for_a_day_fails_the_run(sandbox):
    """Repeated pauses that discovery asks for have a limit (P10)."""
    sandbox.add_fault(endpoint="search", status=429, retry_after=1800)
    run = requested(make_query(COURSES))
    RefreshRun.objects.update(requested_at=database_now() - timedelta(hours=25))
    refresh_next()
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "discovery_throttled")


def test_a_malformed_cached_answer_fails_one_run_only(sandbox, settings):
    """The next run requests everything again (P1, P3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    sandbox.add_fault(endpoint="search", page=3, times=1, merge={"results": "none"})
    failed = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    refresh_next()
    failed.refresh_from_db()
    assert (failed.state, failed.reason_code) == (RefreshRun.State.FAILED, "discovery_malformed")
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    assert published_after_hours(run, at_most=1) == 0


def test_a_repeated_walk_uses_no_cached_answer(sandbox, settings):
    """Answers of two times are not published together, and do not fail the run (P1, DISC-8)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    query = make_query(COURSES)
    run = requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    refresh_next()
    sandbox.dataset.remove(sandbox.dataset.course_keys()[0])
    an_hour_later()
    settings.DISCOVERY_REQUESTS_PER_HOUR = 4
    refresh_next()  # finds that the count moved, and gets to page 3 of the second reading
    an_hour_later()
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    assert published_after_hours(run, at_most=1) == 0
    assert members(query) == sorted(sandbox.dataset.course_keys())


def test_an_answer_of_a_fetch_that_began_before_a_request_does_not_serve_it(settings):
    """It does not matter when the answer came or was cached (REFR-3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 5
    request_budget.count_requests(5, SCHEDULE)
    query = make_query(COURSES)
    session = BudgetedSession(claimed(query).equivalence_key, SCHEDULE)
    request = DiscoveryRequest("/api/v2/search/all/", {}, COURSES)
    later = requested(query)
    session.cache(request, {"count": 0})
    session.announce(5)
    RefreshRun.objects.exclude(pk=later.pk).delete()
    assert KeptAnswer.objects.exists()
    (claim,) = claim_runs(later.pk)
    assert BudgetedSession(claim.equivalence_key, SCHEDULE, asked_at=[claim.asked_at]).get_cached(request) is None


def test_no_count_is_lost_when_the_minute_ends_while_waiting_for_the_row(settings, monkeypatch):
    """Another worker has already counted requests under the next minute (DISC-16)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 10
    clock = Clock(monkeypatch)
    real = request_budget._locked_row

    def others_come_first():
        monkeypatch.setattr(request_budget, "_locked_row", real)
        clock.minutes += 1
        request_budget.count_requests(8, SCHEDULE)
        return real()

    monkeypatch.setattr(request_budget, "_locked_row", others_come_first)
    assert request_budget.count_requests(8, SCHEDULE) is None
    assert request_budget.requests_last_hour() == 8


def test_a_reserved_request_counts_from_when_it_is_made(settings, monkeypatch):
    """Requests that a long fetch makes late count for an hour from then (DISC-16)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 100
    clock = Clock(monkeypatch)
    session = BudgetedSession(make_query(COURSES).equivalence_key, SCHEDULE)
    session.announce(9)
    session.before_request()
    clock.minutes += 20
    for _ in range(8):
        session.before_request()
    session.close(complete=True)
    clock.minutes += 50
    assert request_budget.requests_last_hour() == 8


def test_fetches_that_get_a_few_requests_at_a_time_end_one_after_the_other(sandbox, settings, monkeypatch):
    """Requests that become free minute by minute go to one fetch, or all cached answers would expire (P3)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 60
    settings.CACHED_ANSWERS_HOURS = 1
    now = int(database_now().timestamp() // 60)
    DiscoveryBudget.objects.create(pk=1, spent={str(now - minute): 1 for minute in range(60)})
    for number in range(6):
        query = make_query(COURSES | {"partner": ["edx", str(number)]})
        requested(query, trigger=RefreshRun.Trigger.SCHEDULE)
    for _ in range(130):
        minutes_later(1)
        refresh_next()
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {RefreshRun.State.PUBLISHED}


def test_a_fetch_that_needs_more_than_the_budget_fails_after_some_attempts(sandbox, settings):
    """Its reason is the budget, and other fetches can go on (P3, P10)."""
    settings.DISCOVERY_REQUESTS_PER_HOUR = 1
    settings.REFRESH_MAX_ATTEMPTS = 3
    run = requested(make_query(COURSES))
    for _ in range(3):
        refresh_next()
        an_hour_later()
    run.refresh_from_db()
    assert (run.state, run.reason_code) == (RefreshRun.State.FAILED, "discovery_throttled")


def test_a_review_job_larger_than_the_budget_goes_on_where_it_stopped(sandbox, settings, monkeypatch):
    """It must not request the first pages again and again (P3)."""
    monkeypatch.setattr("enterprise_catalog.sandbox.endpoints.REVIEWS_PER_PAGE", 2)
    settings.DISCOVERY_REQUESTS_PER_HOUR = 2
    for _ in range(10):
        refresh_reviews_if_due()
        an_hour_later()
        Sweep.objects.filter(due_at__lt=database_now() + timedelta(hours=1)).update(due_at=database_now())
    pages = -(-len(sandbox.dataset.reviews()) // 2)
    assert len(sandbox.calls("course_review")) == pages > settings.DISCOVERY_REQUESTS_PER_HOUR
    assert CourseReview.objects.count() == len(sandbox.dataset.reviews())


# --- Shares (RUN-7) ---------------------------------------------------------------------------------------------------


def test_people_never_touch_what_is_reserved_for_due_runs(shared):  # RUN-7, REFR-2
    taken = [all_that(asked_by(f"customer {number}")) for number in range(20)]
    assert sum(taken) == 50
    assert all_that(SCHEDULE) == 50


def test_nobody_gets_more_of_the_peoples_part_than_is_still_free(shared):
    """The next person always finds some requests free (RUN-7)."""
    assert [all_that(asked_by(name)) for name in (ACME, GLOBEX, OPERATORS, PREVIEWS)] == [25, 12, 6, 5]
    # Two are left free, and a customer who used none may have them.
    assert [all_that(asked_by(name)) for name in (ACME, "new", "newer")] == [0, 2, 0]


def test_due_runs_may_use_all_but_what_is_kept_for_people(shared):
    assert all_that(SCHEDULE) == 90
    assert all_that(asked_by(ACME)) == 5
    assert (all_that(SCHEDULE), all_that(asked_by(GLOBEX))) == (0, 5)


def test_what_people_used_is_not_kept_for_them_twice(shared):
    for number in range(20):
        all_that(asked_by(f"customer {number}"))
    assert request_budget.last_hour().left_in_background(DUE) == 50


def test_a_first_publish_may_use_half_of_the_reserve_beside(shared):
    """The asker's part is used first, and half of the reserve stays for due runs."""
    assert all_that(asked_by(ACME, background=FIRST)) == 25 + 25
    assert request_budget.last_hour().used_by_kind() == {
        "customers": 25, "operators": 0, "previews": 0, "due": 0, "first": 25, "reviews": 0,
    }  # fmt: skip
    assert all_that(asked_by(GLOBEX, background=FIRST)) == 12
    assert request_budget.last_hour().left_in_background(DUE) >= 25


def test_requests_count_for_the_asker_who_used_least(shared):
    all_that(asked_by(ACME))
    assert request_budget.count_requests(6, asked_by(ACME, GLOBEX)).consumer == GLOBEX


def test_a_reservation_may_move_to_another_consumer(shared):
    held = request_budget.count_requests(20, asked_by(ACME, background=DUE))
    assert held.consumer == ACME
    moved = request_budget.count_requests(30, asked_by(ACME, background=DUE), instead_of=held)
    assert (moved.consumer, request_budget.requests_last_hour(), request_budget.last_hour().used_by(ACME)) == (
        DUE,
        30,
        0,
    )


def test_a_larger_reservation_that_does_not_fit_keeps_the_old_one(shared):
    held = request_budget.count_requests(20, asked_by(ACME))
    assert request_budget.count_requests(30, asked_by(ACME), instead_of=held) is None
    assert request_budget.last_hour().used_by(ACME) == 20


def test_requests_of_an_older_version_count_for_no_consumer(shared):
    """The older version writes the sum only (P10)."""
    request_budget.count_requests(10, asked_by(ACME))
    row = DiscoveryBudget.objects.get()
    DiscoveryBudget.objects.update(spent={minute: requests + 30 for minute, requests in row.spent.items()})
    hour = request_budget.last_hour()
    assert (hour.total, hour.used_by_people, hour.used_by(ACME)) == (40, 10, 10)
    DiscoveryBudget.objects.update(spent_by=None)
    assert (request_budget.last_hour().total, request_budget.last_hour().used_by_people) == (40, 0)


def test_an_hour_later_everything_is_free_again(shared):
    assert all_that(asked_by(ACME)) == 25
    let_budget_age(61)
    assert all_that(asked_by(ACME)) == 25


def test_reviews_count_as_a_consumer_of_their_own_outside_the_peoples_part(sandbox, shared):
    refresh_reviews_if_due()
    assert (
        request_budget.last_hour().used_by_kind()["reviews"]
        == request_budget.requests_last_hour()
        == len(sandbox.calls("course_review"))
        > 0
    )
    assert request_budget.last_hour().used_by_people == 0


def test_a_customer_who_joins_a_paused_run_need_not_wait_for_its_pause(sandbox, settings, shared):
    """A customer without budget does not delay others who share the query (RUN-7)."""
    settings.DISCOVERY_KEYS_PER_CALL = 50
    query = make_query(COURSES)
    query.refreshed_at = database_now()
    query.save()
    all_that(asked_by(ACME))
    let_budget_age(30)
    run = enqueue_run(query=query, trigger="request", asked_by=ACME)
    assert refresh_next() == []
    claims = claim_runs(run.pk)
    postpone(claims[0], seconds=300, why="no budget", for_budget=True)
    enqueue_run(query=query, trigger="request", asked_by=ACME)
    assert startable_runs(limit=1) == []
    enqueue_run(query=query, trigger="request", asked_by=GLOBEX)
    refresh_next()
    run.refresh_from_db()
    assert (run.state, run.asked_by) == (RefreshRun.State.PUBLISHED, [ACME, GLOBEX])
    assert request_budget.last_hour().used_by(GLOBEX) == asked(sandbox)


def test_joining_does_not_shorten_a_pause_that_discovery_asked_for(shared):  # RUN-2
    query = make_query(COURSES)
    claim = claimed(query)
    postpone(claim, seconds=300, why="Retry-After")
    run = enqueue_run(query=query, trigger="request", asked_by=GLOBEX)
    assert run.not_before > database_now()


def test_the_number_of_askers_of_a_run_is_limited(settings):
    settings.ASKERS_PER_RUN = 2
    query = make_query(COURSES)
    for asker in (ACME, GLOBEX, ACME, OPERATORS):
        run = enqueue_run(query=query, trigger="request", asked_by=asker)
    assert run.asked_by == [GLOBEX, OPERATORS]


def test_the_asker_who_used_least_comes_first_also_without_a_limit(settings):  # RUN-7
    settings.DISCOVERY_REQUESTS_PER_HOUR = 0
    one, other, shared = (make_query({"a": str(number)}) for number in range(3))
    request_budget.count_requests(2, asked_by(ACME))
    request_budget.count_requests(1, asked_by(GLOBEX))
    of_globex = enqueue_run(query=one, trigger="request", asked_by=GLOBEX)
    of_both = enqueue_run(query=shared, trigger="request", asked_by="new")
    enqueue_run(query=shared, trigger="request", asked_by=ACME)
    of_acme = enqueue_run(query=other, trigger="request", asked_by=ACME)
    assert startable_runs(limit=9) == [of_both.pk, of_globex.pk, of_acme.pk]


def test_what_never_published_comes_after_what_is_due_again(shared):
    """Any number of new catalogs does not make other queries late (RUN-7)."""
    new, old = make_query({"a": "1"}), make_query({"a": "2"})
    CatalogQuery.objects.filter(pk=old.pk).update(refreshed_at=database_now() - timedelta(hours=21))
    runs = [enqueue_run(query=query, trigger="schedule") for query in (new, old)]
    assert startable_runs(limit=9) == [runs[1].pk, runs[0].pk]


def test_a_run_that_is_due_by_now_goes_on_when_its_askers_have_nothing_left(shared):
    """A request never makes a query late, not even the asker's own (REFR-2)."""
    query = make_query(COURSES)
    all_that(asked_by(ACME))
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=database_now() - timedelta(hours=1))
    run = enqueue_run(query=query, trigger="request", asked_by=ACME)
    assert startable_runs(limit=9) == []
    CatalogQuery.objects.filter(pk=query.pk).update(refreshed_at=database_now() - timedelta(hours=21))
    assert startable_runs(limit=9) == [run.pk]
