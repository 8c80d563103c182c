"""Collect what is known of a content regardless of any catalog: what it is, where it is, and what hides it (ADD-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, Max, QuerySet

from enterprise_catalog.apps.catalog.content.course_document import why_inactive
from enterprise_catalog.apps.catalog.models import CatalogContentChange, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.containment import queries_containing
from enterprise_catalog.apps.catalog.reading.pages import default_items
from enterprise_catalog.apps.catalog.reading.related_keys import RelatedKeys, get_related_keys
from enterprise_catalog.apps.catalog.rendering.template_filler import catalog_independent_item
from enterprise_catalog.apps.core.fields import is_storable_key
from enterprise_catalog.apps.core.uuids import parse_uuid
from enterprise_catalog.apps.refresh.models import QuarantinedDocument

# Each refresh quarantines the same document again, so a few are enough.
_QUARANTINED_SHOWN = 5

_UNKNOWN = (
    "No search ever returned this key. Keys are compared as written: look for another case, or a part that is missing. "
    "A restricted run that no filter allows is not known here, either."
)
_UUID = "This is the uuid of {key}. Catalogs are asked for a course or a run by its key, not by its uuid."


@dataclass(frozen=True)
class ContentFacts:
    """
    What is known of a content key.

    `content_type` is None for an unknown key; `hint` then says what to try. A run that appears only in a course's
    documents has that course as parent and no title. `last_seen` is the last publish of a query that contains the key;
    `left_at` is when it last left a query.
    """

    content_key: str
    content_type: str | None
    title: str | None
    parent_content_key: str | None
    active: bool | None
    inactive_because: str | None
    restricted: bool
    queries: int
    catalogs: int
    last_seen: datetime | None
    left_at: datetime | None
    hint: str | None
    # The newest first, each with its run loaded.
    quarantined: list[QuarantinedDocument]
    related_keys: RelatedKeys


def content_facts(*, content_key: str) -> ContentFacts:
    """Return the facts about any key, known or not. Call inside `core.db.snapshots.snapshot` with other reads."""
    related_keys = get_related_keys(content_key)
    content = related_keys.content
    item = _item(content)
    found = queries_containing(content_key).aggregate(queries=Count("pk"), last_seen=Max("refreshed_at"))
    quarantined = _quarantined(content_key)
    is_course = content is not None and content.content_type == ContentMetadata.ContentType.COURSE
    return ContentFacts(
        content_key=content_key,
        content_type=_type(related_keys),
        title=_title(item),
        parent_content_key=related_keys.courses[0] if related_keys.courses else None,
        active=content.active if content is not None and is_course else None,
        inactive_because=_inactive_because(content, item) if content is not None and not content.active else None,
        restricted=related_keys.restricted,
        queries=found["queries"],
        catalogs=catalogs_containing(content_key=content_key).count(),
        last_seen=found["last_seen"],
        left_at=_left_at(content_key) if related_keys.is_known else None,
        hint=None if related_keys.is_known or quarantined else _hint(content_key),
        quarantined=quarantined,
        related_keys=related_keys,
    )


def catalogs_containing(*, content_key: str) -> QuerySet[EnterpriseCatalog, UUID]:
    """Return the uuids of catalogs that contain the key in v1 (CONT-1), in the order of catalogs (COM-9)."""
    queries = queries_containing(content_key).values("pk")
    catalogs = EnterpriseCatalog.objects.filter(catalog_query__in=queries)
    return catalogs.order_by("created", "uuid").values_list("uuid", flat=True)


def _item(content: ContentMetadata | None) -> dict[str, Any]:
    """Return the catalog-independent item, or an empty dict."""
    items = default_items([content.content_key]) if content is not None else []
    item: dict[str, Any] = orjson.loads(catalog_independent_item(items[0])) if items else {}
    return item


def _type(related_keys: RelatedKeys) -> str | None:
    if related_keys.content is not None:
        return related_keys.content.content_type
    if related_keys.courses:
        return ContentMetadata.ContentType.COURSE_RUN
    return ContentMetadata.ContentType.COURSE if related_keys.runs else None


def _title(item: dict[str, Any]) -> str | None:
    title = item.get("title")
    return title if isinstance(title, str) else None


def _inactive_because(content: ContentMetadata, item: dict[str, Any]) -> str | None:
    if not content.record_digest:
        return "its full record has not arrived yet, so nothing says that a run is marketed"
    return why_inactive(item)


def _quarantined(content_key: str) -> list[QuarantinedDocument]:
    if not content_key or not is_storable_key(content_key):
        return []
    documents = QuarantinedDocument.objects.filter(content_key=content_key).order_by("-pk")
    return list(documents.select_related("refresh_run").defer("refresh_run__held_keys")[:_QUARANTINED_SHOWN])


def _left_at(content_key: str) -> datetime | None:
    left = CatalogContentChange.objects.filter(content_key=content_key, change=CatalogContentChange.Change.REMOVED)
    left_at: datetime | None = left.filter(enterprise_catalog=None).aggregate(at=Max("changed_at"))["at"]
    return left_at


def _hint(content_key: str) -> str:
    uuid = parse_uuid(content_key)
    named = ContentMetadata.objects.filter(content_uuid=uuid, restricted=False).first() if uuid else None
    return _UUID.format(key=named.content_key) if named is not None else _UNKNOWN
