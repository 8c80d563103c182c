"""
Show catalog queries, hash content filters, and list which catalogs share a query (CQ-1 to CQ-5).

Nothing here writes: a query is changed through its catalogs.
"""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.permissions import (
    may_see_query,
    queries_to_show_titles_of,
    require_admin_of_some,
    require_operator,
    visible_queries,
)
from enterprise_catalog.apps.access.roles import VIEW_QUERIES, Grants, grants_of
from enterprise_catalog.apps.api.common.pagination import CatalogPagination
from enterprise_catalog.apps.api.common.params import body_uuids, is_row_id, json_body, limited, require_one_of
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.bounds import CONTENT_FILTER, QUERY_NAME
from enterprise_catalog.apps.api.openapi.parameters import HASH, PAGE_PARAMETERS
from enterprise_catalog.apps.api.openapi.schema import BAD_REQUEST, MISSING_PARAMETER, ErrorResponse
from enterprise_catalog.apps.api.serializers.catalog_queries import (
    CatalogUuidsSerializer,
    DistinctQueriesSerializer,
    QueriesSerializer,
    QuerySerializer,
)
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash
from enterprise_catalog.apps.catalog.content_filters.validation import check_content_filter
from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.rest.parsers import FormParser, JSONParser
from enterprise_catalog.apps.core.rest.renderers import JSONRenderer
from enterprise_catalog.apps.core.uuids import parse_uuid

_HASH = re.compile("[0-9a-f]{32}", re.IGNORECASE | re.ASCII)
_HASH_LENGTH = 32
_UNPARSED = "Failed to parse catalog query:"


class JsonOnlyView(ApiView):
    """Answer JSON only (COM-4)."""

    renderer_classes = [JSONRenderer]


class CatalogQueriesView(JsonOnlyView):
    @extend_schema(
        operation_id="list_catalog_queries",
        summary="Catalog queries",
        description="Those that some catalog of the caller's customers uses; an operator's are all (CQ-1).",
        parameters=PAGE_PARAMETERS,
        responses=QueriesSerializer,
    )
    def get(self, request: Request) -> Response:
        grants = require_admin_of_some(request)
        pagination = CatalogPagination()
        page = pagination.paginate_queryset(visible_queries(grants=grants), request)
        return pagination.get_paginated_response(serialize(page, grants))


class CatalogQueryView(JsonOnlyView):
    @extend_schema(
        operation_id="retrieve_catalog_query",
        summary="One catalog query",
        description="CQ-1.",
        parameters=[OpenApiParameter("identifier", QUERY_NAME, "path", description="Uuid or id of the query.")],
        responses=QuerySerializer,
    )
    def get(self, request: Request, identifier: str) -> Response:
        missing = NotFound("No CatalogQuery matches the given query.")
        query = query_named(identifier)
        if query is None:
            raise missing
        grants = grants_of(request)
        if not may_see_query(query, grants=grants):
            require_admin_of_some(request)
            raise missing
        return Response(serialize([query], grants)[0])


class QueryByHashView(JsonOnlyView):
    @extend_schema(
        operation_id="retrieve_catalog_query_by_hash",
        summary="The catalog query with this filter",
        description="404 says that nobody asks for this yet, or nobody whose queries the caller may see (CQ-2).",
        parameters=[
            OpenApiParameter(
                "hash",
                {"type": "string", "pattern": "^[0-9a-fA-F]{32}$", "maxLength": _HASH_LENGTH},
                required=True,
                description="The published hash of the filter (HASH-1).",
            )
        ],
        responses={200: QuerySerializer, 400: ErrorResponse("No hash, or none.", MISSING_PARAMETER, *BAD_REQUEST)},
    )
    def get(self, request: Request) -> Response:
        grants = require_admin_of_some(request)
        query = CatalogQuery.objects.filter(content_filter_hash=requested_hash(request)).first()
        if query is None or not may_see_query(query, grants=grants):
            raise NotFound("Catalog query not found.")
        return Response(serialize([query], grants)[0])


class ContentFilterHashView(JsonOnlyView):
    parser_classes = [JSONParser, FormParser]

    @extend_schema(
        operation_id="get_content_filter_hash",
        summary="The hash of a content filter",
        description="Of the filter that a form in the body says; for today's client, others should POST (CQ-4).",
        # The body is not described, since OpenAPI tools do not send one with GET.
        responses={200: HASH, 413: ErrorResponse("Too large."), 415: ErrorResponse("Neither JSON nor a form.")},
    )
    def get(self, request: Request) -> Response:
        return self.answer(request)

    @extend_schema(
        operation_id="hash_content_filter",
        summary="The hash of a content filter",
        description="HASH-1. The body is the filter; without one it is `{}` (CQ-3).",
        request={"application/json": CONTENT_FILTER},
        responses=HASH,
    )
    def post(self, request: Request) -> Response:
        # Forms are for the GET of today's client only: they cannot express every filter (CQ-4).
        request.parsers = [JSONParser()]
        return self.answer(request)

    def answer(self, request: Request) -> Response:
        require_admin_of_some(request)
        return Response(content_filter_hash(filter_in_body(request)))


class DistinctCatalogQueriesView(JsonOnlyView):
    @extend_schema(
        operation_id="distinct_catalog_queries",
        summary="Which catalogs share a query",
        description="For operators. Unknown catalogs are left out (CQ-5).",
        request=CatalogUuidsSerializer,
        responses=DistinctQueriesSerializer,
    )
    def post(self, request: Request) -> Response:
        require_operator(request, or_permission=VIEW_QUERIES)
        name, limit = "enterprise_catalog_uuids", settings.DISTINCT_CATALOGS_LIMIT
        text = f"distinct-catalog-queries requests support up to {limit} {name}."
        uuids = limited(body_uuids(json_body(request), name), name=name, limit=limit, text=text)
        catalogs = catalogs_by_query(uuids)
        return Response({"num_distinct_query_ids": len(catalogs), "catalog_uuids_by_catalog_query_id": catalogs})


def serialize(queries: Iterable[CatalogQuery], grants: Grants) -> Any:
    """Serialize queries; titles are shown only to callers who may know them (CRUD-1)."""
    rows = list(queries)
    titled = queries_to_show_titles_of(rows, grants=grants)
    return QuerySerializer(rows, many=True, context={"titled": titled}).data


def query_named(identifier: str) -> CatalogQuery | None:
    """Return the query with this uuid or id, None if there is none. Raise 404 for other text (COM-3)."""
    uuid = parse_uuid(identifier)
    if uuid is not None:
        return CatalogQuery.objects.filter(uuid=uuid).first()
    if not (identifier.isascii() and identifier.isdigit()):
        raise NotFound("Not found.")
    return CatalogQuery.objects.filter(pk=int(identifier)).first() if is_row_id(identifier) else None


def requested_hash(request: Request) -> str:
    """Read the hash of a filter, in lower case. Raise 400 if it is missing or not a hash (CQ-2)."""
    text = request.query_params.get("hash")
    if text is None:
        raise require_one_of("hash")
    if len(text) > _HASH_LENGTH:
        raise ValidationError({"hash": [f"Ensure this field has no more than {_HASH_LENGTH} characters."]})
    if not _HASH.fullmatch(text):
        raise ValidationError({"hash": ["Invalid filter hash."]})
    return text.lower()


def filter_in_body(request: Request) -> dict[str, Any]:
    """Return the valid filter that the body is. Raise 400 for other bodies (CQ-3)."""
    try:
        body = json_body(request)
        if not isinstance(body, dict):
            raise ParseError("expected a JSON object.")
        return check_content_filter(body)
    except (ParseError, UnusableFilter) as error:
        raise ParseError(f"{_UNPARSED} {error}") from error


def catalogs_by_query(catalog_uuids: list[UUID]) -> dict[str, list[UUID]]:
    """Group those of the catalogs that exist by the ids of their queries."""
    rows = EnterpriseCatalog.objects.filter(pk__in=set(catalog_uuids)).order_by("catalog_query_id", "created", "uuid")
    catalogs: dict[str, list[UUID]] = {}
    for query_id, uuid in rows.values_list("catalog_query_id", "uuid"):
        catalogs.setdefault(str(query_id), []).append(uuid)
    return catalogs
