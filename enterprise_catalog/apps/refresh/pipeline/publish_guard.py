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


def objection(*, published: int, removed: int, found: int, is_first: bool = False) -> Objection | None:
    """
    Return why a result should not replace `published` members, of which `removed` leave, by `found` ones, or None.

    `is_first` says that a filter that may find far more than intended has not been published yet. Its growth is checked
    for catalogs of any size.
    """
    if published >= settings.GUARD_MIN_ITEMS and removed / published > settings.GUARD_MAX_REMOVED:
        return Objection(Reason.GUARD_SHRINK, f"{removed} of {published} members would be removed.")
    if published < settings.GUARD_MIN_ITEMS and not is_first:
        return None
    most = settings.GUARD_MAX_GROWTH * published if published else settings.GUARD_MAX_FIRST_ITEMS
    if found > most:
        return Objection(Reason.GUARD_GROWTH, f"{published} members would become {found}.")
    return None
