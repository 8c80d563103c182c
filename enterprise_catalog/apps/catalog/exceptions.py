"""The errors of the store that its callers handle."""

from datetime import datetime

from enterprise_catalog.apps.catalog.models import CatalogQuery


class ChangesExpired(Exception):
    """Some of the requested changes may be deleted already; changes since `kept_since` are still there."""

    def __init__(self, kept_since: datetime) -> None:
        super().__init__(kept_since)
        self.kept_since = kept_since


class UnusableFilter(ValueError):
    """The filter cannot be stored or sent to discovery; the text is for the caller."""


class QueryGone(Exception):
    """Since the query was looked up, it was deleted, or a query with the same filter replaced it."""


class QueryConflict(Exception):
    """Other queries already have the title (key `query_title`) or the filter (key `content_filter`) (QRY-6)."""

    def __init__(self, owners: dict[str, CatalogQuery]) -> None:
        super().__init__(sorted(owners))
        self.owners = owners
