"""
List a catalog's items: in pages, or all of them in one streamed answer (META-1 to META-7).

Items are stored as templates and filled with the catalog's values as bytes; only XML parses them. Callers who hold the
current answer get 304 (COM-18). If something is published while a page is read, the reader raises InconsistentRead and
`ApiView` makes the answer again (P2).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_served_catalog_or_404, served_page_for
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.conditional import conditional_response
from enterprise_catalog.apps.api.common.pagination import PageRequest, full_envelope, get_page_or_404, page_request
from enterprise_catalog.apps.api.common.params import body_keys, boolean, json_body, limited, query_keys
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
from enterprise_catalog.apps.catalog.reading.catalogs import ServedCatalog, ServedPage
from enterprise_catalog.apps.catalog.reading.page_offsets import QueryState
from enterprise_catalog.apps.catalog.reading.pages import (
    ContentPage,
    ContentStream,
    PageSlice,
    find_members_for_keys,
    page_for_keys,
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
        wanted = page_request(request)
        if may_be_read_at_once(request):
            found = self._listed_page(request, uuid, wanted)
            return conditional_response(
                request,
                found.catalog.version,
                make=partial(page_answer, request, found.catalog, wanted, found.content),
            )
        served = get_served_catalog_or_404(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = (
            f"get_content_metadata GET requests support up to {limit} content keys. "
            "If more are required, use a POST body."
        )
        keys = limited(query_keys(request, "content_keys"), name="content_keys", limit=limit, text=text)
        version, make = self._answer(request, served, keys)
        return conditional_response(request, version, make=make, headers=partial(state_headers, served.query))

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
        keys = limited(keys, name="content_keys", limit=limit, text=text)
        _, make = self._answer(request, served, keys)
        return make()

    def _answer(
        self, request: Request, served: ServedCatalog, keys: list[str] | None
    ) -> tuple[CacheValidators, Callable[[], HttpResponseBase]]:
        """
        Return the validators of the answer and the function that makes it. `keys` is None for everything listed. Errors
        in other parameters are raised here, before a 304 is possible.
        """
        wanted, whole = page_request(request), boolean(request, "traverse_pagination")
        if keys is None:
            version, walk = served.version, partial(stream_listed, api_version=self.api_version)
            count, paged = served.query.counts[self.api_version.count], partial(self._listed, request, served, wanted)
        else:
            members = find_members_for_keys(query_id=served.query.pk, content_keys=keys, api_version=self.api_version)
            version, walk = (
                served.version.about(members),
                partial(stream_for_keys, content_keys=keys, api_version=self.api_version),
            )
            count, paged = len(members), partial(self._asked, request, served, wanted, members)
        if whole:
            return version, partial(whole_answer, request, served, walk)
        get_page_or_404(wanted, count)
        return version, paged

    def _listed_page(self, request: Request, uuid: str, wanted: PageRequest) -> ServedPage:
        cut = partial(cut_of, wanted)
        return served_page_for(request, uuid, access=LEARNER, api_version=self.api_version, cut=cut)

    def _listed(self, request: Request, served: ServedCatalog, wanted: PageRequest) -> Response:
        """Read the catalog again together with its items, so that all of the answer has one state."""
        found = self._listed_page(request, str(served.uuid), wanted)
        return page_answer(request, found.catalog, wanted, found.content)

    def _asked(self, request: Request, served: ServedCatalog, wanted: PageRequest, members: list[str]) -> Response:
        cut = cut_of(wanted, len(members))
        content = page_for_keys(query=served.query, members=members, cut=cut, api_version=self.api_version)
        return page_answer(request, served, wanted, content)


def may_be_read_at_once(request: Request) -> bool:
    """Whether one statement can read catalog and items: a listed page, asked for without an ETag."""
    asked = request.query_params
    return not ("content_keys" in asked or "traverse_pagination" in asked or "If-None-Match" in request.headers)


def cut_of(wanted: PageRequest, count: int) -> PageSlice:
    return PageSlice(wanted.offset(count), wanted.size)


def page_answer(request: Request, served: ServedCatalog, wanted: PageRequest, content: ContentPage) -> Response:
    page = get_page_or_404(wanted, content.count)
    envelope = full_envelope(request, page, [RawJson(served.link(item)) for item in content.items])
    return Response(envelope | about(served), headers=state_headers(served.query))


def whole_answer(request: Request, served: ServedCatalog, walk: Callable[..., ContentStream]) -> HttpResponseBase:
    return stream_catalog(
        request,
        read=partial(walk, query_id=served.query.pk),
        fill=served.link,
        tail=about(served),
        headers=lambda content: state_headers(content.query),
    )


def about(served: ServedCatalog) -> dict[str, Any]:
    """The keys after `results` (META-2)."""
    return {"uuid": served.uuid, "title": served.title, "enterprise_customer": served.enterprise_uuid}


def state_headers(query: QueryState) -> dict[str, str]:
    """Headers by which a reader of pages notices a publish between two of them (ADD-2)."""
    headers = {"X-Catalog-Generation": f"{query.pk}-{query.generation}"}
    refreshed_at = api_iso(query.refreshed_at)
    return headers | ({"X-Catalog-Refreshed-At": refreshed_at} if refreshed_at else {})
