"""Which waiting rows workers are told of again, since a nudge may be lost (P5): some at a time, and not too often."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from enterprise_catalog.apps.core.db import database_now


def take_unnoticed(waiting: QuerySet[Any]) -> list[UUID]:
    """The first of these rows that nobody was told of lately; from now on they count as told."""
    now = database_now()
    told_before = now - timedelta(seconds=settings.NUDGE_AGAIN_SECONDS)
    unnoticed = waiting.filter(Q(nudged_at=None) | Q(nudged_at__lt=told_before))
    uuids = list(unnoticed.values_list("pk", flat=True)[: settings.NUDGES_PER_TICK])
    waiting.model._default_manager.filter(pk__in=uuids).update(nudged_at=now)
    return uuids
