"""Create catalogs with published content, by the code that stores and publishes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.runs import claimed, make_query

CATALOGS = "/api/v1/enterprise-catalogs/"
LEGACY = "/enterprise/api/v1/"
LEGACY_CATALOGS = f"{LEGACY}enterprise_catalogs/"

Records = Sequence[dict[str, Any]]


def store(*documents: dict[str, Any], records: Records = ()) -> list[str]:
    """Store search documents, some with their full records. Return their content keys."""
    prepared = [
        prepare_content(
            pack(document),
            content_key=document.get("key") or document["uuid"],
            content_type=document["content_type"],
            parent_content_key=(
                document["aggregation_key"].partition(":")[2] if document["content_type"] == "courserun" else None
            ),
            content_uuid=document.get("uuid"),
            now=timezone.now(),
        )
        for document in documents
    ]
    packed = {record.get("key") or record["uuid"]: pack(record) for record in records}
    store_contents(contents=prepared, records=packed, assert_lease=lambda: None)
    return [content.content_key for content in prepared]


def publish(query: CatalogQuery, *documents: dict[str, Any], records: Records = ()) -> None:
    """Store documents and make them the members of a query."""
    publish_or_hold(claim=claimed(query), content_keys=store(*documents, records=records), counts={})


def make_catalog(
    *documents: dict[str, Any] | str,
    customer: UUID = CUSTOMER_UUID,
    query: CatalogQuery | None = None,
    records: Records = (),
    **fields: Any,
) -> EnterpriseCatalog:
    """Create a catalog with these documents, some with full records. A text stands for a course with that key."""
    if query is None:
        query = make_query({"key": [f"filter {CatalogQuery.objects.count()}"]})
        if documents:
            found = (course_document(entry) if isinstance(entry, str) else entry for entry in documents)
            publish(query, *found, records=records)
    defaults = {"title": "All Content", "enterprise_name": "Acme, Inc.", "modified": timezone.now()}
    catalog = EnterpriseCatalog.objects.create(enterprise_uuid=customer, catalog_query=query, **(defaults | fields))
    with transaction.atomic():
        record_attachment(catalogs=[catalog.pk], query_id=query.pk, previous_query_id=None)
    return EnterpriseCatalog.objects.select_related("catalog_query").get(pk=catalog.pk)


def path_of(catalog: EnterpriseCatalog, action: str = "") -> str:
    return f"{CATALOGS}{catalog.uuid}/{action}"


def legacy_path_of(catalog: EnterpriseCatalog, rest: str = "") -> str:
    return f"{LEGACY_CATALOGS}{catalog.uuid}/{rest}"
