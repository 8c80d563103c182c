"""
Build the page "Where is this content?" for a key, and perhaps a catalog or customer, from the address.

The answer comes from `services.content_explanations.reasons`.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.display.explanation_sentences import (
    content_sentences,
    how_contained,
    quarantine_sentences,
    reason_sentence,
)
from enterprise_catalog.apps.console.display.html import collapsible, document
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.services.content_explanations.facts import catalogs_containing, content_facts
from enterprise_catalog.apps.services.content_explanations.reasons import Explanation, explain_content


def where_is_content(request: HttpRequest) -> TemplateResponse:
    """Serve the page. Raises PermissionDenied for staff who may not view catalogs."""
    if not admin.site.get_model_admin(EnterpriseCatalog).has_view_permission(request):
        raise PermissionDenied
    # People type addresses, and a `+` that is not encoded arrives as a space (COM-12).
    key = request.GET.get("content_key", "").strip().replace(" ", "+")
    term = request.GET.get("catalog", "").strip()
    context: dict[str, Any] = {"title": "Where is this content?", "content_key": key, "catalog": term}
    if key:
        with snapshot():
            context |= _answer(request, key, term)
    return TemplateResponse(request, "console/where.html", admin.site.each_context(request) | context)


def _answer(request: HttpRequest, key: str, term: str) -> dict[str, Any]:
    content = content_facts(content_key=key)
    uuids = _found(request, term) if term else catalogs_containing(content_key=key)
    page = Paginator(uuids, settings.PAGE_SIZE_DEFAULT).get_page(request.GET.get("p"))
    explanations = explain_content(content=content, catalog_uuids=list(page))
    filters = _filters(explanations)
    rows = [
        {
            "catalog": explanation.catalog,
            "contains": explanation.contains,
            "filter": collapsible(
                "what its search asks for", document(filters.get(explanation.catalog.catalog_query_id))
            ),
            "how": how_contained(explanation),
            "reasons": [(reason_sentence(reason), reason.run_uuid) for reason in explanation.reasons],
        }
        for explanation in explanations
    ]
    return {
        "content": content,
        "sentences": list(content_sentences(content)),
        "set_aside": list(quarantine_sentences(content)),
        "has_page": content.related_keys.content is not None,
        "page": page,
        "rows": rows,
    }


def _filters(explanations: list[Explanation]) -> dict[int, Any]:
    """Return the filters of queries whose catalog lacks the content, by id of the query."""
    queries = {each.catalog.catalog_query_id for each in explanations if not each.contains}
    return dict(CatalogQuery.objects.filter(pk__in=queries).values_list("pk", "content_filter"))


def _found(request: HttpRequest, term: str) -> QuerySet[EnterpriseCatalog, UUID]:
    """Return the uuids of catalogs that the search of the admin's list finds."""
    catalogs = EnterpriseCatalog.objects.order_by("created", "uuid")
    found, _ = admin.site.get_model_admin(EnterpriseCatalog).get_search_results(request, catalogs, term)
    return found.values_list("uuid", flat=True)
