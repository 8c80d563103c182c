"""Create, read, update and delete catalogs (CRUD-1 to CRUD-10), and request refreshes (REFR-1)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_catalog_or_404, list_catalogs_for
from enterprise_catalog.apps.access.permissions import ADD, ADMIN, CHANGE, VIEW, queries_to_show_titles_of
from enterprise_catalog.apps.access.roles import Grants, grants_of
from enterprise_catalog.apps.api.common.filters import CatalogFilters, filtered
from enterprise_catalog.apps.api.common.pagination import PlainPagination
from enterprise_catalog.apps.api.common.params import json_body
from enterprise_catalog.apps.api.common.save_responses import save_headers, service_errors_as_http
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import PAGE_PARAMETERS, SAVE_HEADERS
from enterprise_catalog.apps.api.openapi.schema import FIELD_ERRORS, ErrorResponse
from enterprise_catalog.apps.api.serializers.catalogs import (
    CatalogCreateSerializer,
    CatalogSerializer,
    CatalogsSerializer,
    CatalogUpdateSerializer,
)
from enterprise_catalog.apps.api.serializers.refresh_runs import RefreshSerializer
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.catalogs import delete_catalog, save_catalog
from enterprise_catalog.apps.services.refreshes import asker, request_refresh


class CatalogListView(ApiView):
    @extend_schema(
        operation_id="list_catalogs",
        summary="Catalogs",
        description="Those of the caller's customers, the oldest first; an operator's are all (CRUD-3).",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("enterprise_customer", UUID, description="Only those of this customer."),
        ],
        responses=CatalogsSerializer,
    )
    def get(self, request: Request, **_: Any) -> Response:
        catalogs = filtered(CatalogFilters, request, list_catalogs_for(request))
        pagination = PlainPagination()
        page = pagination.paginate_queryset(catalogs, request)
        return pagination.get_paginated_response(serialize(page, grants_of(request)))


class CatalogsView(CatalogListView):
    @extend_schema(
        operation_id="create_catalog",
        summary="Create a catalog",
        description=(
            "A catalog always has a query; which one follows from the filter, uuid and title that are sent (QRY-1 to "
            "QRY-9). Starts a refresh (REFR-2)."
        ),
        parameters=SAVE_HEADERS,
        request=CatalogCreateSerializer,
        responses={
            200: OpenApiResponse(CatalogSerializer, "It was created before, with the same values (CRUD-5)."),
            201: CatalogSerializer,
            409: ErrorResponse("A catalog with this uuid has other values (CRUD-5).", FIELD_ERRORS),
        },
    )
    def post(self, request: Request, **_: Any) -> Response:
        body = json_body(request)
        # Permission comes first: callers without it do not learn what else is wrong (CRUD-4).
        ADD.require(grants_of(request), customer_named_in(body))
        return save(request, catalog=None, serializer=CatalogCreateSerializer(data=body))


class CatalogDetailView(ApiView):
    @extend_schema(
        operation_id="retrieve_catalog", summary="One catalog", description="CRUD-6.", responses=CatalogSerializer
    )
    def get(self, request: Request, uuid: str, **_: Any) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=VIEW)
        return Response(serialize([catalog], grants_of(request))[0])


class CatalogView(CatalogDetailView):
    @extend_schema(
        operation_id="replace_catalog",
        summary="Replace what a catalog says",
        description="Another filter, or another query, starts a refresh. A uuid that is sent is ignored (CRUD-7).",
        parameters=SAVE_HEADERS,
        request=CatalogUpdateSerializer,
        responses=CatalogSerializer,
    )
    def put(self, request: Request, uuid: str, **_: Any) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=CHANGE)
        return save(request, catalog=catalog, serializer=CatalogUpdateSerializer(data=json_body(request)))

    @extend_schema(
        operation_id="change_catalog",
        summary="Change some of what a catalog says",
        description="What is not sent stays (CRUD-8).",
        parameters=SAVE_HEADERS,
        request=CatalogUpdateSerializer(partial=True),
        responses=CatalogSerializer,
    )
    def patch(self, request: Request, uuid: str, **_: Any) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=CHANGE)
        return save(request, catalog=catalog, serializer=CatalogUpdateSerializer(data=json_body(request), partial=True))

    @extend_schema(
        operation_id="delete_catalog",
        summary="Delete a catalog",
        description="Its query stays for 30 days, by its uuid and title (CRUD-9).",
        responses={204: OpenApiResponse(description="Deleted.")},
    )
    def delete(self, request: Request, uuid: str, **_: Any) -> Response:
        with service_errors_as_http(gone=catalog_not_found()):
            delete_catalog(catalog=get_catalog_or_404(request, uuid, access=ADMIN))
        return Response(status=204)


class RefreshMetadataView(ApiView):
    @extend_schema(
        operation_id="refresh_catalog",
        summary="Ask for a refresh",
        description=(
            "Answers with the run that serves this request, which may have waited before (REFR-1, REFR-3), or have "
            "published a few minutes ago (RUN-8)."
        ),
        request=None,
        responses=RefreshSerializer,
    )
    def post(self, request: Request, uuid: str) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=ADMIN)
        asked_by = asker(grants=grants_of(request), customer=catalog.enterprise_uuid)
        run = request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.REQUEST, asked_by=asked_by)
        return Response(RefreshSerializer(run).data)


def customer_named_in(body: Any) -> UUID | None:
    return parse_uuid(body.get("enterprise_customer")) if isinstance(body, dict) else None


def save(request: Request, *, catalog: EnterpriseCatalog | None, serializer: CatalogUpdateSerializer) -> Response:
    """Validate the body, let the service save it, and answer with what is stored (CRUD-10)."""
    grants = grants_of(request)
    customer = customer_named_in(serializer.initial_data)
    if catalog is not None and customer is not None:
        CHANGE.require(grants, customer)
    serializer.is_valid(raise_exception=True)
    with service_errors_as_http(gone=catalog_not_found()):
        saved = save_catalog(catalog=catalog, values=serializer.validated_data, grants=grants)
    status = 201 if saved.created else 200
    (answer,) = serialize([saved.catalog], grants)
    return Response(answer, status=status, headers=save_headers(saved))


def serialize(catalogs: Iterable[EnterpriseCatalog], grants: Grants) -> Any:
    """Serialize catalogs; titles of queries are shown only to callers who may know them (CRUD-1)."""
    rows = list(catalogs)
    titled = queries_to_show_titles_of([catalog.catalog_query for catalog in rows], grants=grants)
    return CatalogSerializer(rows, many=True, context={"titled": titled}).data


def catalog_not_found() -> NotFound:
    return NotFound("No EnterpriseCatalog matches the given query.")
