"""Show the full record of a course, run or program of a catalog (LEG-15 to LEG-17)."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_legacy_catalog_to_read_or_404
from enterprise_catalog.apps.api.common.params import restore_plus_signs
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.openapi.bounds import KEY
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.legacy_records import course_record, program_record, run_record
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import UrlContext
from enterprise_catalog.apps.catalog.rendering.legacy_items import program_with_enrollment, with_enrollment
from enterprise_catalog.apps.catalog.rendering.template_filler import url_context
from enterprise_catalog.apps.customers.selectors import get_customer

_RECORD = OpenApiResponse(
    {
        "type": "object",
        "properties": {"enrollment_url": {"type": "string"}},
        "required": ["enrollment_url"],
        "additionalProperties": True,
    }
)


class CourseView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_legacy_course",
        summary="A course of a catalog, in full",
        description="LEG-15.",
        parameters=[OpenApiParameter("course_key", KEY, OpenApiParameter.PATH, description="`org+number`.")],
        responses=_RECORD,
    )
    def get(self, request: Request, uuid: str, course_key: str) -> Response:
        catalog = get_legacy_catalog_to_read_or_404(request, uuid)
        (key,) = restore_plus_signs([course_key])
        record = record_or_404(course_record(query_id=catalog.catalog_query_id, course_key=key))
        return Response(with_enrollment(record, context_of(catalog)))


class CourseRunView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_legacy_course_run",
        summary="A course run of a catalog, in full",
        description="LEG-16.",
        parameters=[OpenApiParameter("run_key", KEY, OpenApiParameter.PATH, description="Key of the run.")],
        responses=_RECORD,
    )
    def get(self, request: Request, uuid: str, run_key: str) -> Response:
        catalog = get_legacy_catalog_to_read_or_404(request, uuid)
        (key,) = restore_plus_signs([run_key])
        record = record_or_404(run_record(query_id=catalog.catalog_query_id, run_key=key))
        return Response(with_enrollment(record, context_of(catalog)))


class ProgramView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_legacy_program",
        summary="A program of a catalog, in full",
        description="LEG-16.",
        parameters=[OpenApiParameter("program_uuid", KEY, OpenApiParameter.PATH, description="Uuid of the program.")],
        responses=_RECORD,
    )
    def get(self, request: Request, uuid: str, program_uuid: str) -> Response:
        catalog = get_legacy_catalog_to_read_or_404(request, uuid)
        record = record_or_404(program_record(query_id=catalog.catalog_query_id, program_uuid=program_uuid))
        return Response(program_with_enrollment(record, context_of(catalog)))


def record_or_404(record: dict[str, Any] | None) -> dict[str, Any]:
    if record is None:
        raise NotFound("Not found.")
    return record


def context_of(catalog: EnterpriseCatalog) -> UrlContext:
    return url_context(catalog, get_customer(catalog.enterprise_uuid))
