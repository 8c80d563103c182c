"""
Serve `/metrics` for Prometheus: what processes counted, and what is counted from rows now (ADD-7).

It shows numbers only, and no name, key or customer. The web port requires METRICS_TOKEN; without a token, metrics are
only on METRICS_PORT (`core.observability.metrics_server`).
"""

import hmac
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from enterprise_catalog.apps.core.observability.health import log_database_unavailable, method_not_allowed
from enterprise_catalog.apps.core.observability.metrics import process_metrics
from enterprise_catalog.apps.refresh.rate_limit import request_budget
from enterprise_catalog.apps.refresh.reports import statistics
from enterprise_catalog.apps.refresh.reports.late_queries import freshness_overview, older_than

# Hours since the last publish; 24 are promised (P3).
_AGES = (1, 4, 8, 12, 16, 20, 22, 24, 48)

_reading = Lock()
# Reading usually takes some hundredths of a second.
_PATIENCE_SECONDS = 2


@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """Serve metrics on the web port, to callers with METRICS_TOKEN."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _has_token(request):
        return HttpResponse("Unauthorized.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(request)
    return HttpResponse(all_metrics(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def all_metrics() -> bytes:
    """Return all metrics in Prometheus's text format. Without the database, only those that processes counted."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseMetrics())
    return process_metrics() + generate_latest(registry)


def all_metrics_outside_of_requests() -> bytes:
    """Return all metrics from a thread whose database connections Django does not close."""
    close_old_connections()
    try:
        return all_metrics()
    finally:
        close_old_connections()


class DatabaseMetrics(Collector):
    """Gauges from the database. Every process reports the same values, so Prometheus must not add them up."""

    def collect(self) -> Iterator[Metric]:
        found: list[Metric] = []
        # A database that hangs must not hold one more thread of this process for every scrape.
        if _reading.acquire(timeout=_PATIENCE_SECONDS):
            try:
                found = list(self._gauges())
            except Error as error:
                log_database_unavailable(error)
            finally:
                _reading.release()
        yield _gauge("database_up", "Whether the figures of the database could be read.", float(bool(found)))
        yield from found

    def _gauges(self) -> Iterator[Metric]:
        found = freshness_overview()
        yield _gauge("queries_in_use", "Catalog queries that catalogs use.", found.in_use)
        yield _gauge("queries_late", f"Of them, not published for {settings.FRESHNESS_HOURS} hours (P3).", found.late)
        yield _gauge("queries_held", "Of them, those of which a result is held.", found.held)
        yield _gauges("queries_older_than", "Of them, published longer ago.", "hours", older_than(*_AGES))
        if found.oldest_published_at:
            oldest = found.oldest_published_at.timestamp()
            yield _gauge("oldest_publish_timestamp_seconds", "The longest ago of their last publishes.", oldest)
        runs = statistics.count_open_runs()
        yield _gauges("refresh_runs", "Refresh runs that have not ended.", "state", runs)
        wait = statistics.longest_wait().total_seconds()
        yield _gauge("refresh_wait_seconds", "How long a refresh that could begin has waited for a worker.", wait)
        if (silence := statistics.worker_silence()) is not None:
            yield _gauge("worker_silence_seconds", "How long no worker has shown life.", silence.total_seconds())
        hour = request_budget.last_hour()
        yield _gauge("discovery_requests_spent", "Requests to discovery in the last hour.", hour.total)
        limit = settings.DISCOVERY_REQUESTS_PER_HOUR
        yield _gauge("discovery_requests_limit", "How many an hour may have; 0 for any number.", limit)
        yield _gauge(
            "discovery_requests_reserved", "Of them, those for queries that are due.", request_budget.reserved_part()
        )
        yield _gauges("discovery_requests_by", "Requests by whom they were for.", "kind", hour.used_by_kind())
        yield _gauge("quarantined_keys", "Documents that the last day's runs set aside.", statistics.quarantined_keys())


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"enterprise_catalog_{name}", documentation, value=value)


def _gauges(name: str, documentation: str, label: str, values: Mapping[Any, float]) -> Metric:
    """Return a gauge with one value for each key, which becomes the label's value."""
    gauges = GaugeMetricFamily(f"enterprise_catalog_{name}", documentation, labels=[label])
    for key, value in values.items():
        gauges.add_metric([str(key)], value)
    return gauges


def _has_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected)
