"""
What is in this catalog: pages of items, or all of them in one streamed answer (META-1 to META-7).

Items come rendered from the store and are linked to the catalog as bytes; nothing here parses one, unless XML is asked
for. Who holds an answer already gets none (COM-18).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.catalogs import LEARNER, serving_for
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
from enterprise_catalog.apps.catalog.pages import Cut, asked_members, asked_page, walk_asked, walk_listed
from enterprise_catalog.apps.catalog.serving import ServedCatalog, Serving
from enterprise_catalog.apps.catalog.surfaces import Surface
from enterprise_catalog.apps.catalog.versions import Version
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
        wanted = page_request(request)
        cut = cut_at_once(request, wanted)
        serving = serving_for(request, uuid, access=LEARNER, surface=self.surface, cut=cut)
        limit = settings.CONTENT_KEYS_LIMIT_GET
        text = (
            f"get_content_metadata GET requests support up to {limit} content keys. "
            "If more are required, use a POST body."
        )
        keys = limited(query_keys(request, "content_keys"), name="content_keys", limit=limit, text=text)
        question = question_of(request, serving, wanted, keys, self.surface)
        return unless_held(
            request,
            question.version,
            make=partial(answer, request, question),
            headers=partial(state_headers, question.served, generation=question.served.query.generation),
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
        serving = serving_for(request, uuid, access=LEARNER)
        limit = settings.CONTENT_KEYS_LIMIT_POST
        text = f"get_content_metadata POST requests support up to {limit} content keys."
        keys = body_keys(json_body(request), "content_keys")
        if keys is None:
            raise ValidationError({"content_keys": ["This field is required."]})
        keys = limited(keys, name="content_keys", limit=limit, text=text)
        return answer(request, question_of(request, serving, page_request(request), keys, self.surface))


@dataclass(frozen=True)
class Question:
    """
    What a caller wants of a catalog. `keys` None means everything that is listed, else `members` are what they found.
    `page` None means all of it in one answer, else it is there.
    """

    surface: Surface
    serving: Serving
    keys: list[str] | None
    members: list[str] | None
    page: PageRequest | None

    @property
    def served(self) -> ServedCatalog:
        return self.serving.catalog

    @property
    def version(self) -> Version:
        return self.served.version if self.members is None else self.served.version.about(self.members)


def cut_at_once(request: Request, wanted: PageRequest) -> Cut | None:
    """The page that can be read together with its catalog; no items for who may hold them already (COM-18)."""
    asked = request.query_params
    if not wanted.number or "content_keys" in asked or "traverse_pagination" in asked:
        return None
    return None if "If-None-Match" in request.headers else Cut(wanted.offset, wanted.size)


def question_of(
    request: Request, serving: Serving, wanted: PageRequest, keys: list[str] | None, surface: Surface
) -> Question:
    """Read the other parameters and all rows but the items. Raises what is wrong with them."""
    query = serving.catalog.query
    whole = boolean(request, "traverse_pagination")
    members = None
    if keys is not None:
        members = asked_members(query_id=query.pk, content_keys=keys, surface=surface)
    if not whole:
        count = query.counts[surface.count] if members is None else len(members)
        wanted = PageRequest(page_of(wanted, count).number, wanted.size)
    return Question(surface, serving, keys, members, page=None if whole else wanted)


def answer(request: Request, question: Question) -> HttpResponseBase:
    return whole(request, question) if question.page is None else paged(request, question, question.page)


def paged(request: Request, question: Question, wanted: PageRequest) -> Response:
    served, cut = question.served, Cut(wanted.offset, wanted.size)
    if question.members is None:
        content = question.serving.listed_page(cut, question.surface)
    else:
        content = asked_page(query=served.query, members=question.members, cut=cut, surface=question.surface)
    page = page_of(wanted, content.count)
    envelope = full_envelope(request, page, [Rendered(served.link(item)) for item in content.items])
    return Response(envelope | about(served), headers=state_headers(served, generation=content.generation))


def whole(request: Request, question: Question) -> HttpResponseBase:
    served = question.served
    walk = walk_listed if question.keys is None else partial(walk_asked, content_keys=question.keys)
    return stream_whole(
        request,
        walk=partial(walk, query_id=served.query.pk, surface=question.surface),
        link=served.link,
        tail=about(served),
        headers=lambda content: state_headers(served, generation=content.generation),
    )


def about(served: ServedCatalog) -> dict[str, Any]:
    """META-2."""
    return {"uuid": served.uuid, "title": served.title, "enterprise_customer": served.enterprise_uuid}


def state_headers(served: ServedCatalog, *, generation: int) -> dict[str, str]:
    """What lets a walker notice a publish between two pages (ADD-2)."""
    headers = {"X-Catalog-Generation": f"{served.query.pk}-{generation}"}
    refreshed_at = iso_moment(served.query.refreshed_at)
    return headers | ({"X-Catalog-Refreshed-At": refreshed_at} if refreshed_at else {})
