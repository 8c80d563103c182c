"""
Lists that stay quick whatever the tables hold: bounded counting, and searches that an index answers.

A list never counts more rows than a person would page through, and never loads what it does not show.
"""

import re
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Contains
from django.http import HttpRequest
from django.utils.functional import cached_property

from enterprise_catalog.apps.catalog.freshness import Freshness, stale_before
from enterprise_catalog.apps.core.db.clock import DatabaseNow

# Whoever has not found it on these rows will search.
_COUNTED_ROWS = 10_000
_BEGINNING = re.compile(r"[0-9a-f]{6,32}")
_LAST_CHARACTER = "\U0010ffff"


class BoundedPaginator(Paginator):
    """Counts up to a bound, so that a list costs the same over any number of rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:_COUNTED_ROWS].count())


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only the service itself writes."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FreshnessFilter(admin.SimpleListFilter):
    """By the moment of the last publish; subclasses say where that stands."""

    title = "freshness"
    parameter_name = "freshness"
    column = "refreshed_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(freshness.value, freshness.value) for freshness in Freshness]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        conditions = {
            Freshness.NEVER: Q(**{self.column: None}),
            Freshness.STALE: Q(**{f"{self.column}__lt": stale_before(DatabaseNow())}),
            Freshness.FRESH: Q(**{f"{self.column}__gte": stale_before(DatabaseNow())}),
        }
        value = self.value()
        return queryset.filter(conditions[Freshness(value)]) if value in set(Freshness) else queryset


def parse_pasted_uuid(term: str) -> UUID | None:
    """A uuid as people paste it: any case, with hyphens or without, in braces or as a URN."""
    try:
        return UUID(term.strip())
    except ValueError:
        return None


def uuid_begins(column: str, term: str) -> Q:
    """
    Rows with this uuid, as people paste it, or whose uuid begins so, as lists show it; none when that is too little.
    """
    uuid = parse_pasted_uuid(term)
    beginning = uuid.hex if uuid else term.rstrip(" .").lower().replace("-", "")
    return Q(**{f"{column}__startswith": beginning}) if _BEGINNING.fullmatch(beginning) else Q(pk__in=[])


def has_words(column: str, term: str) -> Q:
    """Some text, in any case, also where a column compares by code point."""
    return Q(Contains(Lower(column), term.lower()))


def starts_with(column: str, term: str) -> Q:
    """A prefix as a range, which the index on the column answers; a pattern may not."""
    return Q(**{f"{column}__gte": term, f"{column}__lt": term + _LAST_CHARACTER})
