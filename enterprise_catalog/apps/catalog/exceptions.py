"""Errors of the store that callers handle."""

from datetime import datetime

from enterprise_catalog.apps.catalog.models import CatalogQuery


class ChangesExpired(Exception):
    """Changes that were asked for may be gone already; `kept_since` is what can be asked for."""

    def __init__(self, kept_since: datetime) -> None:
        super().__init__(kept_since)
        self.kept_since = kept_since


class UnusableFilter(ValueError):
    """The filter cannot be stored or sent; the text is for the caller."""


class QueryGone(Exception):
    """The query was deleted, or another one with the same filter took its place, since it was looked up."""


class QueryConflict(Exception):
    """Other queries have the title (`query_title`) or the filter (`content_filter`) already (QRY-6)."""

    def __init__(self, owners: dict[str, CatalogQuery]) -> None:
        super().__init__(sorted(owners))
        self.owners = owners
