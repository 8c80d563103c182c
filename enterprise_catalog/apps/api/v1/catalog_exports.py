"""Export a catalog's content as a CSV or Excel file (EXP-1)."""

from collections.abc import Iterable
from functools import partial

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from enterprise_catalog.apps.access.object_access import get_catalog_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import header
from enterprise_catalog.apps.core.rest.renderers import JSONRenderer
from enterprise_catalog.apps.core.rest.streaming import attachment
from enterprise_catalog.apps.services.exports import CONTENT_TYPES, CSV, XLSX, export_catalog, filename

_DESCRIPTION = "A row for each item that the catalog lists, in the order of content keys (EXP-1)."
_HEADERS = [
    header(
        "Content-Disposition",
        {"type": "string", "pattern": "^attachment; filename="},
        "The name of the file, which names the catalog.",
        on=[200],
        required=True,
    ),
]


class NamedByPath(BaseContentNegotiation):
    """Ignore `Accept`, since the path names the format; errors are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ExportView(ApiView):
    may_read_replica = True
    renderer_classes = [JSONRenderer]
    content_negotiation_class = NamedByPath

    def file(self, request: Request, uuid: str, kind: str) -> HttpResponseBase:
        catalog = get_catalog_or_404(request, uuid, access=LEARNER)
        return attachment(
            request,
            pieces=partial(export_catalog, catalog=catalog, api_version=self.api_version, kind=kind),
            content_type=CONTENT_TYPES[kind],
            filename=filename(catalog=catalog, kind=kind),
        )


class CsvView(ExportView):
    @extend_schema(
        operation_id="export_catalog_csv",
        summary="What is in a catalog, as a CSV file",
        description=_DESCRIPTION,
        parameters=_HEADERS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, uuid: str) -> HttpResponseBase:
        return self.file(request, uuid, CSV)


class XlsxView(ExportView):
    @extend_schema(
        operation_id="export_catalog_xlsx",
        summary="What is in a catalog, as an Excel file",
        description=_DESCRIPTION,
        parameters=_HEADERS,
        responses={(200, CONTENT_TYPES[XLSX]): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, uuid: str) -> HttpResponseBase:
        return self.file(request, uuid, XLSX)
