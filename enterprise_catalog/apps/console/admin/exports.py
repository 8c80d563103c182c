"""Let staff who may view a catalog download its content as CSV or XLSX (EXP-1)."""

from functools import partial

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse

from enterprise_catalog.apps.catalog.api_versions import V1
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.console.admin.base import ServiceBackedAdmin
from enterprise_catalog.apps.core.rest.streaming import attachment
from enterprise_catalog.apps.services.exports import CONTENT_TYPES, export_catalog, filename


class ExportAdmin(ServiceBackedAdmin):
    """Offer the downloads on the page of a catalog."""

    def get_urls(self) -> list[URLPattern]:
        exports = [
            path(
                f"<path:object_id>/export.{kind}",
                self.admin_site.admin_view(self.export_view),
                {"kind": kind},
                name=f"catalog_enterprisecatalog_export_{kind}",
            )
            for kind in CONTENT_TYPES
        ]
        return [*exports, *super().get_urls()]

    def links(self, object_id: str) -> list[dict[str, str]]:
        return [
            {
                "label": f"Export {kind.upper()}",
                "url": reverse(f"admin:catalog_enterprisecatalog_export_{kind}", args=[object_id]),
            }
            for kind in CONTENT_TYPES
        ]

    def export_view(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponseBase:
        catalog: EnterpriseCatalog | None = self.get_object(request, unquote(object_id))
        if catalog is None:
            raise Http404
        if not self.has_view_permission(request, catalog):
            raise PermissionDenied
        return attachment(
            request,
            pieces=partial(export_catalog, catalog=catalog, api_version=V1, kind=kind),
            content_type=CONTENT_TYPES[kind],
            filename=filename(catalog=catalog, kind=kind),
        )
