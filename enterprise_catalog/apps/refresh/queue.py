"""
Which of the waiting runs comes next, when a worker is free or there is budget for some of them only.

What people asked for comes before what the schedule wants, the newest wish first: somebody is looking at it. The
schedule's are taken in the order in which they became due. A message of the broker says that there is work, never
which: the rows decide here.
"""

from django.db.models import Exists, F, OuterRef, QuerySet

from enterprise_catalog.apps.refresh import budget
from enterprise_catalog.apps.refresh.claims import Claim, claim_runs, due_runs
from enterprise_catalog.apps.refresh.models import RefreshRun

# When others claim the first ones under our hands there is a next one, unless very many workers look at once.
_CANDIDATES = 20


def startable_runs() -> QuerySet[RefreshRun]:
    """Waiting runs that could begin now, the most urgent first; none while there is no budget for a request."""
    if not budget.has_room():
        return RefreshRun.objects.none()
    busy = RefreshRun.objects.filter(running_for=OuterRef("queued_for"))
    waiting = due_runs().filter(~Exists(busy), catalog_query__isnull=False)
    return waiting.order_by(F("asked_at").desc(nulls_last=True), "requested_at", "pk")


def claim_next() -> list[Claim]:
    """The most urgent run, with those that ask the same (REFR-3); empty when there is nothing to do."""
    for run_uuid in list(startable_runs().values_list("pk", flat=True)[:_CANDIDATES]):
        claims = claim_runs(run_uuid)
        if claims:
            return claims
    return []
