"""Are all of these in this catalog, or in one catalog of this customer? (LEG-12, LEG-13)"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.legacy import asked_catalog, viewed_customer
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.v1.containment import (
    IDS,
    NEVER_CACHED,
    WITHOUT_IDS,
    containing_queries,
    ids_of_query,
)
from enterprise_catalog.apps.api.v1.shapes import NEVER_STORED, CatalogContainsShape
from enterprise_catalog.apps.catalog.membership import queries_of_customer
from enterprise_catalog.apps.customers.models import EnterpriseCustomer


class CatalogContainsView(LegacyView):
    reads_replica = True
    # To whom has no role the catalog does not exist (PERM-16).
    asks_for_role = False

    @extend_schema(
        operation_id="legacy_catalog_contains",
        summary="Is all of this content in this catalog?",
        description="Every id of both lists has to match (LEG-12).",
        parameters=[*IDS, NEVER_STORED],
        responses={200: CatalogContainsShape, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str) -> Response:
        ids = ids_of_query(request)
        return contained(self, {asked_catalog(request, uuid).catalog_query_id}, ids)


class CustomerContainsView(LegacyView):
    reads_replica = True

    @extend_schema(
        operation_id="legacy_customer_contains",
        summary="Is all of this content in one catalog of this customer?",
        description="LEG-13.",
        parameters=[*IDS, NEVER_STORED],
        responses={200: CatalogContainsShape, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str) -> Response:
        ids = ids_of_query(request)
        customer = viewed_customer(request, uuid)
        if EnterpriseCustomer.objects.filter(uuid=customer, active=False).exists():
            raise NotFound("Not found.")
        return contained(self, set(queries_of_customer(customer).values()), ids)


def contained(view: LegacyView, query_ids: set[int], ids: set[str]) -> Response:
    containing = containing_queries(query_ids, ids, match_all=True, surface=view.surface)
    answer: dict[str, Any] = {"contains_content_items": bool(containing)}
    return Response(answer, headers=NEVER_CACHED)
