"""What became of a refresh (RUN-1, RUN-5)."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.roles import Grants, grants_of
from enterprise_catalog.apps.api.v1.representations import run_representation
from enterprise_catalog.apps.api.v1.shapes import RunShape
from enterprise_catalog.apps.api.views import ApiView
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.core.renderers import JSONRenderer
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.refresh.models import RefreshRun


class RefreshRunView(ApiView):
    renderer_classes = [JSONRenderer]

    @extend_schema(operation_id="retrieve_refresh_run", responses=RunShape)
    def get(self, request: Request, uuid: str) -> Response:
        run_uuid = parse_uuid(uuid)
        run = RefreshRun.objects.defer("held_keys").filter(uuid=run_uuid).first() if run_uuid else None
        if run is None:
            raise NotFound("Not found.")
        if not may_see(grants_of(request), run):
            raise PermissionDenied("You do not have permission to perform this action.")
        return Response(run_representation(run))


def may_see(grants: Grants, run: RefreshRun) -> bool:
    """Admins of a customer that uses the query; a run of a query nobody uses is for operators (PERM-13, PERM-19)."""
    customers = set(
        EnterpriseCatalog.objects.filter(catalog_query_id=run.catalog_query_id).values_list(
            "enterprise_uuid", flat=True
        )
    )
    return any(grants.may_manage(customer) for customer in customers) if customers else grants.is_operator
