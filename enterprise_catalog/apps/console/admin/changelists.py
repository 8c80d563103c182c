"""
Base classes of the admin's pages, whose lists stay fast on tables of any size.

A list counts no more rows than a person would page through, searches by conditions that indexes answer, and loads no
column that it does not show.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Contains
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.functional import cached_property

from enterprise_catalog.apps.catalog.freshness import Freshness, stale_before
from enterprise_catalog.apps.core.db.clock import DatabaseNow

# People who have not found a row among so many use the search.
_COUNTED_ROWS = 10_000
_BEGINNING = re.compile(r"[0-9a-f]{6,32}")
_LAST_CHARACTER = "\U0010ffff"


class BoundedPaginator(Paginator):
    """Count up to a limit, so that the cost of a list does not grow with its table."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:_COUNTED_ROWS].count())


class SearchAdmin(admin.ModelAdmin):
    """
    Search a list by one condition on its columns.

    Django's own search matches each word in each of `search_fields` by a pattern that no index answers. A subclass
    still names one field there, because the page shows a search box only then.
    """

    def search_condition(self, term: str) -> Any:
        """Return the condition for a stripped, non-empty term, or None for Django's own search."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        condition = self.search_condition(term) if term else None
        if condition is None:
            return super().get_search_results(request, queryset, term)
        return queryset.filter(condition), False


class BoundedAdmin(SearchAdmin):
    """Show a list whose cost does not grow with its table."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def own_pages(self) -> dict[str, tuple[str, Callable[..., HttpResponseBase]]]:
        """Return the pages beside those of Django, by name: path and view."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(route, self.admin_site.admin_view(view), name=f"{self.opts.app_label}_{self.opts.model_name}_{name}")
            for name, (route, view) in self.own_pages().items()
        ]
        return [*own, *super().get_urls()]

    def get_object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that a path names. Raises Http404."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj


class ReadOnlyAdmin(BoundedAdmin):
    """Show rows that only the service itself writes."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FreshnessFilter(admin.SimpleListFilter):
    """Filter by the time of the last publish, which is in `column`."""

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
    """Read a uuid as people paste it: any case, with or without hyphens, in braces or as a URN."""
    try:
        return UUID(term.strip())
    except ValueError:
        return None


def has_uuid(column: str, term: str) -> Q:
    """Match rows whose column has the pasted uuid; match none if the term is not a uuid."""
    uuid = parse_pasted_uuid(term)
    return Q(**{column: uuid}) if uuid else Q(pk__in=[])


def uuid_begins(column: str, term: str) -> Q:
    """Match a pasted uuid, or the beginning of one as lists show it. Fewer than six digits match nothing."""
    uuid = parse_pasted_uuid(term)
    beginning = uuid.hex if uuid else term.rstrip(" .").lower().replace("-", "")
    return Q(**{f"{column}__startswith": beginning}) if _BEGINNING.fullmatch(beginning) else Q(pk__in=[])


def has_words(column: str, term: str) -> Q:
    """Match text in any case, also in columns that compare by code point."""
    return Q(Contains(Lower(column), term.lower()))


def starts_with(column: str, term: str) -> Q:
    """Match a prefix as a range, which always uses the index on the column; a pattern may not."""
    return Q(**{f"{column}__gte": term, f"{column}__lt": term + _LAST_CHARACTER})
