"""Serve the admin pages of catalog queries, which are edited for all their catalogs at once."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.history import hold_filters
from enterprise_catalog.apps.console.admin import query_panels
from enterprise_catalog.apps.console.admin.base import ServiceBackedAdmin, grants_from_django_permissions
from enterprise_catalog.apps.console.admin.changelists import FreshnessFilter, has_words, starts_with, uuid_begins
from enterprise_catalog.apps.console.admin.forms import QueryForm
from enterprise_catalog.apps.console.display.html import change_url, document
from enterprise_catalog.apps.services.catalog_queries import SavedQuery, delete_query, save_query

_PROTECTING_CATALOGS_SHOWN = 20
_STATE_FIELDS = [
    *("uuid", "named", "content_filter_hash", "items", "freshness_now", "generation", "content_modified"),
    *("users", "last_runs", "changes", "created", "modified"),
]


class UsedFilter(admin.SimpleListFilter):
    title = "use"
    parameter_name = "used"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "used by a catalog"), ("no", "used by none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        used = Exists(EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk")))
        conditions = {"yes": Q(used), "no": ~Q(used)}
        value = self.value()
        return queryset.filter(conditions[value]) if value in conditions else queryset


@admin.register(CatalogQuery)
class CatalogQueryAdmin(ServiceBackedAdmin):
    form = QueryForm
    list_display = ["name", "uuid", "content_filter_hash", "catalogs", "items", "freshness"]
    list_filter = [FreshnessFilter, UsedFilter, "named"]
    search_fields = ["title"]
    search_help_text = "Title, uuid or hash or their beginning, or words of a catalog on it or of its customer"
    ordering = ["title", "id"]
    preview_column = "catalog_query_id"
    preview_argument = "query"
    version_fields = ["uuid", "title", "named", "filter", "content_filter_hash", "equivalence_key", "modified"]
    add_fieldsets = [(None, {"fields": ["title", "content_filter"]})]
    shown_fields = ["filter", *_STATE_FIELDS]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogQuery]:
        users = EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk")).order_by().values("catalog_query")
        count = Subquery(users.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
        return super().get_queryset(request).defer("content_filter").annotate(catalog_count=Coalesce(count, 0))

    def search_condition(self, term: str) -> Any:
        wanted: Any = has_words("title", term) | starts_with("content_filter_hash", term.lower())
        users = EnterpriseCatalog.objects.filter(catalog_query=OuterRef("pk"))
        wanted |= uuid_begins("uuid", term)
        wanted |= Exists(users.filter(has_words("title", term) | has_words("enterprise_name", term)))
        return wanted

    def change_fieldsets(self, request: HttpRequest, obj: CatalogQuery) -> Any:
        content_filter = "content_filter" if self.has_change_permission(request, obj) else "filter"
        return [(None, {"fields": ["title", content_filter]}), ("State", {"fields": _STATE_FIELDS})]

    def save_model(self, request: HttpRequest, obj: CatalogQuery, form: Any, change: bool) -> None:
        saved = save_query(
            query=obj if change else None,
            content_filter=form.cleaned_data["content_filter"],
            title=form.cleaned_data["title"],
            grants=grants_from_django_permissions(request),
        )
        self._take_saved(request, obj, saved)

    def use_filter(self, request: HttpRequest, obj: CatalogQuery, content_filter: dict[str, Any]) -> None:
        key = obj.pk
        grants = grants_from_django_permissions(request)
        saved = save_query(query=obj, content_filter=content_filter, title=None, grants=grants)
        self._take_saved(request, obj, saved)
        if obj.pk != key:
            self._message_replaced(request, obj)

    def consequences(self, obj: CatalogQuery) -> str:
        return query_panels.consequences_of(obj)

    def _take_saved(self, request: HttpRequest, obj: CatalogQuery, saved: SavedQuery) -> None:
        """Make `obj` the saved row: another row with this filter may have replaced it (QRY-3)."""
        obj.pk = saved.query.pk
        obj.uuid = saved.query.uuid
        self.message_saved(request, saved)

    def _message_replaced(self, request: HttpRequest, obj: CatalogQuery) -> None:
        self.message_user(request, f"A query with this filter existed and took the place of this one, as {obj.uuid}.")

    def response_change(self, request: HttpRequest, obj: CatalogQuery) -> HttpResponse:
        match = request.resolver_match
        if match is None or match.kwargs["object_id"] == str(obj.pk):
            return super().response_change(request, obj)
        self._message_replaced(request, obj)
        return HttpResponseRedirect(change_url(CatalogQuery, obj.pk))

    def delete_model(self, request: HttpRequest, obj: CatalogQuery) -> None:
        delete_query(query=obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        query = self.get_object(request, unquote(object_id))
        if query is not None and self.has_delete_permission(request, query) and query.catalog_count:
            text = f"This query is used by {query.catalog_count} catalog(s). Give those another query first."
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(change_url(CatalogQuery, query.pk))
        return super().delete_view(request, object_id, extra_context)

    def protecting_objects(self, rows: list[Any]) -> list[str]:
        catalogs = EnterpriseCatalog.objects.filter(catalog_query__in=[query.pk for query in rows])
        return [f"Catalog {catalog}" for catalog in catalogs[:_PROTECTING_CATALOGS_SHOWN]]

    def refreshed_query(self, obj: CatalogQuery) -> CatalogQuery:
        return obj

    @admin.display(description="catalog query", ordering="title")
    def name(self, obj: CatalogQuery) -> str:
        return obj.title or "(no title)"

    @admin.display(description="catalogs", ordering="catalog_count")
    def catalogs(self, obj: Any) -> int:
        return int(obj.catalog_count)

    @admin.display(description="content filter")
    def filter(self, obj: CatalogQuery) -> Any:
        if obj.content_filter is None:
            # An old version has only the hash of its filter.
            hold_filters([version := vars(obj)["_history"]])
            return document(version.content_filter)
        return document(obj.content_filter)

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, **options: Any) -> None:
        hold_filters(list(historical_records))
        super().set_history_delta_changes(request, historical_records, **options)

    @admin.display(description="items", ordering="count_v1")
    def items(self, obj: CatalogQuery) -> str:
        return query_panels.items_of(obj)

    @admin.display(description="freshness", ordering="refreshed_at")
    def freshness(self, obj: CatalogQuery) -> str:
        return freshness(obj.refreshed_at)

    @admin.display(description="used by")
    def users(self, obj: CatalogQuery) -> Any:
        return query_panels.catalogs_of(obj)

    @admin.display(description="changes")
    def changes(self, obj: CatalogQuery) -> Any:
        return query_panels.changes_of_query(obj)
