"""Catalog queries under the ids that the legacy surface knows them by (LEG-18)."""

import json
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.permissions import require_operator
from enterprise_catalog.apps.access.roles import VIEW_QUERIES
from enterprise_catalog.apps.api.common.bounds import ROW_ID, beyond
from enterprise_catalog.apps.api.common.pagination import (
    PageRequest,
    get_page_or_404,
    page_request,
    page_size,
    plain_envelope,
)
from enterprise_catalog.apps.api.common.params import is_row_id
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.serializers.legacy import LegacyQueriesShape, LegacyQueryShape
from enterprise_catalog.apps.api.serializers.shapes import PAGE_PARAMETERS, page_size_parameter
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.rest.renderers import RawJson

_PAGE_SIZE = settings.LEGACY_QUERIES_PAGE_SIZE


class QueriesView(LegacyView):
    @extend_schema(
        operation_id="list_legacy_catalog_queries",
        summary="Catalog queries, as edx-enterprise listed them",
        description="For operators, by id (LEG-18).",
        parameters=[PAGE_PARAMETERS[0], page_size_parameter(default=_PAGE_SIZE, most=_PAGE_SIZE)],
        responses=LegacyQueriesShape,
    )
    def get(self, request: Request) -> Response:
        require_operator(request, or_permission=VIEW_QUERIES)
        queries = CatalogQuery.objects.order_by("pk")
        size = page_size(request, default=_PAGE_SIZE, most=_PAGE_SIZE)
        wanted = PageRequest(page_request(request).number, size)
        page = get_page_or_404(wanted, queries.count())
        rows = queries[page.offset : page.offset + page.size]
        return Response(plain_envelope(request, page, [query_representation(query) for query in rows]))


class QueryView(LegacyView):
    @extend_schema(
        operation_id="retrieve_legacy_catalog_query",
        summary="One catalog query, as edx-enterprise showed it",
        description="For operators (LEG-18).",
        parameters=[
            OpenApiParameter("identifier", beyond(ROW_ID, "404"), OpenApiParameter.PATH, description="Its id.")
        ],
        responses=LegacyQueryShape,
    )
    def get(self, request: Request, identifier: str) -> Response:
        query = CatalogQuery.objects.filter(pk=int(identifier)).first() if is_row_id(identifier) else None
        if query is None:
            raise NotFound("Not found.")
        require_operator(request, or_permission=VIEW_QUERIES)
        return Response(query_representation(query))


def query_representation(query: CatalogQuery) -> dict[str, Any]:
    return {
        "id": query.pk,
        "created": query.created,
        "modified": query.modified,
        "title": query.title,
        # Python's JSON, since orjson knows no numbers beyond 64 bits.
        "content_filter": RawJson(json.dumps(query.content_filter).encode()),
        "uuid": query.uuid,
        "include_exec_ed_2u_courses": False,
    }
