"""
Do a worker's work in a process of its own, to measure its memory and time: `python -m benchmarks.working WHAT`.

It uses the service's environment, and prints one line of JSON with the measurements.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction

from benchmarks.memory import peak_mb
from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.http_client.client import ServiceClient
from enterprise_catalog.apps.customers.sync import sync_customer
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh, refresh_next
from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
from enterprise_catalog.apps.refresh.queue.priority import startable_runs
from enterprise_catalog.apps.services.catalogs import CatalogValues, save_catalog


@dataclass
class Measured:
    """Seconds of wall time, of which `discovery` were spent waiting for its answers."""

    seconds: float = 0
    discovery: float = 0
    processor: float = 0
    statements: int = 0
    states: dict[str, int] = field(default_factory=dict)
    peak_mb: float = 0

    @property
    def own(self) -> float:
        return self.seconds - self.discovery


@contextmanager
def measuring() -> Iterator[Measured]:
    measured = Measured()

    def count(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        measured.statements += 1
        return execute(sql, parameters, many, context)

    attempt = ServiceClient._attempt

    def timed(*arguments: Any, **options: Any) -> bytearray:
        started = time.perf_counter()
        try:
            return attempt(*arguments, **options)
        finally:
            measured.discovery += time.perf_counter() - started

    ServiceClient._attempt = timed  # type: ignore[method-assign]
    started, processor = time.perf_counter(), time.process_time()
    try:
        with connection.execute_wrapper(count):
            yield measured
    finally:
        ServiceClient._attempt = attempt  # type: ignore[method-assign]
        measured.seconds = time.perf_counter() - started
        measured.processor = time.process_time() - processor
        measured.peak_mb = peak_mb(os.getpid())


def provision(plan: dict[str, Any]) -> None:
    """Create customers and catalogs, so that each query waits for its first refresh."""
    filters = {query["title"]: query["content_filter"] for query in plan["queries"]}
    for catalog in plan["catalogs"]:
        values = CatalogValues(
            uuid=UUID(catalog["uuid"]),
            title=f"Catalog {catalog['query']}",
            enterprise_uuid=UUID(catalog["customer"]),
            enterprise_name=f"Customer {catalog['customer'][:8]}",
            enabled_course_modes=["verified", "audit"],
            publish_audit_enrollment_urls=False,
            content_filter=filters[catalog["query"]],
            query_title=catalog["query"],
        )
        save_catalog(catalog=None, values=values, grants=Grants(is_superuser=True))
    for customer in {catalog["customer"] for catalog in plan["catalogs"]}:
        sync_customer(UUID(customer))


def refresh_query(title: str, *, forced: bool) -> list[UUID]:
    """Refresh a query. `forced` fetches all full records again."""
    query = CatalogQuery.objects.get(title=title)
    with transaction.atomic():
        run = enqueue_run(query=query, trigger=RefreshRun.Trigger.SCHEDULE, forced=forced)
    refresh(run.uuid)
    return [run.uuid]


def round_of_all() -> list[UUID]:
    """Do all queued runs, one after the other."""
    waiting = list(RefreshRun.objects.filter(state=RefreshRun.State.QUEUED).values_list("pk", flat=True))
    while startable_runs(limit=1):
        refresh_next()
    return waiting


def due_round() -> list[UUID]:
    """Do the round of the next day, when every query in use is due and every full record is old."""
    for query in CatalogQuery.objects.filter(catalogs__isnull=False).distinct():
        with transaction.atomic():
            enqueue_run(query=query, trigger=RefreshRun.Trigger.SCHEDULE)
    return round_of_all()


def main(what: str, *words: str) -> None:
    with measuring() as measured:
        runs: list[UUID] = []
        if what == "provision":
            provision(json.loads(Path(words[0]).read_text()))
        elif what == "refresh":
            runs = refresh_query(words[0], forced="forced" in words)
        elif what == "waiting":
            runs = round_of_all()
        elif what == "due":
            runs = due_round()
        else:
            raise SystemExit(f"{what} is no work")
    for state in RefreshRun.objects.filter(pk__in=runs).values_list("state", flat=True):
        measured.states[state] = measured.states.get(state, 0) + 1
    print(json.dumps(asdict(measured) | {"own": measured.own}))


if __name__ == "__main__":
    main(*sys.argv[1:])
