"""Add the admin action "Attach to another query": choose a query for the selected catalogs, and confirm."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.admin.base import ServiceBackedAdmin, grants_from_django_permissions
from enterprise_catalog.apps.console.admin.forms import QueryChooser
from enterprise_catalog.apps.console.display.html import list_url, object_link, table
from enterprise_catalog.apps.console.display.sentences import plural, short_query_name
from enterprise_catalog.apps.services.bulk_attach import attach_catalogs

_CATALOGS_SHOWN = 50


class BulkAttachAdmin(ServiceBackedAdmin):
    """Offer the action in the list of catalogs."""

    actions = [*ServiceBackedAdmin.actions, "attach_to_query"]

    @admin.action(description="Attach to another query ...", permissions=["change"])
    def attach_to_query(self, request: HttpRequest, queryset: QuerySet[EnterpriseCatalog]) -> HttpResponse | None:
        if not (catalogs := self.selected_rows(request, queryset)):
            return None
        form = self._form(request)
        if not form.is_valid():
            return self._choose(request, form, catalogs)
        query = form.cleaned_data["catalog_query"]
        customers = {catalog.enterprise_uuid for catalog in catalogs}
        attached = attach_catalogs(
            catalogs=catalogs, query=query, grants=grants_from_django_permissions(request, *customers)
        )
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
            for catalog in catalogs[:_CATALOGS_SHOWN]
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
