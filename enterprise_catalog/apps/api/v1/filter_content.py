"""Which of these keys may a customer's people take? (FILT-1, FILT-2)"""

from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import LEARNER, customer_for
from enterprise_catalog.apps.api.common.params import body_keys, body_uuids, json_body, limited
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.serializers.shapes import FilteredKeysShape, FilterKeysShape
from enterprise_catalog.apps.catalog.reading.containment import contained_keys, queries_of_customer


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
