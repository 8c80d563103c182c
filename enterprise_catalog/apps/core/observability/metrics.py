"""
Count requests, calls to other services and refreshes for Prometheus.

Metrics of what is in the database are read there when Prometheus asks (`console.monitoring.metrics_endpoint`). A host's
processes of one kind count in shared files (`core.observability.metrics_multiprocess`), and any of them reports the
sums, so counts survive the process. Labels come from the code, never from callers. A failure to count is logged and
does not fail the work.
"""

import os
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec

import structlog

from enterprise_catalog.apps.core.db import query_timing
from enterprise_catalog.apps.core.observability import metrics_multiprocess

metrics_multiprocess.prepare_directory()

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Summary, generate_latest  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

log = structlog.get_logger(__name__)

P = ParamSpec("P")

# Seconds. The SLA is about one; answers of a whole catalog take longer.
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CALL_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45)
_REFRESH_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1800)

_requests = Counter("enterprise_catalog_requests", "Requests answered.", ["endpoint", "method", "status"])
_request_seconds = Histogram(
    "enterprise_catalog_request_seconds",
    "Time to an answer, of a streamed one to its first byte.",
    ["endpoint"],
    buckets=_REQUEST_BUCKETS,
)
_request_sql_seconds = Summary(
    "enterprise_catalog_request_sql_seconds", "Of it, waiting for the database.", ["endpoint"]
)
_request_sql_statements = Summary("enterprise_catalog_request_sql_statements", "Statements of a request.", ["endpoint"])
_service_call_seconds = Histogram(
    "enterprise_catalog_service_call_seconds",
    "One attempt at a call to another service, by outcome.",
    ["service", "outcome"],
    buckets=_CALL_BUCKETS,
)
_refreshes_ended = Counter("enterprise_catalog_refreshes_ended", "Refresh runs that ended.", ["state", "reason"])
_refresh_seconds = Histogram(
    "enterprise_catalog_refresh_seconds", "One fetch with all that it published.", buckets=_REFRESH_BUCKETS
)
_lost_workers = Counter("enterprise_catalog_lost_workers", "Refresh runs whose lease expired under a worker.")
_sign_ins = Counter("enterprise_catalog_sign_ins", "Attempts to sign in to the admin by password.", ["outcome"])
_lost_nudges = Counter("enterprise_catalog_lost_nudges", "Messages that the broker did not take.")

# Callers may send any other method, and each would be a label.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The error after which this process no longer counts.
_out_of_order: str | None = None


def _harmless(count: Callable[P, None]) -> Callable[P, None]:
    """Log an error once and stop counting in this process: its files stay broken until it is restarted."""

    @wraps(count)
    def counted(*args: P.args, **kwargs: P.kwargs) -> None:
        global _out_of_order
        if _out_of_order is not None:
            return
        try:
            count(*args, **kwargs)
        except Exception as error:
            _out_of_order = repr(error)
            log.exception("metrics_out_of_order")

    return counted


@_harmless
def count_request(*, endpoint: str, method: str | None, status: int, seconds: float) -> None:
    """Count a request. `endpoint` is the name of a route."""
    _requests_metric(endpoint, method if method in _METHODS else "other", status).inc()
    request_seconds, sql_seconds, sql_statements = _endpoint_metrics(endpoint)
    request_seconds.observe(seconds)
    sql_seconds.observe(query_timing.spent.seconds)
    sql_statements.observe(query_timing.spent.statements)


# Finding a metric by its labels takes longer than counting it, which each request does.


@cache
def _requests_metric(endpoint: str, method: str, status: int) -> Counter:
    return _requests.labels(endpoint, method, status)


@cache
def _endpoint_metrics(endpoint: str) -> tuple[Histogram, Summary, Summary]:
    return (
        _request_seconds.labels(endpoint),
        _request_sql_seconds.labels(endpoint),
        _request_sql_statements.labels(endpoint),
    )


@_harmless
def count_call(*, service: str, outcome: str, seconds: float) -> None:
    _service_call_seconds.labels(service, outcome).observe(seconds)


@_harmless
def count_ended(*, state: str, reason: str, runs: int) -> None:
    _refreshes_ended.labels(state, reason).inc(runs)


@_harmless
def count_refresh(*, seconds: float) -> None:
    _refresh_seconds.observe(seconds)


@_harmless
def count_lost_worker() -> None:
    _lost_workers.inc()


@_harmless
def count_sign_in(*, outcome: str) -> None:
    """Count `signed_in`, `failed`, `locked` (the failure that locks) or `refused` (while the lock lasts)."""
    _sign_ins.labels(outcome).inc()


@_harmless
def count_lost_nudge() -> None:
    _lost_nudges.inc()


def process_metrics() -> bytes:
    """
    Return the metrics as Prometheus reads them.

    They are sums over this host's processes of one kind, or those of this process if it has no shared directory.
    """
    directory = os.environ.get(metrics_multiprocess.DIRECTORY, "")
    if not os.path.isdir(directory):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, directory)
    return generate_latest(registry)


def _begin_in_child() -> None:
    """Let a forked child count into files of its own."""
    global _out_of_order
    if metrics_multiprocess.DIRECTORY in os.environ:
        _out_of_order = None if metrics_multiprocess.has_capacity() else "no disk space for its files"


os.register_at_fork(after_in_child=_begin_in_child)
