"""
What is in this catalog: pages of items, or all of them in one streamed answer (META-1 to META-7).

Items come rendered from the store and are linked to the catalog as bytes; nothing here parses one, unless XML is asked
for. Who holds an answer already gets none (COM-18).
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.catalogs import LEARNER, ServedCatalog, served_catalog_for
from enterprise_catalog.apps.api.conditional import unless_held
from enterprise_catalog.apps.api.pagination import PageRequest, full_envelope, page_of, page_request
from enterprise_catalog.apps.api.params import body_keys, boolean, json_body, limited, query_keys
from enterprise_catalog.apps.api.streaming import stream_whole
from enterprise_catalog.apps.api.v1.shapes import (
    NOT_MODIFIED,
    PAGE_PARAMETERS,
    STATE_HEADERS,
    ContentKeysShape,
    ContentMetadataShape,
    flag_parameter,
    keys_parameter,
)
from enterprise_catalog.apps.api.views import ApiView
from enterprise_catalog.apps.catalog.linking import CatalogLinker
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.pages import asked_members, asked_page, listed_page, walk_asked, walk_listed
from enterprise_catalog.apps.catalog.surfaces import Surface
from enterprise_catalog.apps.catalog.versions import version_of_catalog
from enterprise_catalog.apps.core.moments import iso_moment
from enterprise_catalog.apps.core.renderers import Rendered

_WHOLE = flag_parameter("traverse_pagination", "Everything in one streamed answer, whatever its size (META-3).")
_KEYS = keys_parameter(
    "content_keys",
    "Only these; a course's key also yields its runs, and a run's its course (META-5).",
    limit=settings.CONTENT_KEYS_LIMIT_GET,
)


class ContentMetadataView(ApiView):
    reads_replica = True

    @extend_schema(
        operation_id="get_content_metadata",
        summary="What is in a catalog",
        description=(
            "In the order of content keys. Without `content_keys`, courses that nobody can enroll in are left out "
            "(META-4). Nothing is in it until its first refresh is published (META-7)."
        ),
        parameters=[*PAGE_PARAMETERS, _WHOLE, _KEYS, *STATE_HEADERS],
        responses={200: ContentMetadataShape, 304: NOT_MODIFIED},
    )
    def get(self, request: Request, uuid: str) -> HttpResponseBase:
        served = served_catalog_for(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = (
            f"get_content_metadata GET requests support up to {limit} content keys. "
            "If more are required, use a POST body."
        )
        keys = limited(query_keys(request, "content_keys"), name="content_keys", limit=limit, text=text)
        question = question_of(request, served, keys, self.surface)
        version = version_of_catalog(question.link, members=question.members)
        return unless_held(
            request,
            version,
            make=partial(answer, request, question),
            headers=partial(state_headers, question.catalog, generation=question.catalog.catalog_query.generation),
        )

    @extend_schema(
        operation_id="get_content_metadata_of_keys",
        summary="What is in a catalog, of these keys",
        description="`next` is to be asked with the same body (META-1).",
        parameters=[*PAGE_PARAMETERS, _WHOLE, *STATE_HEADERS],
        request=ContentKeysShape,
        responses=ContentMetadataShape,
    )
    def post(self, request: Request, uuid: str) -> HttpResponseBase:
        served = served_catalog_for(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_POST
        text = f"get_content_metadata POST requests support up to {limit} content keys."
        keys = body_keys(json_body(request), "content_keys")
        if keys is None:
            raise ValidationError({"content_keys": ["This field is required."]})
        keys = limited(keys, name="content_keys", limit=limit, text=text)
        return answer(request, question_of(request, served, keys, self.surface))


@dataclass(frozen=True)
class Question:
    """
    What a caller wants of a catalog. `keys` None means everything that is listed, else `members` are what they found.
    `page` None means all of it in one answer, else it is there.
    """

    surface: Surface
    link: CatalogLinker
    keys: list[str] | None
    members: list[str] | None
    page: PageRequest | None

    @property
    def catalog(self) -> EnterpriseCatalog:
        return self.link.catalog


def question_of(request: Request, served: ServedCatalog, keys: list[str] | None, surface: Surface) -> Question:
    """Read the parameters and all rows but the items. Raises what is wrong with them."""
    catalog = served.catalog
    whole, wanted = boolean(request, "traverse_pagination"), page_request(request)
    members = None
    if keys is not None:
        members = asked_members(query_id=catalog.catalog_query_id, content_keys=keys, surface=surface)
    if not whole:
        count = getattr(catalog.catalog_query, surface.count) if members is None else len(members)
        wanted = replace(wanted, number=page_of(wanted, count).number)
    link = CatalogLinker(catalog=catalog, customer=served.customer)
    return Question(surface, link, keys, members, page=None if whole else wanted)


def answer(request: Request, question: Question) -> HttpResponseBase:
    return whole(request, question) if question.page is None else paged(request, question, question.page)


def paged(request: Request, question: Question, wanted: PageRequest) -> Response:
    query = question.catalog.catalog_query
    if question.members is None:
        read = partial(listed_page, query=query)
    else:
        read = partial(asked_page, query=query, members=question.members)
    content = read(offset=wanted.offset, limit=wanted.size, surface=question.surface)
    page = page_of(wanted, content.count)
    envelope = full_envelope(request, page, [Rendered(question.link(item)) for item in content.items])
    return Response(
        envelope | about(question.catalog), headers=state_headers(question.catalog, generation=content.generation)
    )


def whole(request: Request, question: Question) -> HttpResponseBase:
    walk = walk_listed if question.keys is None else partial(walk_asked, content_keys=question.keys)
    return stream_whole(
        request,
        walk=partial(walk, query_id=question.catalog.catalog_query_id, surface=question.surface),
        link=question.link,
        tail=about(question.catalog),
        headers=lambda content: state_headers(question.catalog, generation=content.generation),
    )


def about(catalog: EnterpriseCatalog) -> dict[str, Any]:
    """META-2."""
    return {"uuid": catalog.uuid, "title": catalog.title, "enterprise_customer": catalog.enterprise_uuid}


def state_headers(catalog: EnterpriseCatalog, *, generation: int) -> dict[str, str]:
    """What lets a walker notice a publish between two pages (ADD-2)."""
    headers = {"X-Catalog-Generation": f"{catalog.catalog_query_id}-{generation}"}
    refreshed_at = iso_moment(catalog.catalog_query.refreshed_at)
    return headers | ({"X-Catalog-Refreshed-At": refreshed_at} if refreshed_at else {})
