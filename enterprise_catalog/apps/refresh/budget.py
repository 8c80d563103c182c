"""
The hourly budget of requests to discovery, shared by all workers (DISC-16).

One row counts what was asked in each minute. Whoever wants to ask locks it, so that any number of workers together
never ask more within an hour than DISCOVERY_REQUESTS_PER_HOUR. Nobody waits here: what does not fit is refused.
"""

from django.conf import settings
from django.db import transaction

from enterprise_catalog.apps.core.db import database_now, retry_lost_locks
from enterprise_catalog.apps.refresh.models import DiscoveryBudget

# A request of the oldest minute may have come at its end, so one more minute than an hour has counts.
_MINUTES = 61
_ROW = 1


def is_limited() -> bool:
    return settings.DISCOVERY_REQUESTS_PER_HOUR > 0


def spent() -> int:
    """Requests of the last hour, those included that are reserved."""
    row = DiscoveryBudget.objects.filter(pk=_ROW).first()
    return sum(_of_the_last_hour(row.spent, _minute()).values()) if row else 0


def has_room() -> bool:
    """
    True when a fetch may begin, or go on: there is what comes back during the pause of an interrupted one. It is due
    again by then. If others began for each request that comes back, many would share them, and none would get to its
    end before its first answers are too old.
    """
    enough = settings.DISCOVERY_REQUESTS_PER_HOUR * settings.DISCOVERY_BUDGET_PAUSE_SECONDS // 3600
    return not is_limited() or spent() + max(1, enough) <= settings.DISCOVERY_REQUESTS_PER_HOUR


@retry_lost_locks
@transaction.atomic
def spend(requests: int, *, instead_of: int | None = None) -> int | None:
    """
    Count these requests; returns the minute under which they count, or None, and then they must not be made.
    `instead_of` is the minute under which they were counted before, and in which they were not made.
    """
    row = _locked_row()
    # Not before: while we wait for the row a minute may end, and others count under the next one.
    minute = _minute()
    counted = _of_the_last_hour(row.spent, minute)
    if str(instead_of) in counted:
        counted[str(instead_of)] = max(0, counted[str(instead_of)] - requests)
    if sum(counted.values()) + requests > settings.DISCOVERY_REQUESTS_PER_HOUR:
        return None
    counted[str(minute)] = counted.get(str(minute), 0) + requests
    row.spent = counted
    row.save(update_fields=["spent"])
    return minute


@retry_lost_locks
@transaction.atomic
def give_back(requests: int, *, minute: int) -> None:
    """Requests that were counted under this minute were not made."""
    row = _locked_row()
    left = row.spent.get(str(minute), 0) - requests
    row.spent = {**row.spent, str(minute): max(0, left)}
    row.save(update_fields=["spent"])


def _locked_row() -> DiscoveryBudget:
    row, _ = DiscoveryBudget.objects.select_for_update().get_or_create(pk=_ROW)
    return row


def _minute() -> int:
    return int(database_now().timestamp() // 60)


def _of_the_last_hour(spent: dict[str, int], minute: int) -> dict[str, int]:
    return {then: requests for then, requests in spent.items() if minute - _MINUTES < int(then) <= minute}
