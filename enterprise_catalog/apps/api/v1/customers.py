"""One content as the first of a customer's catalogs that has it shows it (CUST-5, CUST-6)."""

from dataclasses import replace

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import LEARNER, customer_for
from enterprise_catalog.apps.api.common.conditional import unless_held
from enterprise_catalog.apps.api.common.params import boolean, repaired
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.serializers.shapes import IDENTIFIER, NOT_MODIFIED, ItemShape, flag_parameter
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
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
