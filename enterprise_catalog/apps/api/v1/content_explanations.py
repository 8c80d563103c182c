"""Explain which catalogs contain a content, by which rule and since when, or why one does not (ADD-5)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.roles import grants_of
from enterprise_catalog.apps.api.common.pagination import full_envelope, get_page_or_404, page_request
from enterprise_catalog.apps.api.common.params import query_keys, query_uuid, require_one_of
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.bounds import KEY
from enterprise_catalog.apps.api.openapi.parameters import PAGE_PARAMETERS
from enterprise_catalog.apps.api.openapi.schema import BAD_REQUEST, MISSING_PARAMETER, ErrorResponse
from enterprise_catalog.apps.api.serializers.content_explanations import (
    ContentFactsSerializer,
    ExplanationSerializer,
    ExplanationsSerializer,
)
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.core.rest.renderers import JSONRenderer
from enterprise_catalog.apps.services.content_explanations.facts import catalogs_containing, content_facts
from enterprise_catalog.apps.services.content_explanations.reasons import explain_content

_KEY, _CATALOG = "content_key", "enterprise_catalog"

_CONTENT_EXAMPLE: dict[str, Any] = {
    "content_key": "edX+DemoX",
    "content_type": "course",
    "title": "Demonstration Course",
    "parent_content_key": None,
    "active": False,
    "inactive_because": "none of its runs can be enrolled in",
    "restricted": False,
    "queries": 1,
    "catalogs": 1,
    "last_seen": "2026-11-23T17:26:10Z",
    "left_at": None,
    "hint": None,
    "quarantined": [],
}
_ENVELOPE_EXAMPLE: dict[str, Any] = {
    "next": None,
    "previous": None,
    "count": 1,
    "num_pages": 1,
    "current_page": 1,
    "start": 0,
}
_CATALOG_EXAMPLE = {
    "enterprise_catalog": "5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0001",
    "title": "All courses",
    "enterprise_customer": "6c1e0f0a-51a4-4f0f-9a53-0d5a1b6e0001",
    "catalog_query_uuid": "5c3760a1-4a65-47fe-aa7a-a80fe5b9169c",
}
_CONTAINED = OpenApiExample(
    "Contained, but not listed",
    value={
        **_ENVELOPE_EXAMPLE,
        "results": [
            {
                **_CATALOG_EXAMPLE,
                "contains": True,
                "contains_in_v2": True,
                "listed": False,
                "rule": "member",
                "member": "edX+DemoX",
                "since": "2026-10-01T04:00:12Z",
                "since_run": "16f046df-32e8-4f15-ad72-5421a5bf759e",
                "last_seen": "2026-11-23T17:26:10Z",
                "reasons": [
                    {
                        "code": "inactive",
                        "detail": "It is inactive (none of its runs can be enrolled in), so lists leave it out; who "
                        "asks for it by key finds it.",
                        "at": None,
                        "refresh_run": None,
                    }
                ],
            }
        ],
        "content": _CONTENT_EXAMPLE,
    },
)
_LEFT = OpenApiExample(
    "Not contained any more",
    value={
        **_ENVELOPE_EXAMPLE,
        "results": [
            {
                **_CATALOG_EXAMPLE,
                "contains": False,
                "contains_in_v2": False,
                "listed": False,
                "rule": None,
                "member": None,
                "since": None,
                "since_run": None,
                "last_seen": None,
                "reasons": [
                    {
                        "code": "not_returned",
                        "detail": "It left this catalog, whose search does not return it any more.",
                        "at": "2026-11-22T17:26:10Z",
                        "refresh_run": "2f4d46df-32e8-4f15-ad72-5421a5bf759e",
                    }
                ],
            }
        ],
        "content": _CONTENT_EXAMPLE,
    },
)


class ContentExplanationsView(ApiView):
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="explain_content",
        summary="Where is this content, and why?",
        description=(
            "For operators. Without `enterprise_catalog` the catalogs that contain the key, by creation; with it that "
            "one, also when it does not. `contains` is what containment answers (CONT-1); each reason has a code for "
            "programs and a sentence for people (ADD-5)."
        ),
        parameters=[
            OpenApiParameter(
                _KEY, KEY, required=True, description="A course or run key, or the uuid of a program or a pathway."
            ),
            OpenApiParameter(_CATALOG, {"type": "string", "format": "uuid"}, description="Ask about this catalog."),
            *PAGE_PARAMETERS,
        ],
        examples=[_CONTAINED, _LEFT],
        responses={
            200: ExplanationsSerializer,
            400: ErrorResponse("No key, or no uuid.", MISSING_PARAMETER, *BAD_REQUEST),
        },
    )
    def get(self, request: Request) -> Response:
        if not grants_of(request).is_operator:
            raise PermissionDenied()
        keys = query_keys(request, _KEY)
        if not keys:
            raise require_one_of(_KEY)
        uuid = query_uuid(request, _CATALOG)
        wanted = page_request(request)
        with snapshot():
            content = content_facts(content_key=keys[-1])
            page = get_page_or_404(wanted, content.catalogs if uuid is None else 1)
            containing = catalogs_containing(content_key=content.content_key)
            uuids = [*containing[page.offset : page.offset + page.size]] if uuid is None else [uuid]
            explanations = explain_content(content=content, catalog_uuids=uuids)
        if uuid is not None and not explanations:
            raise NotFound("No EnterpriseCatalog matches the given query.")
        results = ExplanationSerializer(explanations, many=True).data
        return Response({**full_envelope(request, page, results), "content": ContentFactsSerializer(content).data})
