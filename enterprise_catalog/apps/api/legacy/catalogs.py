"""List catalogs, and show one with a page of its content, as edx-enterprise did (LEG-3 to LEG-11)."""

from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_legacy_catalog_to_read_or_404, list_legacy_catalogs_for
from enterprise_catalog.apps.api.common.filters import ORDERING_COLUMNS, LegacyCatalogFilters, filtered
from enterprise_catalog.apps.api.common.pagination import (
    CatalogPagination,
    PageRequest,
    get_page_or_404,
    page_request,
    page_size,
)
from enterprise_catalog.apps.api.legacy.views import LegacyView, ignored_parameters, url_of_page
from enterprise_catalog.apps.api.openapi.bounds import NAMING_HEADER, ROW_ID, TITLE_MAX_LENGTH, beyond
from enterprise_catalog.apps.api.openapi.parameters import (
    PAGE_NUMBER,
    PAGE_PARAMETERS,
    header,
    page_parameter,
    page_size_parameter,
)
from enterprise_catalog.apps.api.serializers.legacy import (
    LegacyCatalogSerializer,
    LegacyCatalogsSerializer,
    LegacyContentSerializer,
)
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.rendering.legacy_items import legacy_item_filler
from enterprise_catalog.apps.catalog.rendering.template_filler import url_context
from enterprise_catalog.apps.core.rest.renderers import RawJson
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.customers.selectors import get_customer

# Text that is not a uuid belongs to no catalog.
_UUID = beyond({"type": "string", "maxLength": 36}, "404")
_HONOURED = {"page", "page_size", "uuid", "enterprise_customer"}


class CatalogsView(LegacyView):
    @extend_schema(
        operation_id="list_legacy_catalogs",
        summary="Catalogs, as edx-enterprise listed them",
        description="Those of the caller's customers; an operator's are all (LEG-3).",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("uuid", {"type": "string", "format": "uuid"}),
            OpenApiParameter("title", beyond({"type": "string", "maxLength": TITLE_MAX_LENGTH}, "matches nothing")),
            OpenApiParameter("enterprise_customer", {"type": "string", "format": "uuid"}),
            OpenApiParameter("enterprise_catalog_query", ROW_ID),
            OpenApiParameter(
                "ordering",
                {"type": "string", "maxLength": settings.ORDERING_MAX_CHARACTERS},
                description=f"One or more of {', '.join(ORDERING_COLUMNS)}, `-` for descending.",
            ),
        ],
        responses=LegacyCatalogsSerializer,
    )
    def get(self, request: Request, **_: Any) -> Response:
        catalogs = filtered(LegacyCatalogFilters, request, list_legacy_catalogs_for(request))
        pagination = CatalogPagination()
        page = pagination.paginate_queryset(catalogs, request)
        return pagination.get_paginated_response(LegacyCatalogSerializer(page, many=True).data)


class CatalogView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_legacy_catalog",
        summary="One catalog with a page of its content, as edx-enterprise showed it",
        description="Courses, runs with enrollable seats and programs for one-click purchase (LEG-4, LEG-5). Whatever "
        "else is asked of discovery is ignored, and named in a header (LEG-9).",
        parameters=[
            page_parameter(numbers=PAGE_NUMBER, description="From 1."),
            page_size_parameter(default=settings.LEGACY_PAGE_SIZE_DEFAULT, most=settings.LEGACY_PAGE_SIZE_MAX),
            OpenApiParameter("uuid", _UUID, description="404 unless it is this catalog's."),
            OpenApiParameter("enterprise_customer", _UUID, description="404 unless it is that of this catalog."),
            header(
                "X-Catalog-Ignored-Params",
                NAMING_HEADER,
                "Percent-encoded names of parameters that do nothing here, with commas between; 20 at most (LEG-9).",
                on=[200],
            ),
        ],
        responses=LegacyContentSerializer,
    )
    def get(self, request: Request, uuid: str, **_: Any) -> Response:
        catalog = get_legacy_catalog_to_read_or_404(request, uuid)
        require_same(request, catalog)
        wanted = content_page_request(request)
        customer = get_customer(catalog.enterprise_uuid)
        fill = legacy_item_filler(url_context(catalog, customer), now=timezone.now())
        page = get_page_or_404(wanted, getattr(catalog.catalog_query, self.api_version.count))
        slice_ = PageSlice(page.offset, page.size)
        items = page_of_listed(query=catalog.catalog_query, cut=slice_, api_version=self.api_version)
        url = partial(url_of_page, request)
        return Response(
            {
                **LegacyCatalogSerializer(catalog).data,
                "count": page.count,
                "previous": url(page.number - 1) if page.number > 1 else None,
                "next": url(page.number + 1) if page.number < page.last else None,
                "results": [RawJson(fill(item)) for item in items],
            },
            headers=ignored_parameters(request, honoured=_HONOURED),
        )


def require_same(request: Request, catalog: EnterpriseCatalog) -> None:
    """Raise 404 if a parameter contradicts the catalog in the path (LEG-9)."""
    for name, own in (("uuid", catalog.uuid), ("enterprise_customer", catalog.enterprise_uuid)):
        asked = request.query_params.get(name)
        if asked and parse_uuid(asked) != own:
            raise NotFound("Not found.")


def content_page_request(request: Request) -> PageRequest:
    """Read page and size; `last` is 404 here (LEG-9, LEG-10)."""
    wanted = page_request(request)
    if not wanted.number:
        raise NotFound("Invalid page.")
    size = page_size(request, default=settings.LEGACY_PAGE_SIZE_DEFAULT, most=settings.LEGACY_PAGE_SIZE_MAX)
    return PageRequest(wanted.number, size)
