"""
Serve the admin pages of catalogs, with a search by title, customer, query, hash and uuid.

The page of a catalog offers its content as CSV and XLSX (EXP-1). The list offers to attach the selected catalogs to
another query (COM-21).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from enterprise_catalog.apps.catalog.api_versions import V1
from enterprise_catalog.apps.catalog.freshness import freshness
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.admin import query_panels
from enterprise_catalog.apps.console.admin.base import ServiceBackedAdmin, grants_from_django_permissions
from enterprise_catalog.apps.console.admin.changelists import FreshnessFilter, has_words, uuid_begins
from enterprise_catalog.apps.console.admin.forms import CatalogForm, QueryChooser
from enterprise_catalog.apps.console.display.html import (
    NOTHING,
    document,
    list_url,
    object_link,
    page_url,
    table,
    where_link,
)
from enterprise_catalog.apps.console.display.sentences import plural, query_name, short_query_name, utc_minute
from enterprise_catalog.apps.core.rest.streaming import attachment
from enterprise_catalog.apps.services.bulk_attach import attach_catalogs
from enterprise_catalog.apps.services.catalogs import CatalogValues, delete_catalog, save_catalog
from enterprise_catalog.apps.services.exports import CONTENT_TYPES, export_catalog, filename

_SELECTED_SHOWN = 50
_OWN_FIELDS = [
    *("title", "enterprise_uuid", "enterprise_name"),
    *("enabled_course_modes", "publish_audit_enrollment_urls"),
]
_CONTENT_FIELDS = ["items", "freshness_now", "last_edit", "query_in_full", "filter", "last_runs", "changes"]


class CatalogFreshnessFilter(FreshnessFilter):
    column = "catalog_query__refreshed_at"


@admin.register(EnterpriseCatalog)
class EnterpriseCatalogAdmin(ServiceBackedAdmin):
    form = CatalogForm
    list_display = ["title", "enterprise_name", "uuid", "query", "items", "freshness"]
    list_filter = [CatalogFreshnessFilter, "publish_audit_enrollment_urls", "created"]
    search_fields = ["title"]
    search_help_text = (
        "Title, customer name, content filter hash, or a uuid or its beginning (catalog, customer, query)"
    )
    ordering = ["enterprise_name", "created", "uuid"]
    autocomplete_fields = ["catalog_query"]
    actions = [*ServiceBackedAdmin.actions, "attach_to_query"]
    preview_column = "catalog_uuid"
    preview_argument = "catalog"
    add_fieldsets = [
        (None, {"fields": ["uuid", *_OWN_FIELDS]}),
        ("Content", {"fields": ["catalog_query", "content_filter"]}),
    ]
    shown_fields = ["uuid", "created", "modified", *_CONTENT_FIELDS]
    version_fields = ["uuid", *_OWN_FIELDS, "catalog_query", "modified"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        options = {"widget": QueryChooser(self.admin_site), **options}
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnterpriseCatalog]:
        return super().get_queryset(request).select_related("catalog_query").defer("catalog_query__content_filter")

    def search_condition(self, term: str) -> Any:
        wanted = has_words("title", term) | has_words("enterprise_name", term) | has_words("catalog_query__title", term)
        wanted |= Q(catalog_query__content_filter_hash=term.lower())
        for column in ("uuid", "enterprise_uuid", "catalog_query__uuid"):
            wanted |= uuid_begins(column, term)
        return wanted

    def links(self, object_id: str) -> list[dict[str, str]]:
        exports = [
            {"label": f"Export {kind.upper()}", "url": page_url(self.model, f"export_{kind}", object_id)}
            for kind in CONTENT_TYPES
        ]
        return [where_link("Why (not) a course?", catalog=unquote(object_id)), *exports]

    def change_fieldsets(self, request: HttpRequest, obj: EnterpriseCatalog) -> Any:
        fieldsets = [
            (None, {"fields": ["uuid", *_OWN_FIELDS, "created", "modified"]}),
            ("Content", {"fields": _CONTENT_FIELDS}),
        ]
        if self.has_change_permission(request, obj):
            fieldsets.append(("Other content", {"fields": ["catalog_query", "content_filter"]}))
        return fieldsets

    def save_model(self, request: HttpRequest, obj: EnterpriseCatalog, form: Any, change: bool) -> None:
        stored = EnterpriseCatalog.objects.get(pk=obj.pk) if change else None
        customers = [obj.enterprise_uuid, *([stored.enterprise_uuid] if stored else [])]
        grants = grants_from_django_permissions(request, *customers)
        saved = save_catalog(catalog=stored, values=form.values(), grants=grants)
        self.message_saved(request, saved)

    def use_filter(self, request: HttpRequest, obj: EnterpriseCatalog, content_filter: dict[str, Any]) -> None:
        grants = grants_from_django_permissions(request, obj.enterprise_uuid)
        saved = save_catalog(catalog=obj, values=CatalogValues(content_filter=content_filter), grants=grants)
        self.message_saved(request, saved)

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

    @admin.display(description="last edit of an item")
    def last_edit(self, obj: EnterpriseCatalog) -> str:
        moved = obj.catalog_query.content_modified
        return utc_minute(moved) if moved else NOTHING

    @admin.display(description="changes")
    def changes(self, obj: EnterpriseCatalog) -> Any:
        return query_panels.changes_of_catalog(obj)

    # Exporting

    def own_pages(self) -> dict[str, tuple[str, Callable[..., HttpResponseBase]]]:
        exports = {
            f"export_{kind}": (f"<path:object_id>/export.{kind}", partial(self.export_view, kind=kind))
            for kind in CONTENT_TYPES
        }
        return {**super().own_pages(), **exports}

    def export_view(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponseBase:
        catalog: EnterpriseCatalog = self.get_object_or_404(request, object_id)
        if not self.has_view_permission(request, catalog):
            raise PermissionDenied
        return attachment(
            request,
            pieces=partial(export_catalog, catalog=catalog, api_version=V1, kind=kind),
            content_type=CONTENT_TYPES[kind],
            filename=filename(catalog=catalog, kind=kind),
        )

    # Attaching to another query

    @admin.action(description="Attach to another query ...", permissions=["change"])
    def attach_to_query(self, request: HttpRequest, queryset: QuerySet[EnterpriseCatalog]) -> HttpResponse | None:
        if not (catalogs := self.selected_rows(request, queryset)):
            return None
        form = self._form(request)
        if not form.is_valid():
            return self._choose(request, form, catalogs)
        query = form.cleaned_data["catalog_query"]
        grants = grants_from_django_permissions(request, *{catalog.enterprise_uuid for catalog in catalogs})
        attached = attach_catalogs(catalogs=catalogs, query=query, grants=grants)
        for catalog in attached.moved:
            self.log_change(request, catalog, f"Attached to catalog query {query.uuid}.")
        count = len(attached.moved)
        moved, before = plural(count, "catalog is", "catalogs are"), len(catalogs) - count
        others = f", {before} of the chosen were before" if before else ""
        self.message_user(request, f"{moved} on {short_query_name(query)} now{others}.")
        self.message_run(request, attached.refresh_run)
        return HttpResponseRedirect(list_url(EnterpriseCatalog))

    def _form(self, request: HttpRequest) -> forms.Form:
        class ChooseQuery(forms.Form):
            catalog_query = forms.ModelChoiceField(CatalogQuery.objects.all(), widget=QueryChooser(self.admin_site))

        # The list sends the catalogs only. This page sends them again, with the query.
        return ChooseQuery(request.POST if "catalog_query" in request.POST else None)

    def _choose(self, request: HttpRequest, form: forms.Form, catalogs: list[EnterpriseCatalog]) -> HttpResponse:
        rows = [
            (object_link(catalog, catalog.title), catalog.enterprise_name, short_query_name(catalog.catalog_query))
            for catalog in catalogs[:_SELECTED_SHOWN]
        ]
        more = len(catalogs) - len(rows)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Attach to another query",
            "media": self.media + form.media,
            "form": form,
            "selected": table(["catalog", "customer", "query now"], rows, note=f"And {more} more." if more else ""),
            "uuids": [catalog.pk for catalog in catalogs],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "count": plural(len(catalogs), "catalog"),
        }
        return TemplateResponse(request, "console/attach_to_query.html", context)
