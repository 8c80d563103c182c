"""
Do a worker's work with the answers of a hostile peer, in a process of its own, so that its memory can be measured.

    python -m tests.security.hostile_worker URL WORK PART WAY...

The work is done once with good answers, then once for each way in which this part of the peer answers, and then with
good answers again. Each prints a JSON object: the outcome, whether readers see what they saw at first, and by how many
megabytes the peak of the process exceeds that of the first time.
"""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psutil

from benchmarks.memory import peak_mb

CUSTOMER = UUID("6f1d7a52-3c0b-4d52-9d0e-6f2f1c6b7a01")


def main() -> None:
    url, work, part, *ways = sys.argv[1:]
    django.setup()
    from django.conf import settings

    # Whoever does not answer is asked again at once.
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    do = {"refresh": refresh, "reviews": sweep_reviews, "customer": copy_customer}[work]
    point_settings_at(f"{url}/good/nothing")
    do()
    at_first = what_readers_see()
    process = psutil.Process()
    rests_at = process.memory_info().rss / 2**20
    for root in (*(f"{url}/{way}/{part}" for way in ways), f"{url}/good/nothing"):
        point_settings_at(root)
        # The kernel's word for: begin a new peak from here.
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        outcome = do()
        grown = round(peak_mb(process.pid) - rests_at)
        print(json.dumps(outcome | {"grown_mb": grown, "unchanged": what_readers_see() == at_first}), flush=True)


def point_settings_at(root: str) -> None:
    from django.conf import settings

    settings.DISCOVERY_INTERNAL_ROOT_URL = settings.LMS_INTERNAL_ROOT_URL = settings.OAUTH2_PROVIDER_URL = root


def refresh() -> dict[str, Any]:
    from enterprise_catalog.apps.catalog.models import CatalogQuery
    from enterprise_catalog.apps.refresh.pipeline import runner
    from enterprise_catalog.apps.refresh.queue.enqueue import enqueue_run
    from enterprise_catalog.testing.factories import CatalogQueryFactory

    query = CatalogQuery.objects.first() or CatalogQueryFactory.create(content_filter={"content_type": "course"})
    run = enqueue_run(query=query, trigger="request")
    runner.refresh(run.pk)
    run.refresh_from_db()
    return {"state": run.state, "code": run.reason_code, "detail": run.reason_detail}


def sweep_reviews() -> dict[str, Any]:
    from enterprise_catalog.apps.refresh.models import Sweep
    from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due

    Sweep.objects.all().delete()
    return {"state": "published" if refresh_reviews_if_due() else "failed"}


def copy_customer() -> dict[str, Any]:
    from enterprise_catalog.apps.customers.models import EnterpriseCustomer
    from enterprise_catalog.apps.customers.sync import ensure_customer, sync_customer

    ensure_customer(CUSTOMER)
    EnterpriseCustomer.objects.update(attempted_at=None, fetched_at=None)
    sync_customer(CUSTOMER)
    copied = EnterpriseCustomer.objects.exclude(fetched_at=None).exists()
    return {"state": "published" if copied else "failed"}


def what_readers_see() -> Any:
    from enterprise_catalog.apps.catalog.models import CatalogContentKey, ContentDocuments, CourseReview
    from enterprise_catalog.apps.customers.models import EnterpriseCustomer

    return (
        sorted(CatalogContentKey.objects.values_list("content_id", flat=True)),
        sorted(ContentDocuments.objects.values_list("pk", "rendered")),
        sorted(CourseReview.objects.values_list("pk", "reviews_count")),
        sorted(EnterpriseCustomer.objects.values_list("name", "slug", "active")),
    )


if __name__ == "__main__":
    main()
