"""Let hours pass at once: rows are made older, and minutes of the budget are counted here."""

from datetime import timedelta
from typing import Any

from django.db.models import F, Model

from enterprise_catalog.apps.catalog.models import CatalogQuery, FullRecordRequest
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.refresh.models import KeptAnswer, RefreshRun, Sweep
from enterprise_catalog.apps.refresh.rate_limit import request_budget

MOMENTS: dict[type[Model], list[str]] = {
    RefreshRun: [
        "lease_until",
        "not_before",
        "nudged_at",
        "requested_at",
        "asked_at",
        "started_at",
        "finished_at",
        "held_since",
    ],
    CatalogQuery: ["refreshed_at", "created"],
    KeptAnswer: ["answered_at"],
    FullRecordRequest: ["requested_at"],
    Sweep: ["due_at"],
}


class Clock:
    """A clock for the budget that only moves when the test says by how many minutes."""

    def __init__(self, monkeypatch: Any) -> None:
        self.minute = self._began = int(database_now().timestamp() // 60)
        monkeypatch.setattr(request_budget, "_minute", lambda: self.minute)

    @property
    def passed(self) -> int:
        return self.minute - self._began

    def pass_time(self, minutes: int) -> None:
        let_time_pass(minutes)
        self.minute += minutes


def let_time_pass(minutes: int) -> None:
    """Make everything that happened older."""
    past = timedelta(minutes=minutes)
    for model, names in MOMENTS.items():
        model._default_manager.update(**{name: F(name) - past for name in names})
