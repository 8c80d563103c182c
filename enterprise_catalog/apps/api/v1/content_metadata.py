"""
What is in this catalog: pages of items, or all of them in one streamed answer (META-1 to META-7).

Items come rendered from the store and are linked to the catalog as bytes; nothing here parses one, unless XML is asked
for.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.catalogs import LEARNER, catalog_for
from enterprise_catalog.apps.api.pagination import full_envelope, page_of, page_request
from enterprise_catalog.apps.api.params import body_keys, boolean, json_body, limited, query_keys
from enterprise_catalog.apps.api.streaming import stream_whole
from enterprise_catalog.apps.api.v1.shapes import PAGE_PARAMETERS, ContentKeysShape, ContentPageShape
from enterprise_catalog.apps.api.views import ApiView
from enterprise_catalog.apps.catalog.linking import catalog_linker
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.pages import (
    ContentPage,
    ContentWalk,
    asked_page,
    listed_page,
    walk_asked,
    walk_listed,
)
from enterprise_catalog.apps.core.moments import iso_moment
from enterprise_catalog.apps.core.renderers import Rendered
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

_WHOLE = OpenApiParameter("traverse_pagination", bool, description="Everything in one streamed answer.")
_KEYS = OpenApiParameter("content_keys", many=True, description="Only these; repeatable, at most 100.")


class ContentMetadataView(ApiView):
    @extend_schema(
        operation_id="get_content_metadata", parameters=[*PAGE_PARAMETERS, _WHOLE, _KEYS], responses=ContentPageShape
    )
    def get(self, request: Request, uuid: str) -> HttpResponseBase:
        catalog = catalog_for(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = (
            f"get_content_metadata GET requests support up to {limit} content keys. "
            "If more are required, use a POST body."
        )
        keys = query_keys(request, "content_keys")
        return answer(request, catalog, limited(keys, name="content_keys", limit=limit, text=text))

    @extend_schema(
        operation_id="get_content_metadata_of_keys",
        parameters=[*PAGE_PARAMETERS, _WHOLE],
        request=ContentKeysShape,
        responses=ContentPageShape,
    )
    def post(self, request: Request, uuid: str) -> HttpResponseBase:
        catalog = catalog_for(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_POST
        text = f"get_content_metadata POST requests support up to {limit} content keys."
        keys = body_keys(json_body(request), "content_keys")
        if keys is None:
            raise ValidationError({"content_keys": ["This field is required."]})
        return answer(request, catalog, limited(keys, name="content_keys", limit=limit, text=text))


def answer(request: Request, catalog: EnterpriseCatalog, keys: list[str] | None) -> HttpResponseBase:
    """`keys` None means everything that is listed."""
    if boolean(request, "traverse_pagination"):
        return whole(request, catalog, keys)
    return paged(request, catalog, keys)


def paged(request: Request, catalog: EnterpriseCatalog, keys: list[str] | None) -> Response:
    read = partial(listed_page) if keys is None else partial(asked_page, content_keys=keys)
    read = partial(read, query_id=catalog.catalog_query_id)
    wanted = page_request(request)
    if wanted.number is None:
        wanted = replace(wanted, number=page_of(wanted, read(offset=0, limit=0).count).number)
    content = read(offset=wanted.offset, limit=wanted.size)
    page = page_of(wanted, content.count)
    link = linker(catalog)
    envelope = full_envelope(request, page, [Rendered(link(item)) for item in content.items])
    return Response(envelope | about(catalog), headers=state_headers(catalog, content))


def whole(request: Request, catalog: EnterpriseCatalog, keys: list[str] | None) -> HttpResponseBase:
    walk = partial(walk_listed) if keys is None else partial(walk_asked, content_keys=keys)
    return stream_whole(
        request,
        walk=partial(walk, query_id=catalog.catalog_query_id),
        link=linker(catalog),
        tail=about(catalog),
        headers=partial(state_headers, catalog),
    )


def linker(catalog: EnterpriseCatalog) -> Callable[[bytes], bytes]:
    customer = EnterpriseCustomer.objects.filter(uuid=catalog.enterprise_uuid).first()
    return catalog_linker(catalog=catalog, customer=customer)


def about(catalog: EnterpriseCatalog) -> dict[str, Any]:
    """META-2."""
    return {"uuid": catalog.uuid, "title": catalog.title, "enterprise_customer": catalog.enterprise_uuid}


def state_headers(catalog: EnterpriseCatalog, content: ContentPage | ContentWalk) -> dict[str, str]:
    """What lets a walker notice a publish between two pages (ADD-2)."""
    headers = {"X-Catalog-Generation": f"{catalog.catalog_query_id}-{content.generation}"}
    refreshed_at = iso_moment(catalog.catalog_query.refreshed_at)
    return headers | ({"X-Catalog-Refreshed-At": refreshed_at} if refreshed_at else {})
