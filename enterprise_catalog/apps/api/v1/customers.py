"""One content as the first of a customer's catalogs that has it shows it (CUST-5, CUST-6)."""

from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import customer_for
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.conditional import unless_held
from enterprise_catalog.apps.api.common.params import body_keys, body_uuids, boolean, json_body, limited, repaired
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.serializers.shapes import (
    IDENTIFIER,
    NOT_MODIFIED,
    FilteredKeysShape,
    FilterKeysShape,
    ItemShape,
    flag_parameter,
)
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.containment import contained_keys, queries_of_customer
from enterprise_catalog.apps.catalog.reading.identifiers import members_named
from enterprise_catalog.apps.catalog.reading.pages import Cut, asked_page
from enterprise_catalog.apps.catalog.rendering.cache_validators import latest_modified, version_of_catalog
from enterprise_catalog.apps.catalog.rendering.template_filler import CatalogLinker
from enterprise_catalog.apps.core.rest.renderers import Rendered
from enterprise_catalog.apps.customers.selectors import customer_with

_SKIP = "skip_customer_fetch"


class CustomerContentView(ApiView):
    reads_replica = True

    @extend_schema(
        operation_id="retrieve_customer_content",
        summary="One content, as a customer's catalog shows it",
        description="In the first of the customer's catalogs that has it; a run's key finds its course, too (CUST-5).",
        parameters=[IDENTIFIER, flag_parameter(_SKIP, "Without links to enroll by (CUST-6).")],
        responses={200: ItemShape, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, uuid: str, identifier: str) -> HttpResponseBase:
        customer_uuid = customer_for(request, uuid, access=LEARNER)
        catalogs = list(
            EnterpriseCatalog.objects.filter(enterprise_uuid=customer_uuid)
            .select_related("catalog_query")
            .defer("catalog_query__content_filter")
        )
        (identifier,) = repaired([identifier])
        query_ids = {catalog.catalog_query_id for catalog in catalogs}
        members = members_named(identifier, query_ids=query_ids, surface=self.surface)
        catalog = next((catalog for catalog in catalogs if catalog.catalog_query_id in members), None)
        if catalog is None:
            raise NotFound("No matching content in any catalog for this customer")
        skip_customer = boolean(request, _SKIP)
        member = members[catalog.catalog_query_id]
        customer = customer_with(customer_uuid)
        linker = CatalogLinker(catalog=catalog, customer=customer)
        version = version_of_catalog(catalog=catalog, customer=customer).about([member])
        if skip_customer:
            version = replace(version, last_modified=latest_modified(catalog=catalog, customer=None))

        def answer() -> Response:
            link = linker.without_enrollment if skip_customer else linker
            content = asked_page(query=catalog.catalog_query, members=[member], cut=Cut(0, 1), surface=self.surface)
            (item,) = content.items
            return Response(Rendered(link(item)))

        return unless_held(request, version, make=answer)


class FilterContentItemsView(ApiView):
    reads_replica = True

    @extend_schema(
        operation_id="filter_content_items",
        summary="Which of these are in the customer's catalogs?",
        description="The given keys that match, in their order; all catalogs, or those that are chosen (FILT-1).",
        request=FilterKeysShape,
        responses=FilteredKeysShape,
    )
    def post(self, request: Request, uuid: str) -> Response:
        customer = customer_for(request, uuid, access=LEARNER)
        body = json_body(request)
        limit = settings.FILTER_KEYS_LIMIT
        text = f"filter_content_items requests support up to {limit} %s."
        name = "content_keys"
        keys = limited(body_keys(body, name) or [], name=name, limit=limit, text=text % name)
        name = "catalog_uuids"
        chosen = limited(body_uuids(body, name), name=name, limit=limit, text=text % name)
        contained = contained_keys(query_ids=queries_of(customer, chosen), keys=keys, surface=self.surface)
        return Response({"filtered_content_keys": [key for key in dict.fromkeys(keys) if key in contained]})


def queries_of(customer: UUID, chosen: list[UUID]) -> set[int]:
    """The queries of the chosen catalogs, or of all; a catalog of another customer is not for choosing (P8)."""
    catalogs = queries_of_customer(customer)
    if not catalogs.keys() >= set(chosen):
        raise PermissionDenied(f"catalog_uuids must belong to enterprise customer {customer}.")
    return {catalogs[uuid] for uuid in chosen or catalogs}
