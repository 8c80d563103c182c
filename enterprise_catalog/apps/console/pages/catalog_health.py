"""
Build the admin's home page: what is late, waits, is held or fails, in one snapshot.

The number of statements does not depend on the number of queries, and no other service is called (P6).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.html import format_html
from django.utils.safestring import SafeString

from enterprise_catalog.apps.catalog.freshness import queries_in_use
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.display.catalog_labels import CatalogLabels
from enterprise_catalog.apps.console.display.charts import Bar, bar_chart
from enterprise_catalog.apps.console.display.html import link, list_url, object_link, table
from enterprise_catalog.apps.console.display.sentences import late_reason, plural, short_query_name, utc_minute
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.rate_limit.request_budget import HourlyUsage
from enterprise_catalog.apps.refresh.reports import statistics
from enterprise_catalog.apps.refresh.reports.late_queries import Overview, freshness_overview, late_queries, older_than
from enterprise_catalog.apps.refresh.reports.statistics import HourlyRuns

_ROWS = 10
_LATE_ROWS = 20
# Borders between the bars of the chart of ages, in hours; 24 are promised.
_AGES = (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24)
# A worker shows life every TICK_SECONDS. After so many without any, somebody should look.
_TICKS_MISSED = 6
_ENDS = ("published", "held", "failed")
_CHANGES = ("added", "removed")
_OTHERS = {
    request_budget.OPERATORS: "operators",
    request_budget.PREVIEWS: "previews of filters",
    request_budget.DUE: "what is due",
    request_budget.FIRST: "first publishes, beyond the part of who asked",
    request_budget.REVIEWS: "course reviews",
}


@dataclass(frozen=True)
class Verdict:
    """One line at the top of the page, and whether it is good news."""

    good: bool
    text: str | SafeString


def health_context() -> dict[str, Any]:
    """Return the context of the template `console/home.html`."""
    with snapshot():
        hour = request_budget.last_hour()
        found, failing = freshness_overview(), statistics.failing_queries()
        failing_count, hours = failing.count(), statistics.ended_by_hour()
        return {
            "as_of": f"{database_now():%Y-%m-%d %H:%M:%S} UTC",
            "verdicts": [_freshness(found), _life(), _held(found), _failures(failing_count), _requests(hour)],
            "ages": _ages(found),
            "late": _late(found),
            "under_way": _under_way(),
            "requests": _requests_by_consumer(hour),
            "held": _held_runs() if found.held else None,
            "failing": _failing(failing) if failing_count else None,
            "ends": _chart(hours, _ENDS, "Refreshes that ended, by hour (UTC)", lambda hour: hour.states),
            "changes": _chart(hours, _CHANGES, "Content that joined and left, by hour (UTC)", vars),
            "largest": _queries(queries_in_use().order_by("-member_count", "pk")[:_ROWS], Counter()),
            "most_changed": _most_changed(),
        }


# Lines at the top


def _freshness(found: Overview) -> Verdict:
    if not found.in_use:
        return Verdict(good=True, text="No catalog query is in use yet.")
    if found.late:
        late, hours = plural(found.late, "query", "queries"), settings.FRESHNESS_HOURS
        return Verdict(good=False, text=f"{late} of {found.in_use} in use late: not published for {hours} hours.")
    return Verdict(good=True, text=f"All queries in use are fresh ({found.in_use}).")


def _life() -> Verdict:
    silence, wait = statistics.worker_silence(), statistics.longest_wait()
    if silence is None:
        return Verdict(good=False, text="Beat and workers never showed life. Do they run?")
    if silence > _TICKS_MISSED * timedelta(seconds=settings.TICK_SECONDS):
        return Verdict(good=False, text=f"Beat and workers show no life for {_spoken(silence)}. Do both run?")
    if wait > timedelta(minutes=10):
        return Verdict(good=False, text=f"A refresh has waited {_spoken(wait)} for a worker. Are there enough?")
    return Verdict(good=True, text=f"Work goes on; the last sign of life is {_spoken(silence)} old.")


def _held(found: Overview) -> Verdict:
    if not found.held:
        return Verdict(good=True, text="No result is held.")
    runs = link(list_url(RefreshRun, state__exact="held"), plural(found.held, "result is", "results are"))
    return Verdict(good=False, text=format_html("{} held for a decision.", runs))


def _failures(count: int) -> Verdict:
    if not count:
        return Verdict(good=True, text="The last refresh of every query in use went well, as far as one was tried.")
    return Verdict(good=False, text=f"The last refresh of {plural(count, 'query', 'queries')} failed.")


def _requests(hour: HourlyUsage) -> Verdict:
    limit = settings.DISCOVERY_REQUESTS_PER_HOUR
    asked = f"{plural(hour.total, 'request')} to discovery in the last hour"
    if not limit:
        return Verdict(good=True, text=f"{asked}, of any number.")
    return Verdict(good=hour.background_may_begin(request_budget.DUE), text=f"{asked}, of {limit}.")


# Charts and tables


def _ages(found: Overview) -> SafeString:
    older = {0: found.in_use, **older_than(*_AGES[1:])}
    bars = [Bar(str(begin), (older[begin] - older[end], 0)) for begin, end in pairwise(_AGES)]
    bars.append(Bar("24+", (0, older[_AGES[-1]])))
    title = "Queries in use by full hours since their last publish"
    return bar_chart(bars, series=("fresh", "late"), title=title)


def _late(found: Overview) -> SafeString | None:
    if not found.late:
        return None
    late = late_queries(limit=_LATE_ROWS)
    users = CatalogLabels([row.query.pk for row in late])
    rows = [
        (_query_link(row.query), users.of(row.query.pk), utc_minute(row.late_since), late_reason(row.last_run))
        for row in late
    ]
    more = f"The {_LATE_ROWS} latest of {found.late}." if found.late > _LATE_ROWS else ""
    return table(["query", "catalogs", "late since", "why"], rows, note=more)


def _under_way() -> SafeString:
    """Show running runs, then those that wait for longest, each with the reason."""
    counts = statistics.count_open_runs()
    running = _runs().filter(state=RefreshRun.State.RUNNING).order_by("started_at")[:_ROWS]
    queued = _runs().filter(state=RefreshRun.State.QUEUED).order_by("requested_at")[:_ROWS]
    runs = [*running, *queued]
    users = CatalogLabels([run.catalog_query_id for run in runs])
    rows = [
        (_run_link(run, run.requested_at), _query_of(run), users.of(run.catalog_query_id), late_reason(run))
        for run in runs
    ]
    numbers = [link(list_url(RefreshRun, state__exact=state), f"{counts[state]} {state}") for state in counts]
    note = format_html("All: {}, {}, {}.", *numbers)
    return table(["requested", "query", "catalogs", ""], rows, note=note)


def _requests_by_consumer(hour: HourlyUsage) -> SafeString:
    """Show who spent the requests of the last hour, and how many each may still make now (RUN-7)."""
    limit, reserve = settings.DISCOVERY_REQUESTS_PER_HOUR, request_budget.reserved_part()
    people = Counter({consumer: hour.used_by(consumer) for consumer in hour.by_consumer if consumer not in _OTHERS})
    customers = EnterpriseCustomer.objects.in_bulk([UUID(consumer) for consumer, _ in people.most_common(_ROWS)])
    rows: list[tuple[Any, int, Any]] = [
        (customers.get(UUID(consumer), consumer), had, hour.left_for(consumer))
        for consumer, had in people.most_common(_ROWS)
    ]
    if len(people) > _ROWS:
        rows.append((plural(len(people) - _ROWS, "more customer"), people.total() - sum(had for _, had, _ in rows), ""))
    rows += [
        (_OTHERS[consumer], hour.used_by(consumer), hour.left_for(consumer))
        for consumer in (request_budget.OPERATORS, request_budget.PREVIEWS)
    ]
    rows += [
        (_OTHERS[consumer], hour.used_by(consumer), hour.left_in_background(consumer))
        for consumer in request_budget.BACKGROUND
    ]
    if not limit:
        return table(["for", "requests"], [row[:2] for row in rows])
    note = (
        f"{reserve} of {limit} are reserved for what is due. Of the other {request_budget.people_part()} nobody has "
        f"more than is still free of them; {request_budget.kept_part()} are kept for people whatever is due."
    )
    return table(["for", "requests", "may make now"], rows, note=note)


def _held_runs() -> SafeString:
    held = _runs().filter(state=RefreshRun.State.HELD, catalog_query__in=queries_in_use().values("pk"))
    return _run_table(held.order_by("held_since")[:_ROWS], "held since", "held_since")


def _failing(queries: Any) -> SafeString:
    uuids = list(queries.order_by(F("last_try").desc()).values_list("last_run", flat=True)[:_ROWS])
    reasons = ", ".join(f"{count} {code}" for code, count in statistics.failures_by_reason().most_common())
    everything = link(list_url(RefreshRun, state__exact="failed"), "All failed runs")
    note = format_html("{}; of the last 24 hours: {}.", everything, reasons or "none")
    return _run_table(_runs().filter(pk__in=uuids).order_by("-finished_at"), "failed at", "finished_at", note=note)


def _runs() -> Any:
    return RefreshRun.objects.select_related("catalog_query").defer("held_keys", "catalog_query__content_filter")


def _run_table(runs: Iterable[RefreshRun], heading: str, column: str, *, note: str = "") -> SafeString:
    shown = list(runs)
    users = CatalogLabels([run.catalog_query_id for run in shown])
    rows = [
        (
            _run_link(run, getattr(run, column)),
            _query_of(run),
            users.of(run.catalog_query_id),
            f"{run.reason_code}: {run.reason_detail}",
        )
        for run in shown
    ]
    return table([heading, "query", "catalogs", "why"], rows, note=note)


def _run_link(run: RefreshRun, when: Any) -> SafeString:
    return object_link(run, utc_minute(when))


def _query_of(run: RefreshRun) -> Any:
    return _query_link(run.catalog_query) if run.catalog_query else run.catalog_query_uuid


def _most_changed() -> SafeString:
    changed = statistics.most_changed(limit=_ROWS)
    return _queries(CatalogQuery.objects.filter(pk__in=list(changed)), changed)


def _queries(queries: Any, changed: Counter[int]) -> SafeString:
    """Show queries with their catalogs, the most changed first."""
    rows = sorted(queries.defer("content_filter"), key=lambda query: -changed[query.pk])
    users = CatalogLabels([query.pk for query in rows])
    cells = [
        (_query_link(query), users.of(query.pk), query.member_count, *([changed[query.pk]] if changed else []))
        for query in rows
    ]
    headings = ["query", "catalogs", "members", *(["joined or left"] if changed else [])]
    return table(headings, cells, note="" if cells else "None.")


def _query_link(query: CatalogQuery) -> SafeString:
    return object_link(query, short_query_name(query))


def _chart(hours: Sequence[HourlyRuns], series: Sequence[str], title: str, values: Any) -> SafeString:
    bars = [Bar(f"{hour.begins_at:%H}", [values(hour)[name] for name in series]) for hour in hours]
    return bar_chart(bars, series=series, title=title, every=3, legend=True)


def _spoken(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    if seconds < 120:
        return plural(seconds, "second")
    return plural(seconds // 60, "minute") if seconds < 7200 else plural(seconds // 3600, "hour")
