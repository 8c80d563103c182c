"""
Catalog health, the admin's home: is everything fresh, what waits, what is broken and why, in one page. It reads rows by
a fixed number of statements, however many queries there are, and asks nobody else (P6).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils.html import format_html
from django.utils.safestring import SafeString

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.charts import Bar, bar_chart, legend
from enterprise_catalog.apps.console.display import link, list_url, object_link, table
from enterprise_catalog.apps.console.wording import late_reason, moment, plural, short_query_name
from enterprise_catalog.apps.core.db import database_now
from enterprise_catalog.apps.refresh import budget
from enterprise_catalog.apps.refresh.figures import Hour, LastDay, last_day, last_tick, longest_wait, open_runs
from enterprise_catalog.apps.refresh.freshness import Overview, late_queries, older_than, overview
from enterprise_catalog.apps.refresh.models import RefreshRun

_ROWS = 10
_LATE_ROWS = 20
# Between these ages, in hours, one bar of the picture; 24 is the promise.
_AGES = (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24)
# Beat and a worker show life every TICK_SECONDS; so many of them without any and somebody should look.
_TICKS_MISSED = 6
_ENDS = ("published", "held", "failed")
_CHANGES = ("added", "removed")


@dataclass(frozen=True)
class Verdict:
    """One line at the top: how it stands, and whether it is as it should be."""

    good: bool
    text: str | SafeString


def health_context() -> dict[str, Any]:
    """What the template `console/home.html` shows."""
    found, day, open_now = overview(), last_day(), open_runs()
    return {
        "as_of": moment(database_now()),
        "verdicts": [_freshness(found), _life(), _held(found), _failures(day), _requests()],
        "ages": _ages(found),
        "late": _late(found),
        "open": _open(open_now),
        "held": _held_runs() if open_now["held"] else None,
        "failing": _failing(day),
        "ends": _chart(day.hours, _ENDS, "Refreshes that ended, by hour (UTC)", lambda hour: hour.states),
        "changes": _chart(day.hours, _CHANGES, "Content that joined and left, by hour (UTC)", _changes_of),
        "largest": _queries(CatalogQuery.objects.order_by("-member_count", "pk")[:_ROWS], Counter()),
        "most_changed": _queries(CatalogQuery.objects.filter(pk__in=_most(day.changed)), day.changed),
    }


# The lines at the top


def _freshness(found: Overview) -> Verdict:
    if not found.in_use:
        return Verdict(good=True, text="No catalog query is in use yet.")
    if found.late:
        late = plural(found.late, "query", "queries")
        return Verdict(good=False, text=f"{late} of {found.in_use} in use late: not published for 24 hours.")
    return Verdict(good=True, text=f"All queries in use are fresh ({found.in_use}).")


def _life() -> Verdict:
    ago, wait = last_tick(), longest_wait()
    if ago is None:
        return Verdict(good=False, text="Beat and workers never showed life. Do they run?")
    if ago > _TICKS_MISSED * timedelta(seconds=settings.TICK_SECONDS):
        return Verdict(good=False, text=f"Beat and workers show no life for {_spoken(ago)}. Do both run?")
    if wait > timedelta(minutes=10):
        return Verdict(good=False, text=f"A refresh has waited {_spoken(wait)} for a worker. Are there enough?")
    return Verdict(good=True, text=f"Beat and workers are alive, {_spoken(ago)} ago.")


def _held(found: Overview) -> Verdict:
    if not found.held:
        return Verdict(good=True, text="No result is held.")
    runs = link(list_url(RefreshRun, state__exact="held"), plural(found.held, "result is", "results are"))
    return Verdict(good=False, text=format_html("{} held for a decision.", runs))


def _failures(day: LastDay) -> Verdict:
    if not day.failing:
        return Verdict(good=True, text="The last refresh of every query went well.")
    return Verdict(good=False, text=f"The last refresh of {plural(len(day.failing), 'query', 'queries')} failed.")


def _requests() -> Verdict:
    spent, limit = budget.spent(), settings.DISCOVERY_REQUESTS_PER_HOUR
    asked = f"{plural(spent, 'request')} to discovery in the last hour"
    if not limit:
        return Verdict(good=True, text="Requests to discovery are not limited.")
    return Verdict(good=budget.has_room(), text=f"{asked}, of {limit}.")


# Below


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
    rows = [(_query_link(row.query), row.catalogs, moment(row.late_since), late_reason(row.last_run)) for row in late]
    more = f"The {_LATE_ROWS} latest of {found.late}." if found.late > _LATE_ROWS else ""
    return table(["query", "catalogs", "late since", "why"], rows, note=more)


def _open(counts: dict[str, int]) -> SafeString:
    rows = [(link(list_url(RefreshRun, state__exact=state), state), count) for state, count in counts.items()]
    return table(["state", "runs"], rows)


def _held_runs() -> SafeString:
    runs = _runs().filter(state=RefreshRun.State.HELD).order_by("held_since")[:_ROWS]
    return _run_table(runs, "held since", "held_since")


def _failing(day: LastDay) -> SafeString | None:
    if not day.failing:
        return None
    runs = _runs().filter(pk__in=day.failing[:_ROWS]).order_by("-finished_at")
    reasons = ", ".join(f"{count} {code}" for code, count in day.failed.most_common())
    everything = link(list_url(RefreshRun, state__exact="failed"), "All failed runs")
    note = format_html("{}; of the last 24 hours: {}.", everything, reasons)
    return _run_table(runs, "failed at", "finished_at", note=note)


def _runs() -> Any:
    return RefreshRun.objects.select_related("catalog_query").defer("held_keys", "catalog_query__content_filter")


def _run_table(runs: Iterable[RefreshRun], heading: str, column: str, *, note: str = "") -> SafeString:
    rows = [
        (
            object_link(run, moment(getattr(run, column))),
            _query_link(run.catalog_query) if run.catalog_query else run.catalog_query_uuid,
            f"{run.reason_code}: {run.reason_detail}",
        )
        for run in runs
    ]
    return table([heading, "query", "why"], rows, note=note)


def _queries(queries: Iterable[CatalogQuery], changed: Counter[int]) -> SafeString:
    """The most changed first, where any did."""
    rows = sorted(queries, key=lambda query: -changed[query.pk])
    users = EnterpriseCatalog.objects.filter(catalog_query__in=[query.pk for query in rows]).order_by()
    catalogs = dict(users.values_list("catalog_query").annotate(Count("pk")))
    cells = [
        (_query_link(query), catalogs.get(query.pk, 0), query.member_count, *([changed[query.pk]] if changed else []))
        for query in rows
    ]
    return table(
        ["query", "catalogs", "items", *(["joined or left"] if changed else [])], cells, note="" if cells else "None."
    )


def _most(changed: Counter[int]) -> list[int]:
    return [query for query, _ in changed.most_common(_ROWS)]


def _query_link(query: CatalogQuery) -> SafeString:
    return object_link(query, short_query_name(query))


def _chart(hours: Sequence[Hour], series: Sequence[str], title: str, values: Any) -> SafeString:
    bars = [Bar(f"{hour.begins_at:%H}", [values(hour)[name] for name in series]) for hour in hours]
    return format_html("{}{}", bar_chart(bars, series=series, title=title, every=3), legend(series))


def _changes_of(hour: Hour) -> dict[str, int]:
    return {"added": hour.added, "removed": hour.removed}


def _spoken(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    if seconds < 120:
        return plural(seconds, "second")
    return plural(seconds // 60, "minute") if seconds < 7200 else plural(seconds // 3600, "hour")
