"""Say whether content is in a catalog, or in any catalog of a customer (CONT-1 to CONT-8, ADD-6)."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import (
    get_authorized_or_404,
    get_catalog_or_404,
    get_customer_uuid_or_404,
)
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.params import (
    body_keys,
    boolean,
    json_body,
    limited_identifiers,
    query_keys,
    require_one_of,
)
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import flag_parameter, keys_parameter
from enterprise_catalog.apps.api.openapi.schema import BAD_REQUEST, MISSING_PARAMETER, ErrorResponse
from enterprise_catalog.apps.api.serializers.content import (
    CatalogContainsSerializer,
    ContentIdsSerializer,
    CustomerContainsSerializer,
)
from enterprise_catalog.apps.catalog.reading.containment import (
    CatalogMatches,
    matches_in_catalog,
    matches_in_catalogs_of,
)
from enterprise_catalog.apps.catalog.reading.identifiers import Identifier, keys_of

ID_FIELDS = ("course_run_ids", "program_uuids")

_LIST_FLAGS = ("get_catalogs_containing_specified_content_ids", "get_catalog_list")

IDS = [keys_parameter(name, "Content keys of any type.", limit=settings.CONTAINS_IDS_LIMIT) for name in ID_FIELDS]
_MATCH = OpenApiParameter(
    "match",
    {"type": "string", "enum": ["any", "all"], "default": "any"},
    description="Does one id suffice, or must all match? (CONT-5)",
)
_LISTS = [
    flag_parameter(_LIST_FLAGS[0], "Also name the catalogs that contain an id; with `match=all`, each of them."),
    flag_parameter(_LIST_FLAGS[1], "The older name of the same."),
]
_ABOUT_IDS = (
    "Both lists hold ids of any kind: keys of courses and runs, uuids of programs and pathways. A course's key matches "
    "by its runs, too, and a run's by its course. Several ids may be joined by commas (CONT-1)."
)
WITHOUT_IDS = ErrorResponse("Neither list, or something that cannot be read.", MISSING_PARAMETER, *BAD_REQUEST)


class CatalogContainsView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="catalog_contains",
        summary="Is content in this catalog?",
        description=f"{_ABOUT_IDS} (CONT-3)",
        parameters=[*IDS, _MATCH],
        responses={200: CatalogContainsSerializer, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str, **_: Any) -> Response:
        return self.answer(request, uuid, ids_of_query)

    @extend_schema(
        operation_id="catalog_contains_post",
        summary="Is content in this catalog? For many ids",
        description=f"{_ABOUT_IDS} (ADD-6)",
        parameters=[_MATCH],
        request=ContentIdsSerializer,
        responses={200: CatalogContainsSerializer, 400: WITHOUT_IDS},
    )
    def post(self, request: Request, uuid: str, **_: Any) -> Response:
        return self.answer(request, uuid, ids_of_body)

    def answer(self, request: Request, uuid: str, read_ids: Callable[[Request], list[Identifier]]) -> Response:
        """Read the parameters first, since one statement reads the catalog together with the matches."""
        try:
            ids, match_all = read_ids(request), wants_all(request)
        except APIException:
            # A missing catalog, or one without permission, comes before bad parameters (AUTH-9).
            get_catalog_or_404(request, uuid, access=LEARNER)
            raise
        find = partial(matches_in_catalog, keys=keys_of(ids), api_version=self.api_version)
        catalog = get_authorized_or_404(request, uuid, access=LEARNER, find=find)
        return Response({"contains_content_items": contains(catalog, ids, match_all=match_all)})


class CustomerContainsView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="customer_contains",
        summary="Is content in a catalog of this customer?",
        description=f"{_ABOUT_IDS} (CONT-7)",
        parameters=[*IDS, _MATCH, *_LISTS],
        responses={200: CustomerContainsSerializer, 400: WITHOUT_IDS},
    )
    def get(self, request: Request, uuid: str, **_: Any) -> Response:
        customer = get_customer_uuid_or_404(request, uuid, access=LEARNER)
        return self.answer(request, customer, ids_of_query(request))

    @extend_schema(
        operation_id="customer_contains_post",
        summary="Is content in a catalog of this customer? For many ids",
        description=f"{_ABOUT_IDS} (ADD-6)",
        parameters=[_MATCH, *_LISTS],
        request=ContentIdsSerializer,
        responses={200: CustomerContainsSerializer, 400: WITHOUT_IDS},
    )
    def post(self, request: Request, uuid: str, **_: Any) -> Response:
        customer = get_customer_uuid_or_404(request, uuid, access=LEARNER)
        return self.answer(request, customer, ids_of_body(request))

    def answer(self, request: Request, customer: UUID, ids: list[Identifier]) -> Response:
        match_all = wants_all(request)
        wants_list = [boolean(request, name) for name in _LIST_FLAGS]
        catalogs = matches_in_catalogs_of(customer, keys=keys_of(ids), api_version=self.api_version)
        containing = [catalog.uuid for catalog in catalogs if contains(catalog, ids, match_all=match_all)]
        answer: dict[str, Any] = {"contains_content_items": bool(containing)}
        if any(wants_list):
            answer["catalog_list"] = containing
        return Response(answer)


def contains(catalog: CatalogMatches, ids: list[Identifier], *, match_all: bool) -> bool:
    """Whether any part of the ids, or each of them, is contained. Nothing is contained nowhere."""
    if not catalog.contained:
        return False
    found = (identifier.matches(catalog.contained, all_parts=match_all) for identifier in ids)
    return all(found) if match_all else any(found)


def wants_all(request: Request) -> bool:
    """Read `match`: True for `all`, False for `any` (CONT-5)."""
    match = request.query_params.get("match", "any")
    if match not in ("any", "all"):
        raise ValidationError({"match": ['Must be "any" or "all".']})
    return match == "all"


def ids_of_query(request: Request) -> list[Identifier]:
    return _ids({name: query_keys(request, name) for name in ID_FIELDS})


def ids_of_body(request: Request) -> list[Identifier]:
    body = json_body(request)
    return _ids({name: body_keys(body, name) for name in ID_FIELDS})


def _ids(given: dict[str, list[str] | None]) -> list[Identifier]:
    """Merge both fields, since each may hold ids of any kind (CONT-3)."""
    if all(keys is None for keys in given.values()):
        raise require_one_of(*ID_FIELDS)
    limit = settings.CONTAINS_IDS_LIMIT
    ids: list[Identifier] = []
    for name, keys in given.items():
        text = f"contains_content_items requests support up to {limit} {name}."
        ids += limited_identifiers(keys or [], name=name, limit=limit, text=text)
    return ids
