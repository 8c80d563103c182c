"""
Prepare search documents, so that they can be compared with what is stored, and stored.

Preparing is pure and happens outside every transaction. Storing (`catalog.storage.content_store`) writes what differs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enterprise_catalog.apps.catalog.content.course_document import is_restricted, runs_of
from enterprise_catalog.apps.catalog.content.search_document_variants import (
    Variant,
    stand_in_variant,
    trim_ended_runs,
    variant_of,
)
from enterprise_catalog.apps.catalog.models import ContentMetadata
from enterprise_catalog.apps.core.packed_json import pack, unpack
from enterprise_catalog.apps.core.uuids import canonical_uuid


@dataclass(frozen=True)
class PreparedContent:
    """
    A member of a search result. `search_document` is packed, without ended runs. `runs` has the keys of all runs inside
    it, also ended ones, each with whether the run is restricted (CONT-1).
    """

    content_key: str
    content_type: str
    parent_content_key: str | None
    content_uuid: str | None
    restricted: bool
    search_document: bytes
    variant: Variant
    runs: dict[str, bool]


def prepare_content(
    packed: bytes,
    *,
    content_key: str,
    content_type: str,
    parent_content_key: str | None,
    content_uuid: str | None,
    now: datetime,
) -> PreparedContent:
    """Prepare one packed search document; `now` decides which runs have ended (REFR-13)."""
    document = unpack(packed)
    trimmed, ended_keys = (
        trim_ended_runs(document, now=now) if content_type == ContentMetadata.ContentType.COURSE else (document, [])
    )
    return PreparedContent(
        content_key=content_key,
        content_type=content_type,
        parent_content_key=parent_content_key,
        content_uuid=content_uuid,
        restricted=content_type == ContentMetadata.ContentType.COURSE_RUN and is_restricted(document),
        # Most courses have no ended run and need no packing.
        search_document=packed if trimmed is document else pack(trimmed),
        variant=variant_of(trimmed, ended_keys=ended_keys),
        runs=runs_of(document) if content_type == ContentMetadata.ContentType.COURSE else {},
    )


def stand_in_content(record: dict[str, Any], *, content_key: str) -> PreparedContent:
    """
    Prepare a course that a filter forces in and no search has found: its record replaces the search document until a
    search returns one (REFR-19).
    """
    document = {
        "aggregation_key": f"course:{content_key}",
        "content_type": ContentMetadata.ContentType.COURSE.value,
        "key": content_key,
        "uuid": record.get("uuid"),
        "title": record.get("title"),
    }
    return PreparedContent(
        content_key=content_key,
        content_type=ContentMetadata.ContentType.COURSE,
        parent_content_key=None,
        content_uuid=canonical_uuid(record.get("uuid")),
        restricted=False,
        search_document=pack(document),
        variant=stand_in_variant(document),
        runs={},
    )
