"""
Decide whether a complete result would change a query too much to be published without a decision (REFR-9).

Such a result may be a mistake upstream. `refresh.pipeline.outcomes` holds it.
"""

from dataclasses import dataclass

from django.conf import settings

from enterprise_catalog.apps.refresh.failure_reasons import Reason


@dataclass(frozen=True)
class Objection:
    """Why a result is held: the reason and a sentence for operators."""

    code: Reason
    detail: str


def objection(*, published: int, removed: int, found: int) -> Objection | None:
    """Say what speaks against replacing `published` members, of which `removed` go, by `found` ones. None: nothing."""
    if published < settings.GUARD_MIN_ITEMS:
        return None
    if removed / published > settings.GUARD_MAX_REMOVED:
        return Objection(Reason.GUARD_SHRINK, f"{removed} of {published} members would be removed.")
    if found > settings.GUARD_MAX_GROWTH * published:
        return Objection(Reason.GUARD_GROWTH, f"{published} members would become {found}.")
    return None
