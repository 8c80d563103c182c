"""Show refresh runs, and approve or reject held ones through `services`."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from enterprise_catalog.apps.console.admin.changelists import ReadOnlyAdmin, has_uuid
from enterprise_catalog.apps.console.display.catalog_labels import CatalogLabels
from enterprise_catalog.apps.console.display.html import (
    NOTHING,
    change_url,
    difference_table,
    object_link,
    page_url,
    table,
)
from enterprise_catalog.apps.console.display.sentences import query_name, short_query_name, short_uuid
from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.publishing import membership_difference
from enterprise_catalog.apps.services.refresh_runs import RunNotHeld, approve_run, reject_run

_ROWS_SHOWN = 100


@admin.register(RefreshRun)
class RefreshRunAdmin(ReadOnlyAdmin):
    change_form_template = "console/change_form.html"
    list_display = ["requested_at", "state", "query", "trigger", "found", "added", "removed", "reason_code"]
    list_filter = ["state", "trigger", "requested_at"]
    search_fields = ["uuid"]
    search_help_text = "The uuid of a run or of a catalog query, in any form"
    ordering = ["-requested_at"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("uuid", "query_in_full", "users", "state", "trigger", "forced", "requests", "attempts"),
                    *("requested_at", "started_at", "finished_at", "lease_until"),
                ]
            },
        ),
        ("Outcome", {"fields": ["reason_code", "reason_detail", "what_to_do", "counted", "held", "quarantined"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefreshRun]:
        runs = super().get_queryset(request).select_related("catalog_query")
        return runs.defer("held_keys", "catalog_query__content_filter")

    def search_condition(self, term: str) -> Any:
        return has_uuid("uuid", term) | has_uuid("catalog_query_uuid", term)

    # Deciding

    def own_pages(self) -> dict[str, tuple[str, Callable[..., HttpResponseBase]]]:
        return {
            "approve": ("<path:object_id>/approve/", require_POST(self.approve_view)),
            "reject": ("<path:object_id>/reject/", require_POST(self.reject_view)),
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, unquote(object_id))
        tools = {"tools": decisions(request, run, approve="Approve: publish it", reject="Reject: keep the old set")}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **tools})

    def approve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Publish a held result. A first POST shows a page with the changes; the second, from there, approves."""
        run = self.get_object(request, unquote(object_id))
        if run and "confirmed" not in request.POST and decisions(request, run, approve=""):
            return self._confirm(request, run)
        return self._decide(request, object_id, approve_run, "Approved: the held set is published.")

    def reject_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, reject_run, "Rejected: the old set stays.")

    def _confirm(self, request: HttpRequest, run: RefreshRun) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Approve a held result",
            "opts": self.opts,
            "run": run,
            "run_url": change_url(RefreshRun, run.pk),
            "query": self.query_in_full(run),
            "users": self.users(run),
            "difference": self.held(run),
        }
        return TemplateResponse(request, "console/approve.html", context)

    def _decide(
        self, request: HttpRequest, object_id: str, decision: Callable[..., RefreshRun], done: str
    ) -> HttpResponse:
        if not _may_decide(request):
            raise PermissionDenied
        run = self.get_object_or_404(request, object_id)
        try:
            decision(run_uuid=run.pk)
        except RunNotHeld as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.log_change(request, run, done)
            self.message_user(request, done)
        return HttpResponseRedirect(change_url(RefreshRun, run.pk))

    # Showing

    @admin.display(description="catalog query")
    def query(self, obj: RefreshRun) -> Any:
        if obj.catalog_query is None:
            return f"{short_uuid(obj.catalog_query_uuid)} (deleted)"
        return object_link(obj.catalog_query, short_query_name(obj.catalog_query))

    @admin.display(description="catalog query")
    def query_in_full(self, obj: RefreshRun) -> Any:
        if obj.catalog_query is None:
            return f"{obj.catalog_query_uuid} (deleted)"
        return object_link(obj.catalog_query, query_name(obj.catalog_query))

    @admin.display(description="used by")
    def users(self, obj: RefreshRun) -> Any:
        return CatalogLabels([obj.catalog_query_id]).of(obj.catalog_query_id)

    @admin.display(description="what to do")
    def what_to_do(self, obj: RefreshRun) -> Any:
        return next((reason.advice for reason in RefreshRun.Reason if reason == obj.reason_code), NOTHING)

    @admin.display(description="items")
    def found(self, obj: RefreshRun) -> Any:
        return _count(obj, "total")

    @admin.display(description="added")
    def added(self, obj: RefreshRun) -> Any:
        return _count(obj, "added")

    @admin.display(description="removed")
    def removed(self, obj: RefreshRun) -> Any:
        return _count(obj, "removed")

    @admin.display(description="counts")
    def counted(self, obj: RefreshRun) -> Any:
        counts = obj.counts or {}
        return table(list(counts), [list(counts.values())]) if counts else NOTHING

    @admin.display(description="what it would change")
    def held(self, obj: RefreshRun) -> Any:
        """Compare with the members of now, which may have changed since the result was held."""
        if obj.state != RefreshRun.State.HELD or obj.held_keys is None or obj.catalog_query_id is None:
            return NOTHING
        difference = membership_difference(query_id=obj.catalog_query_id, content_keys=unpack(obj.held_keys))
        changes = difference_table(added=difference.added, removed=list(difference.removed))
        return format_html("<p>{} members now.</p>{}", difference.before, changes)

    @admin.display(description="quarantined documents")
    def quarantined(self, obj: RefreshRun) -> Any:
        documents = QuarantinedDocument.objects.filter(refresh_run=obj)
        rows = list(documents.order_by("pk").values_list("content_key", "reason")[: _ROWS_SHOWN + 1])
        note = f"Only the first {_ROWS_SHOWN} are shown." if len(rows) > _ROWS_SHOWN else ""
        return table(["key", "reason"], rows[:_ROWS_SHOWN], note=note)


def decisions(request: HttpRequest, run: RefreshRun | None, **labels: str) -> list[dict[str, str]]:
    """Return the buttons that decide about a held run; none for users who may not decide."""
    if run is None or run.state != RefreshRun.State.HELD or not _may_decide(request):
        return []
    return [{"label": label, "url": page_url(RefreshRun, name, run.pk)} for name, label in labels.items()]


def _may_decide(request: HttpRequest) -> bool:
    return request.user.has_perm("refresh.change_refreshrun")


def _count(run: RefreshRun, name: str) -> Any:
    return (run.counts or {}).get(name)
