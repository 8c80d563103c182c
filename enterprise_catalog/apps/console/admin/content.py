"""Show content with its documents, course reviews, and the changes of catalogs. Only refreshes write these rows."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import localize
from django.utils.safestring import SafeString

from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    ContentDocuments,
    ContentMetadata,
    CourseReview,
    FullRecordRequest,
    NestedRun,
)
from enterprise_catalog.apps.catalog.rendering.item_template import GAP
from enterprise_catalog.apps.console.admin.changelists import ReadOnlyAdmin, has_uuid, starts_with
from enterprise_catalog.apps.console.admin.query_panels import run_link
from enterprise_catalog.apps.console.display.html import (
    NOTHING,
    change_url,
    collapsible,
    document,
    link,
    object_link,
    table,
    where_link,
)
from enterprise_catalog.apps.console.display.sentences import query_name, short_query_name
from enterprise_catalog.apps.core.packed_json import unpack, unpack_bytes

_ROWS_SHOWN = 100


@admin.register(ContentMetadata)
class ContentMetadataAdmin(ReadOnlyAdmin):
    change_form_template = "console/change_form.html"
    list_display = ["content_key", "content_type", "active", "restricted", "parent_content_key", "modified"]
    list_filter = ["content_type", "active", "restricted"]
    search_fields = ["content_key"]
    search_help_text = "A key or its beginning (as written: case matters), the key of a course for its runs, or a uuid"
    ordering = ["content_key"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("content_key", "content_type", "content_uuid", "parent_content_key", "active", "restricted"),
                    *("created", "modified", "record_requested", "review"),
                ]
            },
        ),
        ("Where it is", {"fields": ["queries", "runs"]}),
        ("Documents", {"fields": ["item", "search_document", "full_record", "facts"]}),
    ]

    def search_condition(self, term: str) -> Any:
        return starts_with("content_key", term) | Q(parent_content_key=term) | has_uuid("content_uuid", term)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        links = [where_link("Where is this content?", content_key=unquote(object_id))]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "links": links})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        content = super().get_object(request, object_id, from_field)
        if content is not None:
            content.packed = ContentDocuments.objects.filter(pk=content.pk).first()
        return content

    @admin.display(description="queries that hold it")
    def queries(self, obj: ContentMetadata) -> Any:
        held = CatalogContentKey.objects.filter(content=obj).select_related("catalog_query")
        members: Sequence[CatalogContentKey] = list(
            held.defer("catalog_query__content_filter").order_by("catalog_query_id")[: _ROWS_SHOWN + 1]
        )
        rows = [
            (object_link(member.catalog_query, query_name(member.catalog_query)), member.get_visibility_v1_display())
            for member in members[:_ROWS_SHOWN]
        ]
        note = f"Only the first {_ROWS_SHOWN} are shown." if len(members) > _ROWS_SHOWN else ""
        return table(["catalog query", "in API v1"], rows, note=note if rows else "No query holds it.")

    @admin.display(description="nested runs")
    def runs(self, obj: ContentMetadata) -> Any:
        runs = NestedRun.objects.filter(course=obj).order_by("run_key")[:_ROWS_SHOWN]
        return table(["run", ""], [(run.run_key, "restricted" if run.restricted else "") for run in runs])

    @admin.display(description="full record asked for")
    def record_requested(self, obj: ContentMetadata) -> Any:
        request = FullRecordRequest.objects.filter(pk=obj.pk).first()
        return localize(request.requested_at) if request else NOTHING

    @admin.display(description="review")
    def review(self, obj: ContentMetadata) -> str:
        review = CourseReview.objects.filter(pk=obj.pk).first()
        return f"{review.avg_course_rating} of {review.reviews_count}" if review else NOTHING

    @admin.display(description="item as served, without links")
    def item(self, obj: Any) -> Any:
        return _folded(orjson.loads(b"".join(_segments(obj.packed)[1:]) + b"}")) if obj.packed else NOTHING

    @admin.display(description="facts for links")
    def facts(self, obj: Any) -> Any:
        return _folded(orjson.loads(_segments(obj.packed)[0])) if obj.packed else NOTHING

    @admin.display(description="search document")
    def search_document(self, obj: Any) -> Any:
        return _folded(unpack(obj.packed.search_document)) if obj.packed else NOTHING

    @admin.display(description="full record")
    def full_record(self, obj: Any) -> Any:
        return _folded(unpack(obj.packed.full_record)) if obj.packed and obj.packed.full_record else NOTHING


@admin.register(CatalogContentChange)
class CatalogContentChangeAdmin(ReadOnlyAdmin):
    list_display = ["changed_at", "change", "content", "content_type", "query", "catalog", "run"]
    list_display_links = ["changed_at"]
    list_filter = ["change", "content_type", "changed_at"]
    list_select_related = ["catalog_query", "enterprise_catalog"]
    search_fields = ["content_key"]
    search_help_text = "A content key or its beginning (as written: case matters), or the uuid of a run"
    ordering = ["-id"]
    fields = ["changed_at", "change", "content", "content_type", "query", "catalog", "run"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogContentChange]:
        return super().get_queryset(request).defer("catalog_query__content_filter")

    def search_condition(self, term: str) -> Any:
        return starts_with("content_key", term) | has_uuid("refresh_run_uuid", term)

    @admin.display(description="content")
    def content(self, obj: CatalogContentChange) -> Any:
        return link(change_url(ContentMetadata, obj.content_key), obj.content_key)

    @admin.display(description="catalog query")
    def query(self, obj: CatalogContentChange) -> Any:
        return object_link(obj.catalog_query, short_query_name(obj.catalog_query))

    @admin.display(description="only in catalog")
    def catalog(self, obj: CatalogContentChange) -> Any:
        return object_link(obj.enterprise_catalog, obj.enterprise_catalog.title) if obj.enterprise_catalog else NOTHING

    @admin.display(description="run")
    def run(self, obj: CatalogContentChange) -> Any:
        return run_link(obj.refresh_run_uuid)


@admin.register(CourseReview)
class CourseReviewAdmin(ReadOnlyAdmin):
    list_display = ["course_key", "reviews_count", "avg_course_rating"]
    search_fields = ["course_key"]
    search_help_text = "A course key or its beginning (as written: case matters)"
    ordering = ["course_key"]

    def search_condition(self, term: str) -> Any:
        return starts_with("course_key", term)


def _segments(packed: ContentDocuments) -> list[bytes]:
    return unpack_bytes(packed.rendered).split(GAP)


def _folded(value: Any) -> SafeString:
    return collapsible(f"{len(value)} fields", document(value))
