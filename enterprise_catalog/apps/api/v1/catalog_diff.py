"""Compare the keys that an exporter holds with a catalog's members (DIFF-1 to DIFF-3)."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_served_catalog_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.params import (
    body_keys,
    has_body,
    json_body,
    limited,
    query_keys,
    require_one_of,
)
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import DIFF_KEYS, keys_parameter
from enterprise_catalog.apps.api.openapi.schema import BAD_REQUEST, MISSING_PARAMETER, ErrorResponse
from enterprise_catalog.apps.api.serializers.content import DiffSerializer
from enterprise_catalog.apps.catalog.reading.catalogs import ServedCatalog
from enterprise_catalog.apps.catalog.reading.member_diff import difference_from_members
from enterprise_catalog.apps.core.rest.exceptions import NotPublishedYet

_NAME = "content_keys"


class GenerateDiffView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="get_diff",
        summary="What an exporter must delete, create and update",
        description="For a few keys (DIFF-3).",
        parameters=[keys_parameter(_NAME, "What is held.", limit=settings.CONTENT_KEYS_LIMIT_GET, required=True)],
        responses={200: DiffSerializer, 400: ErrorResponse("No keys, or too many.", MISSING_PARAMETER, *BAD_REQUEST)},
    )
    def get(self, request: Request, uuid: str) -> Response:
        served = get_served_catalog_or_404(request, uuid, access=LEARNER)
        keys = query_keys(request, _NAME)
        if keys is None:
            raise require_one_of(_NAME)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = f"generate_diff GET requests support up to {limit} content keys. If more are required, use a POST body."
        return Response(diff(served, limited(keys, name=_NAME, limit=limit, text=text)))

    @extend_schema(
        operation_id="generate_diff",
        summary="What an exporter must delete, create and update",
        description=(
            "Of the keys it holds: which are not in the catalog, which of the catalog it lacks, and when the others "
            "were last modified. Exact keys; without a body it holds none (DIFF-2, DIFF-3). 503 until the catalog's "
            "first refresh is published, unless no keys are given (DIFF-1)."
        ),
        request=DIFF_KEYS,
        responses=DiffSerializer,
    )
    def post(self, request: Request, uuid: str) -> Response:
        served = get_served_catalog_or_404(request, uuid, access=LEARNER)
        body = json_body(request)
        keys = body_keys(body, _NAME) if has_body(request) else []
        if keys is None:
            raise ValidationError({_NAME: ["This field is required."]})
        limit = settings.DIFF_KEYS_LIMIT_POST
        text = f"generate_diff POST requests support up to {limit} content keys."
        return Response(diff(served, limited(keys, name=_NAME, limit=limit, text=text)))


def diff(served: ServedCatalog, content_keys: list[str]) -> dict[str, Any]:
    """
    Compare. Raise 503 for a catalog whose query never published: "not found" for all keys would order an exporter to
    delete everything it has sent (DIFF-1).
    """
    if content_keys and served.query.refreshed_at is None:
        raise NotPublishedYet
    difference = difference_from_members(
        query_id=served.query.pk, content_keys=content_keys, modified_at_least=served.fill.modified
    )
    return DiffSerializer(difference).data
