"""Show content independently of any catalog, to every signed-in caller (CM-1, CM-2, PERM-8)."""

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.api.common.conditional import conditional_response
from enterprise_catalog.apps.api.common.pagination import PlainPagination
from enterprise_catalog.apps.api.common.params import boolean, limited_identifiers, path_identifier, query_keys
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import (
    IDENTIFIER,
    NOT_MODIFIED,
    PAGE_PARAMETERS,
    flag_parameter,
    keys_parameter,
)
from enterprise_catalog.apps.api.serializers.content import ContentsSerializer, ItemSerializer
from enterprise_catalog.apps.catalog.reading.lookups import all_contents, get_content, list_contents
from enterprise_catalog.apps.catalog.reading.pages import default_items
from enterprise_catalog.apps.catalog.rendering.cache_validators import version_of_content
from enterprise_catalog.apps.catalog.rendering.template_filler import catalog_independent_item
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead
from enterprise_catalog.apps.core.rest.renderers import RawJson

_IDENTIFIERS = "content_identifiers"
_COERCE = "coerce_to_parent_course"
_COERCE_PARAMETER = flag_parameter(_COERCE, "Courses instead of their runs.")


class ContentsView(ApiView):
    may_read_replica = True
    asks_for_role = False

    @extend_schema(
        operation_id="list_content",
        summary="Content by itself",
        description="All content, or what is asked for, in the order of content keys; as no catalog shows it (CM-2).",
        parameters=[
            *PAGE_PARAMETERS,
            keys_parameter(
                _IDENTIFIERS,
                "Content keys or uuids, one item for each; unknown ones are skipped.",
                limit=settings.CONTENT_KEYS_LIMIT_GET,
            ),
            _COERCE_PARAMETER,
        ],
        responses=ContentsSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = f"content-metadata requests support up to {limit} {_IDENTIFIERS}."
        keys = query_keys(request, _IDENTIFIERS)
        identifiers = None if keys is None else limited_identifiers(keys, name=_IDENTIFIERS, limit=limit, text=text)
        as_courses = boolean(request, _COERCE)
        if identifiers is None:
            contents = all_contents(as_courses=as_courses)
        else:
            contents = list_contents(identifiers, as_courses=as_courses)
        pagination = PlainPagination()
        items = default_items(pagination.paginate_queryset(contents.values_list("pk", flat=True), request))
        page = pagination.page
        if (page.number - 1) * page.paginator.per_page + len(items) < page.end_index():
            # Content that no query has any more was deleted meanwhile.
            raise InconsistentRead
        return pagination.get_paginated_response([RawJson(catalog_independent_item(item)) for item in items])


class ContentView(ApiView):
    may_read_replica = True
    asks_for_role = False

    @extend_schema(
        operation_id="retrieve_content",
        summary="One content by itself",
        description="As no catalog shows it (CM-1).",
        parameters=[IDENTIFIER, _COERCE_PARAMETER],
        responses={200: ItemSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, identifier: str) -> HttpResponseBase:
        named = path_identifier(identifier)
        missing = NotFound("No ContentMetadata matches the given query.")
        try:
            content = get_content(named, as_course=boolean(request, _COERCE))
        except ValidationError:
            # Missing content is 404, whatever else is wrong (AUTH-9).
            if get_content(named, as_course=False) is None:
                raise missing from None
            raise
        if content is None:
            raise missing

        def answer() -> Response:
            items = default_items([content.content_key])
            if not items:
                raise missing
            return Response(RawJson(catalog_independent_item(items[0])))

        return conditional_response(request, version_of_content(content), make=answer)
