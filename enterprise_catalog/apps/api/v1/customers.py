"""Show one content as a customer's catalog has it (CUST-5, CUST-6), and filter keys by its catalogs (FILT-1)."""

from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_customer_uuid_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.conditional import conditional_response
from enterprise_catalog.apps.api.common.params import (
    body_keys,
    body_uuids,
    boolean,
    json_body,
    limited,
    limited_identifiers,
    path_identifier,
)
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import IDENTIFIER, NOT_MODIFIED, flag_parameter
from enterprise_catalog.apps.api.serializers.content import FilteredKeysSerializer, FilterKeysSerializer, ItemSerializer
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.containment import contained_keys, queries_of_customer
from enterprise_catalog.apps.catalog.reading.identifiers import keys_of
from enterprise_catalog.apps.catalog.reading.lookups import find_members
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_for_keys
from enterprise_catalog.apps.catalog.rendering.cache_validators import catalog_validators, latest_modified
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.core.db import replica
from enterprise_catalog.apps.core.rest.renderers import RawJson
from enterprise_catalog.apps.customers.selectors import get_customer

_SKIP = "skip_customer_fetch"


class CustomerContentView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_customer_content",
        summary="One content, as a customer's catalog shows it",
        description=(
            "In the first of the customer's catalogs that has it. A run is shown as its course whenever that is in the "
            "catalog (CUST-5)."
        ),
        parameters=[IDENTIFIER, flag_parameter(_SKIP, "Without links to enroll by (CUST-6).")],
        responses={200: ItemSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, uuid: str, identifier: str) -> HttpResponseBase:
        customer_uuid = get_customer_uuid_or_404(request, uuid, access=LEARNER)
        catalogs = list(
            EnterpriseCatalog.objects.filter(enterprise_uuid=customer_uuid)
            .select_related("catalog_query")
            .defer("catalog_query__content_filter")
        )
        query_ids = {catalog.catalog_query_id for catalog in catalogs}
        members = find_members(path_identifier(identifier), query_ids=query_ids, api_version=self.api_version)
        catalog = next((catalog for catalog in catalogs if catalog.catalog_query_id in members), None)
        if catalog is None:
            raise NotFound("No matching content in any catalog for this customer")
        skip_customer = boolean(request, _SKIP)
        member = members[catalog.catalog_query_id]
        customer = get_customer(customer_uuid)
        filler = TemplateFiller(catalog=catalog, customer=customer)
        validators = catalog_validators(catalog=catalog, fill=filler).about([member])
        if skip_customer:
            validators = replace(validators, last_modified=latest_modified(catalog=catalog, own=catalog.modified))

        def answer() -> Response:
            fill = filler.without_enrollment if skip_customer else filler
            (item,) = page_for_keys(
                query=catalog.catalog_query, members=[member], cut=PageSlice(0, 1), api_version=self.api_version
            )
            return Response(RawJson(fill(item)))

        return conditional_response(request, validators, make=answer)


class FilterContentItemsView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="filter_content_items",
        summary="Which of these are in the customer's catalogs?",
        description="The given keys that match, in their order; of all catalogs or the chosen ones (FILT-1, FILT-2).",
        request=FilterKeysSerializer,
        responses=FilteredKeysSerializer,
    )
    def post(self, request: Request, uuid: str) -> Response:
        customer = get_customer_uuid_or_404(request, uuid, access=LEARNER)
        body = json_body(request)
        limit = settings.FILTER_KEYS_LIMIT
        text = f"filter_content_items requests support up to {limit} %s."
        name = "content_keys"
        identifiers = limited_identifiers(body_keys(body, name) or [], name=name, limit=limit, text=text % name)
        name = "catalog_uuids"
        chosen = limited(body_uuids(body, name), name=name, limit=limit, text=text % name)
        contained = contained_keys(
            query_ids=queries_of(customer, chosen), keys=keys_of(identifiers), api_version=self.api_version
        )
        matching = [identifier.text for identifier in identifiers if identifier.matches(contained)]
        return Response({"filtered_content_keys": matching})


def queries_of(customer: UUID, chosen: list[UUID]) -> set[int]:
    """
    Return the queries of the chosen catalogs, or of all. Catalogs of other customers count as unknown ones, which hold
    nothing (FILT-2, P8).
    """
    catalogs = queries_of_customer(customer)
    if replica.is_reading_replica() and not catalogs.keys() >= set(chosen):
        raise replica.ReplicaBehind
    return {catalogs[uuid] for uuid in chosen or catalogs if uuid in catalogs}
