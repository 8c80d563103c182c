"""Show catalog queries by the ids of the legacy API (LEG-18)."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.permissions import require_operator
from enterprise_catalog.apps.access.roles import VIEW_QUERIES
from enterprise_catalog.apps.api.common.pagination import PlainPagination
from enterprise_catalog.apps.api.common.params import is_row_id
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.openapi.bounds import ROW_ID, beyond
from enterprise_catalog.apps.api.openapi.parameters import PAGE_PARAMETERS, page_size_parameter
from enterprise_catalog.apps.api.serializers.legacy import LegacyQueriesSerializer, LegacyQuerySerializer
from enterprise_catalog.apps.catalog.models import CatalogQuery

_PAGE_SIZE = settings.LEGACY_QUERIES_PAGE_SIZE


class LegacyQueriesPagination(PlainPagination):
    page_size = max_page_size = _PAGE_SIZE


class QueriesView(LegacyView):
    @extend_schema(
        operation_id="list_legacy_catalog_queries",
        summary="Catalog queries, as edx-enterprise listed them",
        description="For operators, by id (LEG-18).",
        parameters=[
            PAGE_PARAMETERS[0],
            page_size_parameter(default=_PAGE_SIZE, most=_PAGE_SIZE),
        ],
        responses=LegacyQueriesSerializer,
    )
    def get(self, request: Request) -> Response:
        require_operator(request, or_permission=VIEW_QUERIES)
        pagination = LegacyQueriesPagination()
        page = pagination.paginate_queryset(CatalogQuery.objects.order_by("pk"), request)
        return pagination.get_paginated_response(LegacyQuerySerializer(page, many=True).data)


class QueryView(LegacyView):
    @extend_schema(
        operation_id="retrieve_legacy_catalog_query",
        summary="One catalog query, as edx-enterprise showed it",
        description="For operators (LEG-18).",
        parameters=[
            OpenApiParameter("identifier", beyond(ROW_ID, "404"), OpenApiParameter.PATH, description="Its id.")
        ],
        responses=LegacyQuerySerializer,
    )
    def get(self, request: Request, identifier: str) -> Response:
        query = CatalogQuery.objects.filter(pk=int(identifier)).first() if is_row_id(identifier) else None
        if query is None:
            raise NotFound("Not found.")
        require_operator(request, or_permission=VIEW_QUERIES)
        return Response(LegacyQuerySerializer(query).data)
