"""Say whether all of some content is in a catalog, or in one catalog of a customer (LEG-12, LEG-13)."""

from collections.abc import Sequence
from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import (
    get_customer_uuid_or_404,
    get_legacy_catalog_to_search_or_404,
)
from enterprise_catalog.apps.access.permissions import VIEWER
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.serializers.content import CatalogContainsSerializer
from enterprise_catalog.apps.api.v1.containment import (
    IDS,
    WITHOUT_IDS,
    contains,
    ids_of_query,
)
from enterprise_catalog.apps.catalog.reading.containment import (
    CatalogMatches,
    matches_in_catalog,
    matches_in_catalogs_of,
)
from enterprise_catalog.apps.catalog.reading.identifiers import Identifier, keys_of
from enterprise_catalog.apps.customers.models import EnterpriseCustomer


class CatalogContainsView(LegacyView):
    may_read_replica = True
    # Callers without a role get 404, never 403 (PERM-16).
    asks_for_role = False

    @extend_schema(
        operation_id="legacy_catalog_contains",
        summary="Is all of this content in this catalog?",
        description="Every id of both lists has to match (LEG-12).",
        parameters=IDS,
        responses={200: CatalogContainsSerializer, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str) -> Response:
        ids = ids_of_query(request)
        find = partial(matches_in_catalog, keys=keys_of(ids), api_version=self.api_version)
        return contained([get_legacy_catalog_to_search_or_404(request, uuid, find=find)], ids)


class CustomerContainsView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="legacy_customer_contains",
        summary="Is all of this content in one catalog of this customer?",
        description="LEG-13.",
        parameters=IDS,
        responses={200: CatalogContainsSerializer, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str) -> Response:
        ids = ids_of_query(request)
        customer = get_customer_uuid_or_404(request, uuid, access=VIEWER)
        if EnterpriseCustomer.objects.filter(uuid=customer, active=False).exists():
            raise NotFound("Not found.")
        return contained(matches_in_catalogs_of(customer, keys=keys_of(ids), api_version=self.api_version), ids)


def contained(catalogs: Sequence[CatalogMatches], ids: list[Identifier]) -> Response:
    found = any(contains(catalog, ids, match_all=True) for catalog in catalogs)
    return Response({"contains_content_items": found})
