"""
Figures that processes count as they work: requests, calls to neighbours, refreshes. What stands in the database is
counted there when somebody asks (`console.metrics`).

A host's processes of one kind write into one directory, PROMETHEUS_MULTIPROC_DIR, and whichever of them is asked adds
all up; so a figure survives the process that counted it. Labels are taken from the code, never from what callers send.
"""

import atexit
import os
import shutil
import tempfile

from enterprise_catalog.apps.core import sql_time


def _prepare_directory() -> None:
    """
    prometheus_client looks for it when it is imported, which may be before there are settings. gunicorn.conf.py has
    made one before its workers start.
    """
    if os.environ.get("METRICS_PORT", "0") != "0" and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        directory = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="enterprise-catalog-metrics-")
        atexit.register(_remove, directory, owner=os.getpid())


def _remove(directory: str, *, owner: int) -> None:
    """Not in a forked child, which leaves what its parent's others need."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


_prepare_directory()

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Summary, generate_latest  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402

# Seconds. The SLA is about one; answers of a whole catalog take longer.
_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CALL_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45)
_REFRESH_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1800)

requests = Counter("enterprise_catalog_requests", "Requests answered.", ["endpoint", "method", "status"])
request_seconds = Histogram(
    "enterprise_catalog_request_seconds",
    "Time to an answer, of a streamed one to its first byte.",
    ["endpoint"],
    buckets=_REQUEST_BUCKETS,
)
request_sql_seconds = Summary(
    "enterprise_catalog_request_sql_seconds", "Of it, waiting for the database.", ["endpoint"]
)
request_sql_statements = Summary("enterprise_catalog_request_sql_statements", "Statements of a request.", ["endpoint"])

service_call_seconds = Histogram(
    "enterprise_catalog_service_call_seconds",
    "One attempt at a call to a neighbour, by what came of it.",
    ["service", "outcome"],
    buckets=_CALL_BUCKETS,
)
refreshes_ended = Counter("enterprise_catalog_refreshes_ended", "Refresh runs that ended.", ["state", "reason"])
refresh_seconds = Histogram(
    "enterprise_catalog_refresh_seconds", "One fetch with all that it published.", buckets=_REFRESH_BUCKETS
)
lost_workers = Counter("enterprise_catalog_lost_workers", "Refresh runs whose lease expired under a worker.")
lost_nudges = Counter("enterprise_catalog_lost_nudges", "Messages that the broker did not take.")

# Anybody may send any other.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(*, endpoint: str, method: str | None, status: int, seconds: float) -> None:
    """`endpoint` is the name of a route."""
    requests.labels(endpoint, method if method in _METHODS else "other", status).inc()
    request_seconds.labels(endpoint).observe(seconds)
    request_sql_seconds.labels(endpoint).observe(sql_time.spent.seconds)
    request_sql_statements.labels(endpoint).observe(sql_time.spent.statements)


def counted_by_processes() -> bytes:
    """As Prometheus reads it: the sum over this host's processes of one kind; where they share nothing, this one's."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
