"""
Base class of admin pages whose rows are written by `services`: saving, deleting and refreshing.

An error of a service is shown where a person can act on it. No page calls another service; refreshes are requested and
done by workers (P6).
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from enterprise_catalog.apps.access.roles import CHANGE_QUERIES, Contexts, Grants, Roles
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.admin import query_panels
from enterprise_catalog.apps.console.admin.filter_previews import FilterPreviewAdmin
from enterprise_catalog.apps.console.admin.forms import request_state
from enterprise_catalog.apps.console.admin.refresh_runs import decisions
from enterprise_catalog.apps.console.display.html import change_url, link, list_url, object_link, page_url
from enterprise_catalog.apps.console.display.sentences import refreshes, warning_sentences
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalog_queries import SavedQuery
from enterprise_catalog.apps.services.catalogs import SavedCatalog
from enterprise_catalog.apps.services.errors import OperationError
from enterprise_catalog.apps.services.refreshes import request_refresh, request_refreshes


def grants_from_django_permissions(request: HttpRequest, *customers: UUID) -> Grants:
    """
    Return the grants of a user of the admin.

    Users who may change queries act for every customer. Others act for these customers only, so that a query which
    another customer shares is copied and not changed (QRY-7).
    """
    user = cast(User, request.user)
    if user.has_perm(CHANGE_QUERIES):
        roles = Roles(admin=Contexts(everywhere=True))
    else:
        roles = Roles(admin=Contexts(customers=frozenset(customers)))
    return Grants(roles=roles, permits=user.has_perm, is_of_admin_site=True)


class ServiceBackedAdmin(FilterPreviewAdmin):
    """Write through services, which subclasses name."""

    change_form_template = "console/change_form.html"
    actions = ["refresh_now"]
    # Fields of an old version, which is only shown: to restore it, people edit the row, and that is checked.
    version_fields: list[str] = []
    # The form of a new row, and the fields that are only shown in the form of a stored one.
    add_fieldsets: list[tuple[str | None, dict[str, list[str]]]] = []
    shown_fields: list[str] = []

    def change_fieldsets(self, request: HttpRequest, obj: Any) -> list[tuple[str | None, dict[str, list[str]]]]:
        """Return the form of a stored row."""
        raise NotImplementedError

    def refreshed_query(self, obj: Any) -> CatalogQuery:
        """Return the query that "Refresh now" refreshes for this row."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        raise NotImplementedError

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Describe a deletion without loading the rows that go with it, which may be tens of thousands."""
        rows = list(objs)
        needed = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        counts = {self.opts.verbose_name_plural: len(rows)}
        return [str(row) for row in rows], counts, needed, self.protecting_objects(rows)

    def protecting_objects(self, rows: list[Any]) -> list[str]:
        """Return descriptions of objects because of which these rows cannot be deleted."""
        return []

    # Errors of services

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Save in one transaction. If the service refuses, show the submitted form again with the reasons."""
        save = retry_lost_locks(super().changeform_view)
        try:
            return save(request, object_id, form_url, extra_context)
        except OperationError as refusal:
            request_state(request).refusal = refusal
            return save(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        # Django makes a class of its own for each request, so this says nothing about other requests.
        form.request_state = request_state(request)
        return form

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return retry_lost_locks(super().delete_view)(request, object_id, extra_context)
        except OperationError as refusal:
            return self._refused(request, refusal)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except OperationError as refusal:
            return self._refused(request, refusal)

    def _refused(self, request: HttpRequest, refusal: OperationError) -> HttpResponse:
        self.message_refusal(request, refusal)
        return HttpResponseRedirect(list_url(self.model))

    # Refreshing

    @admin.display(description="freshness")
    def freshness_now(self, obj: Any) -> str:
        return query_panels.freshness_of(self.refreshed_query(obj))

    @admin.display(description="last refreshes")
    def last_runs(self, obj: Any) -> Any:
        return query_panels.last_runs(self.refreshed_query(obj))

    def has_refresh_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may refresh, or may change the row, which also starts a refresh."""
        may_refresh = request.user.has_perm("catalog.refresh_catalogquery") and self.has_view_permission(request, obj)
        return may_refresh or self.has_change_permission(request, obj)

    def own_pages(self) -> dict[str, tuple[str, Callable[..., HttpResponseBase]]]:
        return {**super().own_pages(), "refresh": ("<path:object_id>/refresh/", require_POST(self.refresh_view))}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        tools = []
        if self.has_refresh_permission(request):
            tools = [{"label": "Refresh now", "url": page_url(self.model, "refresh", object_id)}]
        obj = self.get_object(request, unquote(object_id))
        if obj is not None:
            # The page of the run, which is among the last refreshes here, shows what it would change.
            held = RefreshRun.objects.filter(state=RefreshRun.State.HELD, catalog_query=self.refreshed_query(obj))
            tools += decisions(request, held.first(), approve="Approve held result", reject="Reject held result")
        buttons = {"tools": tools, "links": self.links(object_id)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})

    def links(self, object_id: str) -> list[dict[str, str]]:
        """Return links above the form, each with label and url."""
        return []

    def refresh_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start a run, or join the one that waits (REFR-3)."""
        obj = self.get_object_or_404(request, object_id)
        if not self.has_refresh_permission(request, obj):
            raise PermissionDenied
        run = request_refresh(query=self.refreshed_query(obj), trigger=RefreshRun.Trigger.OPERATOR)
        self.log_change(request, obj, f"Asked for a refresh: run {run.pk}.")
        self.message_run(request, run)
        return HttpResponseRedirect(change_url(self.model, obj.pk))

    @admin.action(description="Refresh now", permissions=["refresh"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        if not (rows := self.selected_rows(request, queryset)):
            return
        queries = {self.refreshed_query(obj).pk: self.refreshed_query(obj) for obj in rows}
        runs = request_refreshes(queries=queries.values(), trigger=RefreshRun.Trigger.OPERATOR)
        for obj in rows:
            self.log_change(request, obj, "Asked for a refresh.")
        if len(runs) == 1:
            self.message_run(request, runs[0])
            return
        self.message_user(request, format_html("{} on their way.", link(list_url(RefreshRun), refreshes(len(runs)))))

    def selected_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Return the rows of an action; none, with a message, if there are more than BULK_LIMIT."""
        rows = list(queryset[: settings.BULK_LIMIT + 1])
        if len(rows) <= settings.BULK_LIMIT:
            return rows
        self.message_user(request, f"At most {settings.BULK_LIMIT} rows at once; select fewer.", messages.ERROR)
        return []

    def message_run(self, request: HttpRequest, run: RefreshRun | None) -> None:
        if run is not None:
            self.message_user(request, format_html("A refresh is on its way: run {}.", object_link(run, run.pk)))

    def message_saved(self, request: HttpRequest, saved: SavedCatalog | SavedQuery) -> None:
        """Show the run that saving started, and the warnings about the filter (CRUD-10)."""
        self.message_run(request, saved.refresh_run)
        for sentence in warning_sentences(saved.filter_warnings):
            self.message_user(request, sentence, messages.WARNING)

    # History

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().history_view(request, object_id, extra_context)
        except (ValueError, ValidationError) as error:
            raise Http404 from error

    @method_decorator(require_GET)
    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show an old version. GET only, since the library would save a POST without the services."""
        request_state(request).shows_version = True
        try:
            return super().history_form_view(request, object_id, version_id, extra_context)
        except (ValueError, ValidationError) as error:
            raise Http404 from error

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if request_state(request).shows_version:
            return [(None, {"fields": self.version_fields})]
        return self.add_fieldsets if obj is None else self.change_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if request_state(request).shows_version:
            return self.version_fields
        return [] if obj is None else self.shown_fields
