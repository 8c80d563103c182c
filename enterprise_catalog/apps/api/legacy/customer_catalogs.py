"""Create and change catalogs by the id of a query (LEG-19, LEG-20)."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.permissions import require_operator
from enterprise_catalog.apps.access.roles import ADD_CATALOGS, CHANGE_CATALOGS, grants_of
from enterprise_catalog.apps.api.common.params import json_body
from enterprise_catalog.apps.api.common.save_responses import save_headers, service_errors_as_http
from enterprise_catalog.apps.api.legacy.views import LegacyView
from enterprise_catalog.apps.api.openapi.parameters import SAVE_HEADERS
from enterprise_catalog.apps.api.openapi.schema import FIELD_ERRORS, ErrorResponse
from enterprise_catalog.apps.api.serializers.legacy import (
    CUSTOMER_CATALOG_UPDATE,
    CustomerCatalogCreateSerializer,
    CustomerCatalogUpdateSerializer,
    LegacyCustomerCatalogSerializer,
)
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.services.catalogs import SavedCatalog
from enterprise_catalog.apps.services.legacy_catalogs import change_customer_catalog, create_customer_catalog


class CustomerCatalogView(LegacyView):
    @extend_schema(
        operation_id="create_legacy_customer_catalog",
        summary="Make a catalog on a query, as edx-enterprise did",
        description="200 with the catalog that the customer has on that query already. Without a query, on the default "
        "filter. For operators (LEG-19).",
        parameters=SAVE_HEADERS,
        request=CustomerCatalogCreateSerializer,
        responses={
            200: LegacyCustomerCatalogSerializer,
            201: LegacyCustomerCatalogSerializer,
            409: ErrorResponse("The uuid is another catalog's.", FIELD_ERRORS),
        },
    )
    def post(self, request: Request) -> Response:
        require_operator(request, or_permission=ADD_CATALOGS)
        serializer = CustomerCatalogCreateSerializer(data=json_body(request))
        serializer.is_valid(raise_exception=True)
        with service_errors_as_http(gone=NotFound("Not found.")):
            sent = serializer.validated_data
            saved = create_customer_catalog(
                title=sent["title"],
                enterprise_uuid=sent["enterprise_customer"],
                query_id=sent.get("enterprise_catalog_query"),
                uuid=sent.get("uuid"),
                grants=grants_of(request),
            )
        return answer(saved, status=201 if saved.created else 200)

    @extend_schema(
        operation_id="change_legacy_customer_catalog",
        summary="Give a catalog another title or query, as edx-enterprise did",
        description="The uuid stands in the body. For operators (LEG-20).",
        parameters=SAVE_HEADERS,
        request={"application/json": CUSTOMER_CATALOG_UPDATE},
        responses=LegacyCustomerCatalogSerializer,
    )
    def patch(self, request: Request) -> Response:
        require_operator(request, or_permission=CHANGE_CATALOGS)
        body = json_body(request)
        unknown = NotFound(f"Could not find catalog uuid {body.get('uuid') if isinstance(body, dict) else None}")
        if isinstance(body, dict) and body.get("uuid") and parse_uuid(body["uuid"]) is None:
            raise unknown
        serializer = CustomerCatalogUpdateSerializer(data=body)
        serializer.is_valid(raise_exception=True)
        with service_errors_as_http(gone=unknown):
            sent = serializer.validated_data
            saved = change_customer_catalog(
                uuid=sent["uuid"],
                title=sent.get("title"),
                query_id=sent.get("enterprise_catalog_query"),
                grants=grants_of(request),
            )
        return answer(saved, status=200)


def answer(saved: SavedCatalog, *, status: int) -> Response:
    answered = LegacyCustomerCatalogSerializer(saved.catalog).data
    return Response(answered, status=status, headers=save_headers(saved))
