"""
Celery's way in. A message is only a nudge: what is to be done stands in the database, so messages may be lost,
doubled or late.
"""

from uuid import UUID

from celery import shared_task

from enterprise_catalog.apps.core.nudge import nudge
from enterprise_catalog.apps.refresh.pipeline import refresh
from enterprise_catalog.apps.refresh.reviews import sweep_reviews_if_due
from enterprise_catalog.apps.refresh.schedule import tick


@shared_task(name="refresh.run")
def run_refresh(run_uuid: str) -> None:
    _announce(refresh(UUID(run_uuid)))


@shared_task(name="refresh.tick")
def run_tick() -> None:
    _announce(tick())


@shared_task(name="refresh.sweep_reviews")
def run_review_sweep() -> None:
    sweep_reviews_if_due()


def _announce(waiting: list[UUID]) -> None:
    """Up to the first nudge that gets lost: the broker is away, and the next tick announces the others."""
    all(nudge(run_refresh, str(run_uuid)) for run_uuid in waiting)
