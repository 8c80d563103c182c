"""Serve the admin pages of catalogs, with a search by title, customer, query, hash and uuid."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.admin import query_panels
from enterprise_catalog.apps.console.admin.base import grants_from_django_permissions
from enterprise_catalog.apps.console.admin.bulk_attach import BulkAttachAdmin
from enterprise_catalog.apps.console.admin.changelists import FreshnessFilter, has_words, uuid_begins
from enterprise_catalog.apps.console.admin.exports import ExportAdmin
from enterprise_catalog.apps.console.admin.forms import CatalogForm, QueryChooser, request_state
from enterprise_catalog.apps.console.display.html import NOTHING, document, object_link, where_link
from enterprise_catalog.apps.console.display.sentences import query_name, short_query_name, utc_minute
from enterprise_catalog.apps.services.catalogs import CatalogValues, delete_catalog, save_catalog


class CatalogFreshnessFilter(FreshnessFilter):
    column = "catalog_query__refreshed_at"


@admin.register(EnterpriseCatalog)
class EnterpriseCatalogAdmin(BulkAttachAdmin, ExportAdmin):
    form = CatalogForm
    list_display = ["title", "enterprise_name", "uuid", "query", "items", "freshness"]
    list_filter = [CatalogFreshnessFilter, "publish_audit_enrollment_urls", "created"]
    search_fields = ["title"]
    search_help_text = (
        "Title, customer name, content filter hash, or a uuid or its beginning (catalog, customer, query)"
    )
    ordering = ["enterprise_name", "created", "uuid"]
    autocomplete_fields = ["catalog_query"]
    preview_column = "catalog_uuid"
    preview_argument = "catalog"
    version_fields = [
        "uuid",
        "title",
        "enterprise_uuid",
        "enterprise_name",
        "enabled_course_modes",
        "publish_audit_enrollment_urls",
        "catalog_query",
        "modified",
    ]

    _shown = ["items", "freshness_now", "last_edit", "query_in_full", "filter", "last_runs", "changes"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_foreignkey(
            db_field, request, **{"widget": QueryChooser(self.admin_site), **options}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnterpriseCatalog]:
        return super().get_queryset(request).select_related("catalog_query").defer("catalog_query__content_filter")

    def search_condition(self, term: str) -> Any:
        wanted = has_words("title", term) | has_words("enterprise_name", term) | has_words("catalog_query__title", term)
        wanted |= Q(catalog_query__content_filter_hash=term.lower())
        for column in ("uuid", "enterprise_uuid", "catalog_query__uuid"):
            wanted |= uuid_begins(column, term)
        return wanted

    def links(self, object_id: str) -> list[dict[str, str]]:
        return [where_link("Why (not) a course?", catalog=unquote(object_id)), *super().links(object_id)]

    def get_fieldsets(self, request: HttpRequest, obj: EnterpriseCatalog | None = None) -> Any:
        if request_state(request).shows_version:
            return super().get_fieldsets(request, obj)
        identity = ["title", "enterprise_uuid", "enterprise_name"]
        enrollment = ["enabled_course_modes", "publish_audit_enrollment_urls"]
        if obj is None:
            content = ["catalog_query", "content_filter"]
            return [(None, {"fields": ["uuid", *identity, *enrollment]}), ("Content", {"fields": content})]
        fieldsets = [
            (None, {"fields": ["uuid", *identity, *enrollment, "created", "modified"]}),
            ("Content", {"fields": self._shown}),
        ]
        if self.has_change_permission(request, obj):
            fieldsets.append(("Other content", {"fields": ["catalog_query", "content_filter"]}))
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: EnterpriseCatalog | None = None) -> Any:
        if obj is None or request_state(request).shows_version:
            return super().get_readonly_fields(request, obj)
        return [
            "uuid",
            "created",
            "modified",
            *self._shown,
        ]

    def save_model(self, request: HttpRequest, obj: EnterpriseCatalog, form: Any, change: bool) -> None:
        stored = EnterpriseCatalog.objects.get(pk=obj.pk) if change else None
        customers = [obj.enterprise_uuid, *([stored.enterprise_uuid] if stored else [])]
        saved = save_catalog(
            catalog=stored, values=form.values(), grants=grants_from_django_permissions(request, *customers)
        )
        self.message_saved(request, saved)

    def use_filter(self, request: HttpRequest, obj: EnterpriseCatalog, content_filter: dict[str, Any]) -> None:
        values = CatalogValues(content_filter=content_filter)
        self.message_saved(
            request,
            save_catalog(
                catalog=obj, values=values, grants=grants_from_django_permissions(request, obj.enterprise_uuid)
            ),
        )

    def consequences(self, obj: EnterpriseCatalog) -> str:
        return "Using it changes this catalog only; others that share its present query keep that."

    def delete_model(self, request: HttpRequest, obj: EnterpriseCatalog) -> None:
        delete_catalog(catalog=obj)

    def refreshed_query(self, obj: EnterpriseCatalog) -> CatalogQuery:
        return obj.catalog_query

    @admin.display(description="catalog query", ordering="catalog_query__title")
    def query(self, obj: EnterpriseCatalog) -> Any:
        return object_link(obj.catalog_query, short_query_name(obj.catalog_query))

    @admin.display(description="catalog query")
    def query_in_full(self, obj: EnterpriseCatalog) -> Any:
        return object_link(obj.catalog_query, query_name(obj.catalog_query))

    @admin.display(description="present filter")
    def filter(self, obj: EnterpriseCatalog) -> Any:
        return document(obj.catalog_query.content_filter)

    @admin.display(description="items", ordering="catalog_query__count_v1")
    def items(self, obj: EnterpriseCatalog) -> str:
        return query_panels.items_of(obj.catalog_query)

    @admin.display(description="freshness", ordering="catalog_query__refreshed_at")
    def freshness(self, obj: EnterpriseCatalog) -> str:
        return freshness(obj.catalog_query.refreshed_at)

    @admin.display(description="freshness")
    def freshness_now(self, obj: EnterpriseCatalog) -> str:
        return query_panels.freshness_of(obj.catalog_query)

    @admin.display(description="last edit of an item")
    def last_edit(self, obj: EnterpriseCatalog) -> str:
        moved = obj.catalog_query.content_modified
        return utc_minute(moved) if moved else NOTHING

    @admin.display(description="last refreshes")
    def last_runs(self, obj: EnterpriseCatalog) -> Any:
        return query_panels.last_runs(obj.catalog_query)

    @admin.display(description="changes")
    def changes(self, obj: EnterpriseCatalog) -> Any:
        return query_panels.changes_of_catalog(obj)
