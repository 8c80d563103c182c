"""Which waiting rows workers are told of again, since a nudge may be lost (P5): some at a time, and not too often."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Model, Q

from enterprise_catalog.apps.core.db.clock import database_now


def due_for_renotification() -> Q:
    """Rows that nobody was told of lately."""
    return Q(nudged_at=None) | Q(nudged_at__lt=database_now() - timedelta(seconds=settings.NOTIFY_AGAIN_SECONDS))


def stamp_notified(model: type[Model], uuids: list[UUID]) -> list[UUID]:
    """From now on these rows count as told."""
    model._default_manager.filter(pk__in=uuids).update(nudged_at=database_now())
    return uuids
