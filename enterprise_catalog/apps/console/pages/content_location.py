"""
Where is this content? One key, and perhaps a catalog or a customer, in the address; so that an answer can be passed on.
Reads only; the answer is `services.content_explanations.reasons`'.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.display.explanation_sentences import (
    content_sentences,
    how_contained,
    reason_sentence,
    set_aside_sentences,
)
from enterprise_catalog.apps.console.display.html import collapsible, document
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.services.content_explanations.facts import catalogs_containing, content_facts
from enterprise_catalog.apps.services.content_explanations.reasons import Explanation, explain_content


def where_is_content(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """For staff that may view catalogs."""
    if not admin.site.get_model_admin(EnterpriseCatalog).has_view_permission(request):
        raise PermissionDenied
    # As from an address somebody typed: a `+` that was not encoded arrives as a space (COM-12).
    key = request.GET.get("content_key", "").strip().replace(" ", "+")
    term = request.GET.get("catalog", "").strip()
    context: dict[str, Any] = {"title": "Where is this content?", "content_key": key, "catalog": term}
    if key:
        with snapshot():
            context |= _answer(request, key, term)
    return "console/where.html", context


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
        "set_aside": list(set_aside_sentences(content)),
        "has_page": content.carriers.content is not None,
        "page": page,
        "rows": rows,
    }


def _filters(explanations: list[Explanation]) -> dict[int, Any]:
    """By the query's id, of those whose catalog lacks the content."""
    queries = {each.catalog.catalog_query_id for each in explanations if not each.contains}
    return dict(CatalogQuery.objects.filter(pk__in=queries).values_list("pk", "content_filter"))


def _found(request: HttpRequest, term: str) -> QuerySet[EnterpriseCatalog, UUID]:
    """As the list of catalogs finds them: by words of title or customer, or a uuid."""
    catalogs = EnterpriseCatalog.objects.order_by("created", "uuid")
    found, _ = admin.site.get_model_admin(EnterpriseCatalog).get_search_results(request, catalogs, term)
    return found.values_list("uuid", flat=True)
