"""Catalogs as the legacy surface lists them, and one catalog with a page of its content (LEG-3 to LEG-11)."""

from functools import partial
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import SHA256
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_legacy_catalog_to_read_or_404, list_legacy_catalogs_for
from enterprise_catalog.apps.api.common.bounds import NAMING_HEADER, ROW_ID, TITLE_MAX_LENGTH, beyond
from enterprise_catalog.apps.api.common.pagination import (
    PageRequest,
    full_envelope,
    get_page_or_404,
    page_request,
    page_size,
)
from enterprise_catalog.apps.api.common.params import integer_filter, uuid_filter
from enterprise_catalog.apps.api.legacy.views import LegacyView, ignored_parameters, url_of_page
from enterprise_catalog.apps.api.serializers.legacy import LegacyCatalogsShape, LegacyContentShape
from enterprise_catalog.apps.api.serializers.shapes import PAGE_PARAMETERS, header, page_size_parameter
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.pages import PageSlice, page_of_listed
from enterprise_catalog.apps.catalog.rendering.legacy_items import legacy_item_filler
from enterprise_catalog.apps.catalog.rendering.template_filler import url_context
from enterprise_catalog.apps.core.rest.renderers import RawJson
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.customers.selectors import get_customer

# The names of callers, and ours.
_COLUMNS = {
    "uuid": "uuid",
    "title": "title",
    "enterprise_customer": "enterprise_uuid",
    "enterprise_catalog_query": "catalog_query_id",
    "created": "created",
    "modified": "modified",
}
# One that is no uuid is none's.
_UUID = beyond({"type": "string", "maxLength": 36}, "404")
_HONOURED = {"page", "page_size", "uuid", "enterprise_customer"}


class CatalogsView(LegacyView):
    @extend_schema(
        operation_id="list_legacy_catalogs",
        summary="Catalogs, as edx-enterprise listed them",
        description="Those of the caller's customers; an operator's are all (LEG-3).",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("uuid", {"type": "string", "format": "uuid"}),
            OpenApiParameter("title", beyond({"type": "string", "maxLength": TITLE_MAX_LENGTH}, "matches nothing")),
            OpenApiParameter("enterprise_customer", {"type": "string", "format": "uuid"}),
            OpenApiParameter("enterprise_catalog_query", ROW_ID),
            OpenApiParameter(
                "ordering",
                {"type": "string", "maxLength": settings.ORDERING_MAX_CHARACTERS},
                description=f"One or more of {', '.join(_COLUMNS)}, `-` for descending.",
            ),
        ],
        responses=LegacyCatalogsShape,
    )
    def get(self, request: Request, **_: Any) -> Response:
        catalogs = ordered(request, filtered(request, list_legacy_catalogs_for(request)))
        page = get_page_or_404(page_request(request), catalogs.count())
        rows = catalogs[page.offset : page.offset + page.size]
        return Response(full_envelope(request, page, [catalog_header(catalog) for catalog in rows]))


class CatalogView(LegacyView):
    may_read_replica = True

    @extend_schema(
        operation_id="retrieve_legacy_catalog",
        summary="One catalog with a page of its content, as edx-enterprise showed it",
        description="Courses, runs with enrollable seats and programs for one-click purchase (LEG-4, LEG-5). Whatever "
        "else is asked of discovery is ignored, and named in a header (LEG-9).",
        parameters=[
            OpenApiParameter(
                "page",
                {
                    "type": "string",
                    "pattern": "^(0*[1-9][0-9]{0,8})?$",
                    "maxLength": settings.PAGE_MAX_CHARACTERS,
                    "default": "1",
                },
                description="From 1.",
            ),
            page_size_parameter(default=settings.LEGACY_PAGE_SIZE_DEFAULT, most=settings.LEGACY_PAGE_SIZE_MAX),
            OpenApiParameter("uuid", _UUID, description="404 unless it is this catalog's."),
            OpenApiParameter("enterprise_customer", _UUID, description="404 unless it is that of this catalog."),
            header(
                "X-Catalog-Ignored-Params",
                NAMING_HEADER,
                "Percent-encoded names of parameters that do nothing here, with commas between; 20 at most (LEG-9).",
                on=[200],
            ),
        ],
        responses=LegacyContentShape,
    )
    def get(self, request: Request, uuid: str, **_: Any) -> Response:
        catalog = get_legacy_catalog_to_read_or_404(request, uuid)
        require_same(request, catalog)
        wanted = content_page_request(request)
        customer = get_customer(catalog.enterprise_uuid)
        link = legacy_item_filler(url_context(catalog, customer), now=timezone.now())
        page = get_page_or_404(wanted, getattr(catalog.catalog_query, self.api_version.count))
        cut = PageSlice(page.offset, page.size)
        items = page_of_listed(query=catalog.catalog_query, cut=cut, api_version=self.api_version)
        url = partial(url_of_page, request)
        return Response(
            catalog_header(catalog)
            | {
                "count": page.count,
                "previous": url(page.number - 1) if page.number > 1 else None,
                "next": url(page.number + 1) if page.number < page.last else None,
                "results": [RawJson(link(item)) for item in items],
            },
            headers=ignored_parameters(request, honoured=_HONOURED),
        )


def catalog_header(catalog: EnterpriseCatalog) -> dict[str, Any]:
    return {
        "uuid": catalog.uuid,
        "title": catalog.title,
        "enterprise_customer": catalog.enterprise_uuid,
        "enterprise_catalog_query": catalog.catalog_query_id,
        "created": catalog.created,
        "modified": catalog.modified,
    }


def filtered(request: Request, catalogs: QuerySet[EnterpriseCatalog]) -> QuerySet[EnterpriseCatalog]:
    """Exactly, by what is not empty; 400 for what can be no value."""
    if title := request.query_params.get("title"):
        # MariaDB compares text without regard to case, accents and blanks at the end.
        catalogs = catalogs.alias(digest=SHA256("title")).filter(digest=sha256(title.encode()).hexdigest(), title=title)
    values = {
        "uuid": uuid_filter(request, "uuid"),
        "enterprise_customer": uuid_filter(request, "enterprise_customer"),
        "enterprise_catalog_query": integer_filter(request, "enterprise_catalog_query"),
    }
    return catalogs.filter(**{_COLUMNS[name]: value for name, value in values.items() if value is not None})


def ordered(request: Request, catalogs: QuerySet[EnterpriseCatalog]) -> QuerySet[EnterpriseCatalog]:
    """By what is known; uuids decide between equals, so that pages have one order (COM-9)."""
    text, most = request.query_params.get("ordering", ""), settings.ORDERING_MAX_CHARACTERS
    if len(text) > most:
        raise ValidationError({"ordering": [f"Ensure this field has no more than {most} characters."]})
    known = [
        f"{'-' if name.startswith('-') else ''}{_COLUMNS[name.removeprefix('-')]}"
        for name in text.replace(" ", "").split(",")
        if name.removeprefix("-") in _COLUMNS
    ]
    return catalogs.order_by(*(known or ["created"]), "uuid")


def require_same(request: Request, catalog: EnterpriseCatalog) -> None:
    """Two parameters that can only agree with the path (LEG-9)."""
    for name, own in (("uuid", catalog.uuid), ("enterprise_customer", catalog.enterprise_uuid)):
        asked = request.query_params.get(name)
        if asked and parse_uuid(asked) != own:
            raise NotFound("Not found.")


def content_page_request(request: Request) -> PageRequest:
    """LEG-9, LEG-10: no `last` here."""
    wanted = page_request(request)
    if not wanted.number:
        raise NotFound("Invalid page.")
    size = page_size(request, default=settings.LEGACY_PAGE_SIZE_DEFAULT, most=settings.LEGACY_PAGE_SIZE_MAX)
    return PageRequest(wanted.number, size)
