"""
Ask for a refresh: a row first, then a nudge that may get lost (P5, P6).
"""

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import RefreshRun


def request_refresh(*, query: CatalogQuery, trigger: str) -> RefreshRun:
    """The waiting run that will serve this request, new or joined (REFR-1, REFR-3)."""
    raise NotImplementedError
