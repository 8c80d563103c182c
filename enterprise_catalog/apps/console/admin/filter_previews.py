"""
Preview a content filter before it is saved: checks while typing, the page of a preview, and saving its filter.

A worker fills the row of a preview (P6); these pages only read it. Nothing is saved before a person confirms, and then
by the same service as the form's.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import label_for_field, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from simple_history.admin import SimpleHistoryAdmin

from enterprise_catalog.apps.catalog.content_filters.warnings import filter_warnings
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.console.admin.changelists import BoundedAdmin, parse_pasted_uuid
from enterprise_catalog.apps.console.admin.forms import ContentFilterField, refusal_texts, request_state
from enterprise_catalog.apps.console.display.html import (
    change_url,
    difference_table,
    document,
    link,
    object_link,
    page_url,
    pretty,
    table,
)
from enterprise_catalog.apps.console.display.sentences import preview_progress, query_name, warning_sentences
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.services.errors import InvalidValues, OperationError
from enterprise_catalog.apps.services.filter_previews import compare, has_ended, preview_filter

_POLLED = (
    *("state", "requests_done", "requests_expected", "reason_code", "reason_detail"),
    *("catalog_uuid", "catalog_query_id"),
)


class FilterPreviewAdmin(BoundedAdmin, SimpleHistoryAdmin):
    """Add previews to forms with a content filter. Subclasses say for which row, and how a filter is saved."""

    # The library's template has a style attribute, which the content security policy forbids (SEC-3).
    object_history_list_template = "console/history.html"

    # The column of FilterPreview, and the argument of `preview_filter`, that name the row.
    preview_column = ""
    preview_argument = ""

    def use_filter(self, request: HttpRequest, obj: Any, content_filter: dict[str, Any]) -> None:
        """Save the filter for this row, and show messages about it. Raises OperationError."""
        raise NotImplementedError

    def consequences(self, obj: Any) -> str:
        """Say which catalogs change with this row's filter."""
        raise NotImplementedError

    def own_pages(self) -> dict[str, tuple[str, Callable[..., HttpResponseBase]]]:
        return {
            **super().own_pages(),
            "check_filter": ("check-filter/", require_POST(self.check_filter_view)),
            "preview": ("preview/<uuid:preview_uuid>/", self.preview_view),
            "preview_state": ("preview/<uuid:preview_uuid>/state/", self.preview_state_view),
            "use_preview": ("preview/<uuid:preview_uuid>/use/", require_POST(self.use_preview_view)),
        }

    # The form

    def check_filter_view(self, request: HttpRequest) -> HttpResponse:
        """Return the errors and warnings that saving this text would cause (QRY-8), and the text indented."""
        self._require_any_write_permission(request)
        try:
            content_filter = ContentFilterField(required=False).clean(request.POST.get("content_filter", ""))
        except ValidationError as error:
            return JsonResponse({"errors": error.messages, "warnings": [], "tidy": None})
        warnings = warning_sentences(filter_warnings(content_filter or {}))
        tidy = None if content_filter is None else pretty(content_filter)
        return JsonResponse({"errors": [], "warnings": warnings, "tidy": tidy})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Start a preview, or show the values of one. A form with an error of a service is shown as it is."""
        if request.method == "POST" and "_preview" in request.POST and request_state(request).refusal is None:
            return self._start_preview(request, object_id)
        if request.method == "GET" and "preview" in request.GET:
            self._restore_draft(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _start_preview(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Request a preview and redirect to it. Raises InvalidValues, which the form shows, for an invalid filter."""
        self._require_any_write_permission(request)
        obj = None if object_id is None else self.get_object_or_404(request, object_id)
        self._require_write_permission(request, obj)
        form: Any = self.get_form(request, obj, change=obj is not None)(request.POST, instance=obj)
        if "content_filter" in form.errors:
            raise InvalidValues({"": ["There is no preview of this, and nothing was saved."]})
        content_filter = form.cleaned_data.get("content_filter")
        if content_filter is None:
            raise InvalidValues({"content_filter": ["Write a content filter to see what it would return."]})
        preview = preview_filter(
            content_filter=content_filter, user_id=request.user.pk, typed=form.typed(), **{self.preview_argument: obj}
        )
        return HttpResponseRedirect(page_url(self.model, "preview", preview.pk))

    def _restore_draft(self, request: HttpRequest, object_id: str | None) -> None:
        """Fill the form with what was typed before the preview; of another person's preview only with the filter."""
        writes = self.has_add_permission if object_id is None else self.has_change_permission
        uuid = parse_pasted_uuid(request.GET["preview"])
        preview = FilterPreview.objects.filter(pk=uuid).first() if uuid and writes(request) else None
        if preview is None or not self._is_for_this_page(preview):
            return
        key = getattr(preview, self.preview_column)
        if (None if key is None else str(key)) != (None if object_id is None else unquote(object_id)):
            return
        typed = preview.typed if preview.requested_by == request.user.pk else {}
        request_state(request).draft = typed | {"content_filter": preview.content_filter}
        self.message_user(request, "This is what was typed for the preview. It is not saved yet.")

    # The preview

    def preview_view(self, request: HttpRequest, preview_uuid: UUID) -> HttpResponse:
        preview, obj = self._find(request, preview_uuid)
        back = page_url(self.model, "add") if obj is None else change_url(self.model, obj.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Preview of a content filter",
            "opts": self.opts,
            "preview": preview,
            "original": obj,
            "row_url": None if obj is None else back,
            "back_url": f"{back}?preview={preview.pk}",
            "state_url": page_url(self.model, "preview_state", preview.pk),
            "use_url": None if obj is None else page_url(self.model, "use_preview", preview.pk),
            "progress": preview_progress(preview),
            "typed": [label_for_field(name, self.model) for name in preview.typed] if obj else [],
            "filter": document(preview.content_filter),
            "warnings": warning_sentences(filter_warnings(preview.content_filter)),
            "consequences": "" if obj is None else self.consequences(obj),
        }
        if preview.state == FilterPreview.State.DONE:
            context |= _findings(preview)
        return TemplateResponse(request, "console/preview.html", context)

    def preview_state_view(self, request: HttpRequest, preview_uuid: UUID) -> HttpResponse:
        """Return the progress of a preview, which its page polls."""
        preview, _ = self._find(request, preview_uuid, *_POLLED)
        return JsonResponse(
            {
                "ended": has_ended(preview),
                "done": preview.requests_done,
                "expected": preview.requests_expected,
                "text": preview_progress(preview),
            }
        )

    def use_preview_view(self, request: HttpRequest, preview_uuid: UUID) -> HttpResponse:
        """Save the filter of a preview that is done."""
        preview, obj = self._find(request, preview_uuid)
        if obj is None or preview.state != FilterPreview.State.DONE:
            self.message_user(request, "There is no result that could be used for a row.", messages.ERROR)
            return HttpResponseRedirect(page_url(self.model, "preview", preview.pk))
        try:
            self.use_filter(request, obj, preview.content_filter)
        except OperationError as refusal:
            self.message_refusal(request, refusal)
            return HttpResponseRedirect(page_url(self.model, "preview", preview.pk))
        self.log_change(request, obj, f"Saved the content filter of preview {preview.pk}.")
        return HttpResponseRedirect(change_url(self.model, obj.pk))

    def message_refusal(self, request: HttpRequest, refusal: OperationError) -> None:
        for texts in refusal_texts(refusal).values():
            for text in texts:
                self.message_user(request, text, messages.ERROR)

    def _find(self, request: HttpRequest, preview_uuid: UUID, *columns: str) -> tuple[FilterPreview, Any]:
        """Return the preview and its row, which is None for a new one. Raises Http404 and PermissionDenied."""
        self._require_any_write_permission(request)
        preview = FilterPreview.objects.filter(pk=preview_uuid).only(*columns).first()
        if preview is None or not self._is_for_this_page(preview):
            raise Http404
        key = getattr(preview, self.preview_column)
        obj = None if key is None else self.get_object_or_404(request, str(key))
        self._require_write_permission(request, obj)
        return preview, obj

    def _is_for_this_page(self, preview: FilterPreview) -> bool:
        """Return False for previews of another model."""
        return {preview.catalog_uuid, preview.catalog_query_id} <= {getattr(preview, self.preview_column), None}

    def _require_any_write_permission(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied

    def _require_write_permission(self, request: HttpRequest, obj: Any) -> None:
        may_write = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        if not may_write:
            raise PermissionDenied


def _findings(preview: FilterPreview) -> dict[str, Any]:
    """Return what a finished preview found, for the template."""
    comparison = compare(preview)
    owner, difference = comparison.owner, comparison.difference
    return {
        "comparison": comparison,
        "first_items": _items_table(preview),
        "difference": difference and difference_table(added=difference.added, removed=list(difference.removed)),
        "owner": owner and object_link(owner, query_name(owner)),
    }


def _items_table(preview: FilterPreview) -> SafeString:
    items = preview.first_items or []
    known = set(ContentMetadata.objects.filter(pk__in=[key for key, _, _ in items]).values_list("pk", flat=True))
    rows = [
        (link(change_url(ContentMetadata, key), key) if key in known else f"{key} (new here)", content_type, title)
        for key, content_type, title in items
    ]
    return table(["key", "type", "title"], rows, note="" if rows else "This filter finds nothing.")
