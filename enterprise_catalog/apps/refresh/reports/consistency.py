"""Check invariants of runs: the columns of a run must agree with its state. Reads only and repairs nothing."""

from collections.abc import Iterator

from django.db.models import Count, F, Q

from enterprise_catalog.apps.catalog.storage.consistency import Violation
from enterprise_catalog.apps.refresh.models import RefreshRun

_QUEUED, _RUNNING, _HELD = (
    Q(state=RefreshRun.State.QUEUED),
    Q(state=RefreshRun.State.RUNNING),
    Q(state=RefreshRun.State.HELD),
)
_ENDED = ~(_QUEUED | _RUNNING)
# A comparison with null is never true, and a run whose query was deleted has none.
_ELSEWHERE = "is in the place of another query than its own"

_CONTRADICTIONS = (
    ("queued-for", _QUEUED & Q(queued_for=None), "waits, but for no query"),
    ("queued-for", ~_QUEUED & Q(queued_for__isnull=False), "does not wait, but blocks its query's place to wait"),
    ("queued-for", Q(queued_for__gt=F("catalog_query_id")) | Q(queued_for__lt=F("catalog_query_id")), _ELSEWHERE),
    ("running-for", _RUNNING & Q(running_for=None), "runs, but for no query"),
    ("running-for", ~_RUNNING & Q(running_for__isnull=False), "does not run, but blocks its query's place to run"),
    ("running-for", Q(running_for__gt=F("catalog_query_id")) | Q(running_for__lt=F("catalog_query_id")), _ELSEWHERE),
    ("lease", _RUNNING & Q(lease_until=None), "runs without a lease"),
    ("lease", ~_RUNNING & Q(lease_until__isnull=False), "does not run, but has a lease"),
    ("finished-at", _ENDED & Q(finished_at=None), "ended, nobody knows when"),
    ("finished-at", ~_ENDED & Q(finished_at__isnull=False), "has not ended, but finished"),
    ("held-keys", _HELD & (Q(held_keys=None) | Q(held_since=None)), "is held without what it would publish"),
    ("held-keys", ~_HELD & Q(held_keys__isnull=False), "is not held, but keeps keys"),
)


def violations() -> Iterator[Violation]:
    """Yield all contradictions in and between runs."""
    runs = RefreshRun.objects.order_by()
    for rule, contradiction, detail in _CONTRADICTIONS:
        for uuid, state in runs.filter(contradiction).values_list("uuid", "state").iterator():
            yield Violation(rule, f"run {uuid} ({state})", detail)
    held = runs.filter(_HELD, catalog_query__isnull=False).values("catalog_query_uuid").annotate(held=Count("pk"))
    for row in held.filter(held__gt=1):
        yield Violation("held-once", f"query {row['catalog_query_uuid']}", f"{row['held']} held runs")
