"""
The guard: a complete result may still be a mistake somewhere upstream, so one that would change a catalog too much is
held (REFR-9).

One pure function; holding and releasing is `refresh.pipeline.outcomes`'.
"""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Objection:
    """Why a result is held: a RUN-4 code and a sentence for operators."""

    code: str
    detail: str


def objection(*, published: int, removed: int, found: int) -> Objection | None:
    """
    What speaks against replacing `published` members by `found`, of which `removed` are gone; None when nothing does.
    """
    if published < settings.GUARD_MIN_ITEMS:
        return None
    if removed / published > settings.GUARD_MAX_REMOVED:
        return Objection("guard_shrink", f"{removed} of {published} members would be removed.")
    if found > settings.GUARD_MAX_GROWTH * published:
        return Objection("guard_growth", f"{published} members would become {found}.")
    return None
