"""Select waiting rows whose notification is old enough to repeat, since a notification may be lost (P5)."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Model, Q

from enterprise_catalog.apps.core.db.clock import database_now


def due_for_renotification() -> Q:
    """Return a filter for rows with no notification within NOTIFY_AGAIN_SECONDS."""
    return Q(nudged_at=None) | Q(nudged_at__lt=database_now() - timedelta(seconds=settings.NOTIFY_AGAIN_SECONDS))


def stamp_notified(model: type[Model], uuids: list[UUID]) -> list[UUID]:
    """Stamp these rows as notified now; return their keys."""
    model._default_manager.filter(pk__in=uuids).update(nudged_at=database_now())
    return uuids
