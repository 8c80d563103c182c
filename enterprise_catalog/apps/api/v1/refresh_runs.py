"""Show refresh runs (RUN-1, RUN-5), and let operators approve or reject held ones (RUN-6)."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.permissions import may_see_runs_of_query
from enterprise_catalog.apps.access.roles import grants_of
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.schema import ErrorResponse
from enterprise_catalog.apps.api.serializers.refresh_runs import RunSerializer
from enterprise_catalog.apps.core.rest.exceptions import Conflict
from enterprise_catalog.apps.core.rest.renderers import JSONRenderer
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refresh_runs import RunNotHeld, approve_run, reject_run

_NOT_DECIDABLE = ErrorResponse("It is not held, or not any more what would be published (RUN-6).")


class RefreshRunView(ApiView):
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="retrieve_refresh_run",
        summary="What became of a refresh",
        description="Its id is what asking for a refresh answers; kept for 90 days at least (RUN-1 to RUN-5).",
        responses=RunSerializer,
    )
    def get(self, request: Request, uuid: str) -> Response:
        run = get_run_or_404(uuid)
        if not may_see_runs_of_query(run.catalog_query_id, grants=grants_of(request)):
            raise PermissionDenied()
        return Response(RunSerializer(run).data)


class ApproveRunView(ApiView):
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="approve_refresh_run",
        summary="Publish what a run holds back",
        description="For operators (REFR-10, RUN-6).",
        request=None,
        responses={200: RunSerializer, 409: _NOT_DECIDABLE},
    )
    def post(self, request: Request, uuid: str) -> Response:
        return decided(request, get_run_or_404(uuid), approve_run)


class RejectRunView(ApiView):
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="reject_refresh_run",
        summary="Give up what a run holds back",
        description="For operators (REFR-10, RUN-6).",
        request=None,
        responses={200: RunSerializer, 409: _NOT_DECIDABLE},
    )
    def post(self, request: Request, uuid: str) -> Response:
        return decided(request, get_run_or_404(uuid), reject_run)


def decided(request: Request, run: RefreshRun, decide: Callable[..., RefreshRun]) -> Response:
    if not grants_of(request).is_operator:
        raise PermissionDenied()
    try:
        return Response(RunSerializer(decide(run_uuid=run.uuid)).data)
    except RunNotHeld as error:
        raise Conflict({"detail": str(error)}) from error


def get_run_or_404(uuid: str) -> RefreshRun:
    """Return the run without its held keys, which may be tens of thousands. Raise 404 if there is none."""
    run_uuid = parse_uuid(uuid)
    run = RefreshRun.objects.defer("held_keys").filter(uuid=run_uuid).first() if run_uuid else None
    if run is None:
        raise NotFound("Not found.")
    return run
