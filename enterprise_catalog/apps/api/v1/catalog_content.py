"""
List a catalog's items: in pages, or all of them in one streamed answer (META-1 to META-7).

Items are stored as templates and filled with the catalog's values as bytes; only XML parses them. Callers who hold the
current answer get 304 (COM-18). A page shows one state: reading it raises InconsistentRead when something is published
between its statements, and `ApiView` makes the answer again (P2).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_served_catalog_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.conditional import conditional_response
from enterprise_catalog.apps.api.common.pagination import Page, full_envelope, get_page_or_404, page_request
from enterprise_catalog.apps.api.common.params import body_keys, boolean, json_body, limited_identifiers, query_keys
from enterprise_catalog.apps.api.common.streaming import stream_catalog
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import (
    NOT_MODIFIED,
    PAGE_PARAMETERS,
    STATE_HEADERS,
    flag_parameter,
    keys_parameter,
)
from enterprise_catalog.apps.api.serializers.content import ContentKeysSerializer, ContentMetadataSerializer
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.catalog.reading.catalogs import ServedCatalog
from enterprise_catalog.apps.catalog.reading.identifiers import Identifier
from enterprise_catalog.apps.catalog.reading.pages import (
    ContentStream,
    PageSlice,
    find_members_for_keys,
    page_for_keys,
    page_of_listed,
    stream_for_keys,
    stream_listed,
)
from enterprise_catalog.apps.catalog.rendering.cache_validators import CacheValidators
from enterprise_catalog.apps.core.datetimes import api_iso
from enterprise_catalog.apps.core.rest.renderers import RawJson

_WHOLE = flag_parameter("traverse_pagination", "Everything in one streamed answer, whatever its size (META-3).")
_KEYS = keys_parameter(
    "content_keys",
    "Only these; a course's key also yields its runs, and a run's its course (META-5).",
    limit=settings.CONTENT_KEYS_LIMIT_GET,
)


class ContentMetadataView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="get_content_metadata",
        summary="What is in a catalog",
        description=(
            "In the order of content keys. Without `content_keys`, courses that nobody can enroll in are left out "
            "(META-4). Nothing is in it until its first refresh is published (META-7)."
        ),
        parameters=[*PAGE_PARAMETERS, _WHOLE, _KEYS, *STATE_HEADERS],
        responses={200: ContentMetadataSerializer, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, uuid: str) -> HttpResponseBase:
        served = get_served_catalog_or_404(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = (
            f"get_content_metadata GET requests support up to {limit} content keys. "
            "If more are required, use a POST body."
        )
        keys = query_keys(request, "content_keys")
        chosen = None if keys is None else limited_identifiers(keys, name="content_keys", limit=limit, text=text)
        validators, make = self._answer(request, served, chosen)
        return conditional_response(request, validators, make=make, headers=partial(state_headers, served.query))

    @extend_schema(
        operation_id="get_content_metadata_of_keys",
        summary="What is in a catalog, of these keys",
        description="`next` is to be asked with the same body (META-1).",
        parameters=[*PAGE_PARAMETERS, _WHOLE, *STATE_HEADERS],
        request=ContentKeysSerializer,
        responses=ContentMetadataSerializer,
    )
    def post(self, request: Request, uuid: str) -> HttpResponseBase:
        served = get_served_catalog_or_404(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_POST
        text = f"get_content_metadata POST requests support up to {limit} content keys."
        keys = body_keys(json_body(request), "content_keys")
        if keys is None:
            raise ValidationError({"content_keys": ["This field is required."]})
        chosen = limited_identifiers(keys, name="content_keys", limit=limit, text=text)
        _, make = self._answer(request, served, chosen)
        return make()

    def _answer(
        self, request: Request, served: ServedCatalog, keys: list[Identifier] | None
    ) -> tuple[CacheValidators, Callable[[], HttpResponseBase]]:
        """
        Return the validators of the answer and the function that makes it. `keys` is None for everything listed. Errors
        in other parameters are raised here, before a 304 is possible.
        """
        if keys is None:
            validators, count = served.validators, getattr(served.query, self.api_version.count)
            read_page, stream = partial(page_of_listed, query=served.query), stream_listed
        else:
            members = find_members_for_keys(query_id=served.query.pk, content_keys=keys, api_version=self.api_version)
            validators, count = served.validators.about(members), len(members)
            read_page = partial(page_for_keys, query=served.query, members=members)
            stream = partial(stream_for_keys, content_keys=keys)
        if boolean(request, "traverse_pagination"):
            return validators, partial(whole_answer, request, served, partial(stream, api_version=self.api_version))
        page = get_page_or_404(page_request(request), count)
        read_page = partial(read_page, cut=PageSlice(page.offset, page.size), api_version=self.api_version)
        return validators, partial(page_answer, request, served, page, read_page)


def page_answer(
    request: Request, served: ServedCatalog, page: Page, read_page: Callable[[], Iterable[bytes]]
) -> Response:
    envelope = full_envelope(request, page, [RawJson(served.fill(item)) for item in read_page()])
    return Response(envelope | about(served), headers=state_headers(served.query))


def whole_answer(request: Request, served: ServedCatalog, walk: Callable[..., ContentStream]) -> HttpResponseBase:
    return stream_catalog(
        request,
        read=partial(walk, query_id=served.query.pk),
        fill=served.fill,
        tail=about(served),
        headers=lambda content: state_headers(content.query),
    )


def about(served: ServedCatalog) -> dict[str, Any]:
    """The keys after `results` (META-2)."""
    catalog = served.catalog
    return {"uuid": catalog.uuid, "title": catalog.title, "enterprise_customer": catalog.enterprise_uuid}


def state_headers(query: CatalogQuery) -> dict[str, str]:
    """Headers by which a reader of pages notices a publish between two of them (ADD-2)."""
    headers = {"X-Catalog-Generation": f"{query.pk}-{query.generation}"}
    refreshed_at = api_iso(query.refreshed_at)
    return headers | ({"X-Catalog-Refreshed-At": refreshed_at} if refreshed_at else {})
